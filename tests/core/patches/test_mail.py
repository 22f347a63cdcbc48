"""Patches that mailers have encoded are read as they were written."""

from __future__ import annotations

import base64
import mailbox
import quopri
import time
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core.patches.mail import decoded
from agent.core.patches.patch import PatchError
from agent.core.patches.unified import parse

HEAD = b"From: A <a@example.org>\nSubject: [PATCH] x\nMIME-Version: 1.0\nContent-Type: text/plain; charset=UTF-8\n"
ENCODERS: dict[str, Callable[[bytes], bytes]] = {
    "quoted-printable": quopri.encodestring,
    "Quoted-Printable": lambda text: quopri.encodestring(text, quotetabs=True),
    "base64": base64.encodebytes,
    "BASE64": lambda text: base64.encodebytes(text.replace(b"\n", b"\r\n")),
}
LINES = st.lists(
    st.sampled_from([b"x = 1", b"caf\xc3\xa9 \xff", b"=3D", b"From me", b"tab\t", b"blank ", b"", b"y" * 99]),
    min_size=1,
)


def patch_of(lines: list[bytes]) -> bytes:
    added = b"".join(b"+" + line + b"\n" for line in lines)
    return b"diff --git a/f b/f\n--- a/f\n+++ b/f\n@@ -1,0 +2,%d @@\n" % len(lines) + added


def mailed(text: bytes, encoding: str) -> bytes:
    return HEAD + f"Content-Transfer-Encoding: {encoding}\n\n".encode() + ENCODERS[encoding](b"---\n" + text)


@given(lines=LINES, encoding=st.sampled_from(sorted(ENCODERS)), is_crlf=st.booleans())
def test_an_encoded_mail_is_the_patch_that_was_sent(lines: list[bytes], encoding: str, is_crlf: bool) -> None:
    text = patch_of(lines)
    mail = mailed(text, encoding)
    assert parse(mail.replace(b"\n", b"\r\n") if is_crlf else mail) == parse(text)


def test_a_mailbox_of_many_messages_is_read_in_order(tmp_path: Path) -> None:
    texts = [patch_of([b"a = %d" % number]).replace(b"/f", b"/f%d" % number) for number in range(4)]
    box = mailbox.mbox(tmp_path / "box")
    for text, encoding in zip(texts, ["quoted-printable", "8bit", "base64", "7bit"], strict=True):
        message = EmailMessage()
        message["Subject"] = "[PATCH] x"
        message.set_content(f"---\n{text.decode()}", cte=encoding)
        box.add(message)
    box.close()
    assert parse((tmp_path / "box").read_bytes()) == parse(b"".join(texts))


def test_a_patch_that_is_attached_is_read_once() -> None:
    text = patch_of([b"x = 1"])
    message = EmailMessage()
    message.set_content("Here it is:\n")
    message.add_alternative("<p>Here it is:\n", subtype="html")
    message.add_attachment(text, maintype="application", subtype="octet-stream", filename="x.patch")
    assert parse(message.as_bytes()) == parse(text)


@pytest.mark.parametrize(
    "text",
    [
        patch_of([b"Content-Transfer-Encoding: base64"]),
        b"From x\n\nContent-Transfer-Encoding: 8bit\n" + patch_of([b"x =3D 1"]),
        HEAD + b"\n" + patch_of([b"x =3D 1"]),
    ],
)
def test_what_is_not_encoded_stays_as_it_is(text: bytes) -> None:
    assert decoded(text) == text


def test_damaged_and_endlessly_nested_mails_end() -> None:
    nested = b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\nContent-Transfer-Encoding: base64\n\n--b%d\n"
        % (number, number)
        for number in range(3000)
    )
    began = time.monotonic()
    assert isinstance(parse(nested), PatchError)
    assert isinstance(parse(HEAD + b"Content-Transfer-Encoding: base64\n\n!!!" + b"=" * 1000), PatchError)
    assert time.monotonic() - began < 10
