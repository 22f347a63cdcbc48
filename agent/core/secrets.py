"""What is withheld from models and exports: secrets by the path of a file and by patterns in a text.

Promise: `redact` runs in time linear in the text, keeps the number of lines, and never returns a matched secret.
It cannot know every secret: patterns are the published formats of tokens and keys, and values of names like
`api_key` that look random. It does not read files.
"""

from __future__ import annotations

import math
import re
from collections import Counter

from agent.core.globs import Globs

_NAMES = (
    ".env*", "*.env", "*.pem", "*.key", "*.p8", "*.p12", "*.pfx", "*.jks", "*.keystore", "*.kdbx", "*.ppk",
    "*.ovpn", "*.asc", "*.gpg", "*.tfstate", "*.tfstate.*", "*.tfvars", "*.tfvars.json",
    "id_rsa", "id_dsa", "id_ecdsa", "id_ed25519", "id_ecdsa_sk", "id_ed25519_sk",
    ".netrc", "_netrc", ".pypirc", ".npmrc", ".yarnrc.yml", ".git-credentials", ".htpasswd", ".pgpass", ".my.cnf",
    ".vault_pass*", ".boto", ".s3cfg", "credentials", "credentials.json", "credentials.y*ml", "credentials.toml",
    "service-account*.json", "service_account*.json", "client_secret*.json",
    "secret.json", "secret.y*ml", "secret.toml", "secrets.json", "secrets.y*ml", "secrets.toml", "secrets.ini",
    "kubeconfig", "master.key", "wp-config.php", ".dockercfg",
)  # fmt: skip
_FOLDERS = (".env*", ".ssh", ".gnupg", ".aws", ".azure", ".kube", ".docker", ".gcloud")


_NAME, _FOLDER = Globs(_NAMES), Globs(_FOLDERS)


def is_secret_path(path: str) -> bool:
    """True when a file with this name, or in this folder, is one that holds keys. Case does not count."""
    *folders, name = path.casefold().split("/")
    return _NAME.fit(name) or any(_FOLDER.fit(folder) for folder in folders)


_TOKENS = r"""
    -----BEGIN[ ][A-Z0-9 ]{0,40}PRIVATE[ ]KEY(?:[ ]BLOCK)?-----
    | (?<![A-Za-z0-9])(?:
        (?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}(?![A-Za-z0-9])
      | gh[pousr]_[A-Za-z0-9]{30,255}
      | github_pat_[A-Za-z0-9_]{30,255}
      | gl(?:pat|ptt|rt|dt|soat)-[A-Za-z0-9_.-]{20,255}
      | xox[abeoprs]-[A-Za-z0-9-]{10,255}
      | xapp-[0-9]-[A-Za-z0-9-]{10,255}
      | (?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{16,255}
      | whsec_[A-Za-z0-9+/=]{24,255}
      | sk-(?:ant-|proj-|or-|svcacct-)?[A-Za-z0-9_-]{20,255}
      | AIza[A-Za-z0-9_-]{35}
      | ya29\.[A-Za-z0-9_-]{20,255}
      | GOCSPX-[A-Za-z0-9_-]{20,64}
      | hf_[A-Za-z0-9]{30,64}
      | npm_[A-Za-z0-9]{36}
      | pypi-AgE[A-Za-z0-9_-]{40,1024}
      | dop_v1_[a-f0-9]{64}
      | SG\.[A-Za-z0-9_-]{16,64}\.[A-Za-z0-9_-]{16,64}
      | shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}
      | AGE-SECRET-KEY-1[A-Z0-9]{50,64}
      | eyJ[A-Za-z0-9_-]{10,2048}\.eyJ[A-Za-z0-9_-]{10,4096}\.[A-Za-z0-9_-]{10,1024}
      )
    """
"""Verbose; compiled when a text is read, not at every start."""
_BLOCK_END = re.compile(r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_URL_PASSWORD = r"(?<=://)([A-Za-z0-9_.%+~-]{0,64}):([^\s:/@'\"{}$<>*]{3,128})(?=@[A-Za-z0-9\[])"
_NAMED = (
    r"(?i)(?:api_?-?key|secret|token|passwd|password|private_?-?key|access_?-?key|account_?-?key|credential)"
    r"[A-Za-z0-9_-]{0,32}[\"']?\s{0,4}(?::=|=>|=|:)\s{0,4}[\"']?"
    r"([A-Za-z0-9+/=_.~!@#%^&*-]{16,512})"
)
_WORD = re.compile(r"[A-Za-z]+[0-9]{0,2}|[0-9]{1,4}")
_PLACEHOLDERS = (
    "example",
    "your",
    "changeme",
    "placeholder",
    "dummy",
    "xxxx",
    "test",
    "fake",
    "sample",
    "os.environ",
)


def redact(text: str) -> tuple[str, int]:
    """`text` with each secret replaced by `[withheld: 1 secret]`, and how many there were.

    A key block of several lines becomes the mark and as many line ends, so that line numbers stay true.
    """
    tokens = re.compile(_TOKENS, re.VERBOSE)
    count = 0
    parts: list[str] = []
    at = 0
    while found := tokens.search(text, at):
        end = found.end()
        if found[0].startswith("-----"):
            close = _BLOCK_END.search(text, end)
            end = close.end() if close else len(text)
        parts += [text[at : found.start()], _mark(text[found.start() : end])]
        at, count = end, count + 1
    parts.append(text[at:])
    text = "".join(parts)

    def url(match: re.Match[str]) -> str:
        nonlocal count
        count += 1
        return f"{match[1]}:{_mark(match[2])}"

    def named(match: re.Match[str]) -> str:
        nonlocal count
        if not _looks_random(match[1]):
            return match[0]
        count += 1
        return match[0].removesuffix(match[1]) + _mark(match[1])

    return re.sub(_NAMED, named, re.sub(_URL_PASSWORD, url, text)), count


def _mark(secret: str) -> str:
    return "[withheld: 1 secret]" + "\n" * secret.count("\n")


def _looks_random(value: str) -> bool:
    """True for a value that no person would have made up: digits among letters, and no words joined together."""
    lowered = value.casefold()
    if any(word in lowered for word in _PLACEHOLDERS) or not any(c.isalpha() for c in value):
        return False
    if all(_WORD.fullmatch(part) for part in re.split(r"[._/:@-]+", value.strip("._/:@-"))):
        return False
    total = len(value)
    bits = -sum(n / total * math.log2(n / total) for n in Counter(value).values())
    digits = sum(c.isdigit() for c in value)
    return (digits >= 3 and bits >= 3.0) or (digits >= 1 and bits >= 4.2)
