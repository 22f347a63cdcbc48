"""git's binary patches: base 85, deflated, whole or as a delta. Source: git's apply.c, base85.c, patch-delta.c.

Inflation stops at the size that the patch states, and at MAX_BYTES: a small text never becomes a huge one.
"""

from __future__ import annotations

import base64
import binascii
import zlib

MAX_BYTES = 64 * 1024 * 1024
LINE_BYTES = 52
"""Bytes that a line of a binary patch carries."""


def encode_lines(data: bytes) -> list[bytes]:
    """Lines of base 85 for deflated `data`, each with its length letter, without newlines."""
    packed = zlib.compress(data)
    text = base64.b85encode(packed + b"\0" * (-len(packed) % 4))
    lines = []
    for at in range(0, len(packed), LINE_BYTES):
        count = min(len(packed) - at, LINE_BYTES)
        letter = bytes([ord("A") + count - 1 if count <= 26 else ord("a") + count - 27])
        lines.append(letter + text[at // 4 * 5 : (at + LINE_BYTES) // 4 * 5])
    return lines


def decode_line(line: bytes) -> bytes | None:
    """The bytes that a line carries; None when it is not such a line."""
    letter = line[:1]
    if b"A" <= letter <= b"Z":
        count = letter[0] - ord("A") + 1
    elif b"a" <= letter <= b"z":
        count = letter[0] - ord("a") + 27
    else:
        return None
    if len(line) - 1 != (count + 3) // 4 * 5:
        return None
    try:
        return base64.b85decode(line[1:])[:count]
    except (ValueError, binascii.Error):
        return None


def inflate(packed: bytes, size: int) -> bytes | None:
    """Exactly `size` bytes; None when it is something else, cut, or too large."""
    if size > MAX_BYTES:
        return None
    stream = zlib.decompressobj()
    try:
        data = stream.decompress(packed, size + 1)
    except zlib.error:
        return None
    if len(data) == size and not stream.eof:
        try:
            data += stream.decompress(stream.unconsumed_tail, 1)
        except zlib.error:
            return None
    return data if len(data) == size and stream.eof else None


def apply_delta(base: bytes, delta: bytes) -> bytes | None:
    """What `delta` makes of `base`; None when it does not fit."""
    at, sizes = 0, []
    for _ in range(2):
        size = shift = 0
        while True:
            if at >= len(delta) or shift > 63:
                return None
            byte = delta[at]
            at += 1
            size |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                break
        sizes.append(size)
    if sizes[0] != len(base) or sizes[1] > MAX_BYTES:
        return None
    return _run_delta(base, delta, at, sizes[1])


def _run_delta(base: bytes, delta: bytes, at: int, size: int) -> bytes | None:
    out = bytearray()
    while at < len(delta):
        code = delta[at]
        at += 1
        if not code & 0x80:
            if code == 0 or at + code > len(delta):
                return None
            out += delta[at : at + code]
            at += code
        else:
            values = []
            for bits, count in ((code, 4), (code >> 4, 3)):
                value = 0
                for index in range(count):
                    if bits >> index & 1:
                        if at >= len(delta):
                            return None
                        value |= delta[at] << 8 * index
                        at += 1
                values.append(value)
            start, length = values[0], values[1] or 0x10000
            if start + length > len(base):
                return None
            out += base[start : start + length]
        if len(out) > size:
            return None
    return bytes(out) if len(out) == size else None
