"""Names for addresses."""

import re
import unicodedata

LONGEST = 60


def slug(title):
    """`Hello, World` as `hello-world`, accents left off, whole words only."""
    words = re.findall(r"[a-z0-9]+", plain(title.lower()))
    return shorten("-".join(words))


def plain(text):
    """The text without accents."""
    parts = unicodedata.normalize("NFKD", text)
    return "".join(char for char in parts if not unicodedata.combining(char))


def shorten(name):
    """At most LONGEST characters, cut between words."""
    if len(name) <= LONGEST:
        return name
    return name[: LONGEST + 1].rpartition("-")[0] or name[:LONGEST]


def unique(slug, taken):
    """The slug, with a number when it is taken already."""
    if slug not in taken:
        return slug
    number = 2
    while f"{slug}-{number}" in taken:
        number += 1
    return f"{slug}-{number}"
