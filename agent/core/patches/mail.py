"""A patch that came by mail: the text of messages whose transfer encoding hides it, decoded as `git am` does."""

from __future__ import annotations

import re

_HEADER = re.compile(rb"[!-9;-~]+:[ \t]")
_ENCODED = re.compile(rb"(?im)^content-transfer-encoding:\s*(?:quoted-printable|base64)\b")
_BETWEEN = re.compile(rb"(?m)^(?=From .*\d\d:\d\d:\d\d .*\d{4})")
"""Where a message of a mailbox begins: `From`, who or what, and a date of `ctime`."""


def decoded(data: bytes) -> bytes:
    """`data` with the text of its encoded messages as it was written; anything else as it is."""
    if not (data.startswith(b"From ") or _HEADER.match(data)) or not _ENCODED.search(data):
        return data
    return b"".join(map(_decoded, _BETWEEN.split(data)))


def _decoded(message: bytes) -> bytes:
    if not _ENCODED.search(message):
        return message
    from email import message_from_bytes

    mailed = message.partition(b"\n")[2] if message.startswith(b"From ") else message
    try:
        parts = list(message_from_bytes(mailed).walk())
    except RecursionError:  # parts within parts within parts
        return message
    texts = [
        part.get_payload(decode=True)
        for part in parts
        if not part.is_multipart() and part.get_content_type() != "text/html"
    ]
    return b"From mail\n" + b"".join(_lines(text) for text in texts if isinstance(text, bytes))


def _lines(text: bytes) -> bytes:
    """Text that was sent with the line ends of mail throughout has plain ones; the last line has one too."""
    if text.count(b"\r\n") == text.count(b"\n"):
        text = text.replace(b"\r\n", b"\n")
    return text if text.endswith(b"\n") else text + b"\n"
