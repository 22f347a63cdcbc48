"""Names for addresses."""

import re


def slug(title):
    """`Hello, World` as `hello-world`."""
    words = re.findall(r"[a-z0-9]+", title.lower())
    return "-".join(words)


def unique(slug, taken):
    """The slug, with a number when it is taken already."""
    if slug not in taken:
        return slug
    number = 2
    while f"{slug}-{number}" in taken:
        number += 1
    return f"{slug}-{number}"
