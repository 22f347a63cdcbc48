"""Files, processes, configuration, journal: the outside that is not git and not the network."""
