"""The pure core: values and the rules over them. No I/O, clock, random ids or environment."""
