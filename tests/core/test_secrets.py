from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.core.secrets import is_secret_path, redact

MARK = "[withheld: 1 secret]"


@pytest.mark.parametrize(
    "path",
    [
        ".env",
        ".env.local",
        "deploy/.ENV.production",
        ".envrc",
        "keys/server.pem",
        "a/b/id_ed25519",
        ".netrc",
        ".npmrc",
        "home/.ssh/config",
        ".aws/anything",
        "prod.tfvars",
        "config/secrets.yml",
    ],
)
def test_files_that_hold_keys_are_secret(path: str) -> None:
    assert is_secret_path(path)


@pytest.mark.parametrize(
    "path",
    [
        "src/env.py",
        "environment.md",
        "keys.py",
        "id_rsa.pub",
        "agent/core/secrets.py",
        "a.envelope",
        "monkey",
    ],
)
def test_other_files_are_not(path: str) -> None:
    assert not is_secret_path(path)


# Put together here, so that no scanner takes this file for a leak.
@pytest.mark.parametrize(
    "secret",
    [
        "AKIA" + "IOSFODNN7ABCDEFG",
        "ghp_" + "a1B2" * 9,
        "github_pat_" + "11AAAA" * 8,
        "sk-ant-" + "api03-" + "x9Y8" * 6,
        "sk-proj-" + "x9Y8" * 10,
        "xoxb-" + "1234567890-abcdefghij",
        "AIza" + "SyA1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q",
        "hf_" + "aBcDeFgHiJ" * 3 + "1234",
        "eyJ"
        + "hbGciOiJIUzI1NiJ9"
        + ".eyJ"
        + "zdWIiOiIxMjM0NTY3ODkwIn0"
        + ".dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P",
        "glpat-" + "abcdefghij0123456789",
    ],
)
def test_tokens_of_known_forms_are_withheld(secret: str) -> None:
    text = f'client = Client("{secret}")\n'
    assert redact(text) == (f'client = Client("{MARK}")\n', 1)


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        (
            "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYzz39KEYAAA",
            f"aws_secret_access_key = {MARK}",
        ),
        ('PASSWORD: "k3f9Qz71mVx0Lp2w"', f'PASSWORD: "{MARK}"'),
        ("url = postgres://app:s3cr3tpw@db.local/x", f"url = postgres://app:{MARK}@db.local/x"),
    ],
)
def test_values_that_look_random_are_withheld_where_a_name_says_what_they_are(line: str, shown: str) -> None:
    assert redact(line) == (shown, 1)


@pytest.mark.parametrize(
    "line",
    [
        "token = tokenizer.next_token_from_stream()",
        'password = os.environ["DATABASE_PASSWORD"]',
        "secret_key = settings.SECRET_KEY_FALLBACK_2",
        'password = "your-password-goes-here-1234"',
        'api_key: str = "default_api_key_name"',
        "sha = 'd41d8cd98f00b204e9800998ecf8427e'",
        "https://example.org:8080/a@b",
        'f"postgres://{user}:{password}@{host}"',
    ],
)
def test_ordinary_code_stays_as_it_is(line: str) -> None:
    assert redact(line) == (line, 0)


def test_a_key_block_is_withheld_and_the_line_numbers_stay_true() -> None:
    block = "-----BEGIN RSA " + "PRIVATE KEY-----\nMIIE\nabcd\n-----END RSA PRIVATE KEY-----"
    shown, count = redact(f"a\n{block}\nlast\n")
    assert count == 1
    assert "MIIE" not in shown
    assert shown.split("\n").index("last") == f"a\n{block}\nlast\n".split("\n").index("last")


def test_a_key_block_without_an_end_is_withheld_to_the_end() -> None:
    shown, count = redact("x\n-----BEGIN " + "PRIVATE KEY-----\nMIIE\nabcd")
    assert (count, "abcd" in shown) == (1, False)


@settings(max_examples=100)
@given(st.text())
def test_any_text_keeps_its_lines_and_is_the_same_when_done_twice(text: str) -> None:
    shown, _ = redact(text)
    assert shown.count("\n") == text.count("\n")
    assert redact(shown)[0] == shown


def test_a_long_hostile_text_takes_linear_time() -> None:
    began = time.perf_counter()
    for piece in ("://a:", "token=", "sk-", "-----BEGIN ", "eyJaaaaaaaaaaaa.", "password" * 3, "a" * 40):
        redact(piece * (400_000 // len(piece)))
    assert time.perf_counter() - began < 8
