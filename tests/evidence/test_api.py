"""The API check against what is really installed: this suite's own environment and standard library."""

from __future__ import annotations

import sys
import sysconfig
from pathlib import Path

import pytest

from agent.core.hunk import FileState, Mode, Write
from agent.core.review import Evidence, Verdict
from agent.evidence.lookup.api import ApiChecker
from agent.evidence.lookup.project_env import ProjectEnv, find_environment

SITE = Path(sysconfig.get_path("purelib"))
STDLIB = Path(sysconfig.get_path("stdlib"))


def state(text: str) -> FileState:
    return FileState(Mode.FILE, text.encode())


def checker(root: Path, *sites: Path) -> ApiChecker:
    return ApiChecker(
        root, lambda: ProjectEnv(sites or (SITE,), STDLIB, ".venv", True), lambda: ["app/local.py"]
    )


def examine(root: Path, new: str, old: str | None = None) -> list[Evidence]:
    write = Write("app/main.py", None if old is None else state(old), state(new))
    return list(checker(root).examine([write]))


def summaries(root: Path, code: str, verdict: Verdict) -> list[str]:
    return [piece.summary for piece in examine(root, code) if piece.verdict is verdict]


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("import httpx\nhttpx.fetch_json('x')\n", "httpx has no fetch_json (httpx "),
        ("import httpx\nhttpx.get('x', time_out=3)\n", "httpx.get() takes no time_out= (httpx "),
        ("from httpx import Sessions\n", "httpx has no Sessions"),
        ("import httpx\nc = httpx.Client()\nc.fetch_all('x')\n", "httpx.Client has no fetch_all"),
        ("import httpx\nwith httpx.Client() as c:\n    c.fetch_all('x')\n", "httpx.Client has no fetch_all"),
        ("import httpx\nhttpx.Client(retries_total=3)\n", "httpx.Client() takes no retries_total="),
        ("import httpx\nhttpx.get('x').to_json()\n", "httpx.Response has no to_json"),
        ("import json\njson.parse('x')\n", "json has no parse (Python 3."),
        ("import json\njson.dumps(1, pretty=True)\n", None),
        ("import os\nos.path.joinall('a')\n", "posixpath has no joinall"),
        ("import os.path\nos.path.joinall('a')\n", "posixpath has no joinall"),
        ("import math\nmath.clampify(1)\n", "math has no clampify"),
        ("import time\ntime.now()\n", "time has no now"),
        (
            "import httpx\nclass A:\n    def __init__(self): self.c = httpx.Client()\n"
            "    def f(self): self.c.fetch_all()\n",
            "httpx.Client has no fetch_all",
        ),
        ("import time\ntime.sleep_milliseconds(1)\n", "time has no sleep_milliseconds"),
        ("from pathlib import Path\nPath('a').read_lines()\n", "pathlib.Path has no read_lines"),
        ("import shutil\nshutil.copy_tree_fast('a')\n", "shutil has no copy_tree_fast"),
        ("import shutil\nshutil.rmtree('a', force=True)\n", "shutil.rmtree() takes no force="),
        ("import textwrap\ntextwrap.indent('a', '', prefx=1)\n", "textwrap.indent() takes no prefx="),
        ("import nowhere_at_all\n", "nowhere_at_all is not installed in .venv"),
        ("from nowhere_at_all.deep import x\n", "nowhere_at_all is not installed in .venv"),
        ("import httpx.nothing_here\n", "httpx has no nothing_here"),
        (
            "import configparser\nconfigparser.ConfigParser().read_files([])\n",
            "configparser.ConfigParser has no",
        ),
    ],
)
def test_what_is_certainly_wrong_is_contradicted_and_doubt_is_not(
    tmp_path: Path, code: str, said: str | None
) -> None:
    found = summaries(tmp_path, code, Verdict.CONTRADICTED)
    if said is None:
        assert found == []
        assert all(piece.verdict is not Verdict.CONTRADICTED for piece in examine(tmp_path, code))
    else:
        assert [text for text in found if text.startswith(said)], examine(tmp_path, code)


REAL = """
import argparse, asyncio, collections, contextlib, csv, dataclasses, datetime, enum, functools, itertools, json, logging
import inspect, os, os.path, pathlib, queue, re, select, shutil, signal, socket, sqlite3, ssl
import subprocess, sys, tempfile, threading, time
import typing, unittest.mock, urllib.parse, urllib.request, uuid, zipfile, email.message, http.client, importlib.metadata
import concurrent.futures, xml.etree.ElementTree as ET, collections.abc, hashlib, random, math, io, copy, string, struct
import httpx, msgspec, rich.console, typer, prompt_toolkit, git, pytest, tomlkit, hypothesis.strategies as st
from hypothesis import given, settings
from prompt_toolkit.key_binding import KeyBindings
from rich.text import Text

parser = argparse.ArgumentParser(description="x", exit_on_error=False)
parser.add_argument("--x", dest="y", help="z")
logging.getLogger(__name__).warning("x", exc_info=True)
logging.basicConfig(level=logging.INFO, force=True)
asyncio.run(asyncio.sleep(1), debug=True)
asyncio.create_task(x(), name="a")
asyncio.get_event_loop
collections.OrderedDict().move_to_end("x", last=False)
datetime.datetime.now(tz=datetime.timezone.utc).isoformat(timespec="seconds")
subprocess.run(["x"], check=True, capture_output=True, text=True, timeout=3)
subprocess.Popen(["x"], stdout=subprocess.PIPE).communicate(timeout=3)
signal.SIGINT, signal.pthread_sigmask, socket.AF_INET, socket.create_server, ssl.PROTOCOL_TLS_CLIENT
os.O_NOFOLLOW, os.environ.get
re.compile("x", flags=re.MULTILINE | re.IGNORECASE).fullmatch("x")
pathlib.Path("x").read_text(encoding="utf-8")
tempfile.NamedTemporaryFile(delete=False, suffix="x").write(b"")
tempfile.TemporaryDirectory(prefix="x").name
threading.Thread(target=print, daemon=True).start()
lock = threading.Lock()
lock.acquire(timeout=3)
urllib.parse.urlsplit("x").hostname
urllib.request.urlopen("x", timeout=3).read()
sqlite3.connect("x", isolation_level=None).execute("x")
zipfile.ZipFile("x", mode="w", compression=zipfile.ZIP_DEFLATED).writestr("x", "y")
ET.parse("x").getroot()
hashlib.sha256(b"").hexdigest(), hashlib.file_digest
random.choices([1], k=3), math.isclose(1, 2, rel_tol=3), itertools.pairwise, functools.cached_property
unittest.mock.patch.object(sys, "argv", new=[]), unittest.mock.MagicMock().anything
concurrent.futures.ThreadPoolExecutor(max_workers=3).submit(print)
uuid.uuid4().hex
with httpx.Client(timeout=3, transport=httpx.MockTransport(print)) as client:
    client.get("x", headers={}).raise_for_status().json()
    client.stream("GET", "x", json={})
httpx.Timeout(3, connect=1), httpx.codes.OK, httpx.Response(200, json={}).status_code
msgspec.json.decode(b"", type=int), msgspec.structs.replace, msgspec.convert(1, int, strict=False)
rich.console.Console(force_terminal=True, width=3).print("x", style="bold", markup=False)
Text("x", style="bold").append("y", style="red")
typer.Typer(no_args_is_help=True, add_completion=False).command(name="x")
typer.Option(None, "--x", help="y", show_default=False)
prompt_toolkit.PromptSession(history=None).prompt("x", multiline=True)
KeyBindings().add("c-c", eager=True)
git.Repo("x").git.execute(["x"], with_extended_output=True)
pytest.mark.parametrize, pytest.raises(ValueError, match="x"), pytest.approx(1, rel=2), pytest.fixture(scope="module")
tomlkit.parse("").unwrap()
st.lists(st.integers(min_value=3), max_size=3), settings(max_examples=3)
@dataclasses.dataclass(frozen=True, slots=True)
class A: pass
dataclasses.replace(A(), x=3), dataclasses.field(default_factory=list)
enum.auto(), enum.StrEnum, typing.Self, typing.NamedTuple, json.JSONDecodeError("x", "y", 0).lineno
importlib.metadata.version("x"), email.message.EmailMessage().set_content("x", subtype="html")
contextlib.suppress(OSError), io.BytesIO(b"").getvalue(), copy.deepcopy(1, memo={})
string.ascii_letters, struct.unpack("<I", b"")
inspect.CO_COROUTINE
NEW = sys.version_info[:2] >= (3, 7)
if not NEW:
    from typing import GenericMeta
os.startfile("x"), select.kqueue(), signal.CTRL_C_EVENT, sys.frozen, sys._MEIPASS
try:
    from math import gcd
except ImportError:
    from fractions import gcd
class Mine:
    def __init__(self): self.client, self.other = 1, httpx.Client()
    def put(self): self.other = object()
    def use(self): self.client.anything(), self.other.anything()
class Heir(Mine):
    def __init__(self): self.one = httpx.Client()
    def use(self): self.one.anything()
sys.stdout.reconfigure(encoding="utf-8"), sys.version_info.major, time.perf_counter_ns(), os.fspath("x"), os.getuid()
"""


def test_real_code_is_never_contradicted(tmp_path: Path) -> None:
    assert summaries(tmp_path, REAL, Verdict.CONTRADICTED) == []


def test_the_suite_s_own_environment_agrees_with_the_code_of_installed_packages(tmp_path: Path) -> None:
    """What httpx, typer and pytest themselves import and call is real: any contradiction would be a false one."""
    checked = 0
    for file in sorted([*SITE.glob("httpx/*.py"), *SITE.glob("typer/*.py"), *SITE.glob("rich/*.py")])[:20]:
        pieces = examine(tmp_path, file.read_text("utf-8"))
        wrong = [piece.summary for piece in pieces if piece.verdict is Verdict.CONTRADICTED]
        bad = [text for text in wrong if "not installed" not in text and "deprecated" not in text]
        assert bad == [], file
        checked += len(pieces)
    assert checked > 15


def test_what_was_read_is_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = "import httpx\nwith httpx.Client(timeout=3) as c:\n    c.get('x', headers={})\nhttpx.fetch()\n"
    read: list[str] = []
    as_ever = Path.read_bytes

    def counted(file: Path) -> bytes:
        read.append(file.name)
        return as_ever(file)

    monkeypatch.setattr(Path, "read_bytes", counted)
    check, write = checker(tmp_path), Write("app/main.py", None, state(code))
    first = list(check.examine([write]))
    assert "_client.py" in read
    read.clear()
    assert list(check.examine([write])) == first
    assert not [name for name in read if name.startswith("_")]


def test_only_what_is_added_is_looked_at(tmp_path: Path) -> None:
    old = "import json\njson.parse('x')\n"
    assert examine(tmp_path, old + "x = 1\n", old) == []
    assert examine(tmp_path, old + "json.parse('y', 2)\njson.nope()\n", old)


def test_a_name_that_now_means_another_module_is_looked_at_again(tmp_path: Path) -> None:
    old = "import json as j\nj.dumps(1)\n"
    (piece,) = [
        piece
        for piece in examine(tmp_path, "import re as j\nj.dumps(1)\n", old)
        if piece.verdict is Verdict.CONTRADICTED
    ]
    assert piece.summary.startswith("re has no dumps")


@pytest.mark.parametrize(
    "code",
    [
        "def f(json):\n    json.parse('x')\n",
        "import json\njson = 3\njson.parse('x')\n",
        "from .json import parse\nparse('x', y=1)\n",
        "import local\nlocal.anything()\n",
        "try:\n    import nowhere_at_all\nexcept ImportError:\n    nowhere_at_all = None\n",
        "from json import *\nanything_else()\n",
        "import json\nfor json in []:\n    json.parse()\n",
        "broken(",
    ],
)
def test_what_is_not_certain_is_never_contradicted(tmp_path: Path, code: str) -> None:
    assert summaries(tmp_path, code, Verdict.CONTRADICTED) == []


def test_found_names_come_with_version_signature_place_and_documentation(tmp_path: Path) -> None:
    (piece,) = examine(tmp_path, "import textwrap\ntextwrap.dedent('x')\n")
    assert piece.verdict is Verdict.VERIFIED
    assert piece.summary == "exists: textwrap.dedent (Python {}.{})".format(*sys.version_info[:2])
    assert "dedent(text)" in piece.details
    assert "Remove any common leading whitespace" in piece.details
    assert "textwrap.py:" in piece.details


def package(root: Path, name: str, **files: str) -> Path:
    folder = root / "site" / name
    folder.mkdir(parents=True)
    for file, text in files.items():
        (folder / f"{file}.py").write_text(text)
    (root / "site" / f"{name}-1.2.dist-info").mkdir()
    return root / "site"


TOY = """
'''Toy.'''
import warnings
from typing_extensions import deprecated
from .inner import *
from ._c import fast

def call(a, *, b=1): "Call it."
def anything(**options): ...
@deprecated("use call() instead")
def old(a): ...
def ancient(a):
    '''Do it.

    .. deprecated:: 1.1
       Use call.
    '''
def partly(a, b=1):
    '''Do it.

    :param b: x
        .. deprecated:: 1.1
    '''
def renamed(a=None, *, hash=None, unsafe_hash=None):
    '''Do it.

    .. deprecated:: 1.1 *hash* is deprecated in favor of *unsafe_hash*.
    '''
def partial(a):
    '''Do it.

    .. deprecated:: 1.1

        Calling it with bytes is not supported any more.
    '''
def warned(a):
    "Do it."
    warnings.warn("use call() instead", DeprecationWarning, stacklevel=2)
    return a
def warned_sometimes(a):
    if a is None:
        warnings.warn("pass a", DeprecationWarning)
class Dynamic:
    def __getattr__(self, name): ...
class Plain:
    def __init__(self, size): ...
    def go(self, fast=False): ...
class Child(Plain): ...
class Odd(__import__("x").Y): ...
if warnings:
    def twice(a): ...
else:
    def twice(b): ...
"""


@pytest.mark.parametrize(
    ("code", "verdict"),
    [
        ("toy.call(1, b=2)", Verdict.VERIFIED),
        ("toy.call(1, c=2)", Verdict.CONTRADICTED),
        ("toy.anything(c=2)", Verdict.VERIFIED),
        ("toy.old(1)", Verdict.CONTRADICTED),
        ("toy.ancient(1)", Verdict.CONTRADICTED),
        ("toy.partly(1)", Verdict.VERIFIED),
        ("toy.renamed(1)", Verdict.VERIFIED),
        ("toy.partial(1)", Verdict.VERIFIED),
        ("toy.warned(1)", Verdict.CONTRADICTED),
        ("toy.warned_sometimes(1)", Verdict.VERIFIED),
        ("try:\n    from toy import warned\nexcept ImportError:\n    pass", Verdict.VERIFIED),
        ("p = toy.Plain(1)\np.extra = 1\np.extra", Verdict.UNVERIFIED),
        ("p = toy.Plain(1)\nif isinstance(p, toy.Child):\n    p.gone()", Verdict.VERIFIED),
        ("toy.Dynamic().go()", Verdict.VERIFIED),
        ("toy.Plain(1).go(fast=True)", Verdict.VERIFIED),
        ("toy.Plain(1).go(slow=True)", Verdict.CONTRADICTED),
        ("toy.Plain(1).gone()", Verdict.CONTRADICTED),
        ("toy.Child(1).go(fast=True)", Verdict.VERIFIED),
        ("toy.Child(1).gone()", Verdict.CONTRADICTED),
        ("toy.Odd().gone()", Verdict.VERIFIED),
        ("toy.twice(b=1)", Verdict.UNVERIFIED),
        ("toy.starred()", Verdict.VERIFIED),
        ("toy.fast()", Verdict.UNVERIFIED),
        ("toy.missing()", Verdict.CONTRADICTED),
        ("toy.lazy.anything()", Verdict.UNVERIFIED),
    ],
)
def test_each_kind_of_name_gets_its_word(tmp_path: Path, code: str, verdict: Verdict) -> None:
    site = package(
        tmp_path, "toy", __init__=TOY, inner="def starred(): ...", lazy="def __getattr__(name): return 1"
    )
    (site / "toy" / "_c.cpython-311-x86_64-linux-gnu.so").write_bytes(b"\0fast\0")
    found = list(checker(tmp_path, site).examine([Write("m.py", None, state(f"import toy\n{code}\n"))]))
    words = {piece.verdict for piece in found}
    if verdict is Verdict.CONTRADICTED:
        assert Verdict.CONTRADICTED in words
    else:
        assert Verdict.CONTRADICTED not in words
        assert (Verdict.PARTLY in words) is (verdict is Verdict.UNVERIFIED)


def test_a_declared_but_not_installed_package_is_unverified(tmp_path: Path) -> None:
    writes = [
        Write("pyproject.toml", None, state('[project]\ndependencies = ["shiny-thing>=2"]\n')),
        Write("m.py", None, state("import shiny_thing\n")),
    ]
    (piece,) = checker(tmp_path).examine(writes)
    assert piece.verdict is Verdict.UNVERIFIED


def test_a_module_that_the_change_itself_creates_is_its_own(tmp_path: Path) -> None:
    writes = [
        Write("shiny.py", None, state("x = 1\n")),
        Write("m.py", None, state("import shiny\nshiny.x\n")),
    ]
    assert list(checker(tmp_path).examine(writes)) == []


@pytest.mark.parametrize(
    ("place", "is_certain"),
    [
        ("from front import real\nimport sys\nsys.modules[__name__] = real\n", False),
        ("import real\nimport sys\nsys.modules[__name__] = real\n", True),
        ("import sys\nclass Made: ...\nsys.modules[__name__] = Made()\n", False),
        ("import real\nimport sys\nmade = sys.modules[__name__] = real.make()\n", False),
    ],
)
def test_a_module_that_puts_another_one_in_its_place(tmp_path: Path, place: str, is_certain: bool) -> None:
    site = package(tmp_path, "front", __init__=place)
    (site / "real.py").write_text("def make(): ...\n")
    there, absent = state("import front\nfront.make()\n"), state("import front\nfront.nothing()\n")
    pieces = list(checker(tmp_path, site).examine([Write("m.py", None, absent)]))
    assert pieces
    assert (Verdict.CONTRADICTED in [piece.verdict for piece in pieces]) is is_certain
    pieces = list(checker(tmp_path, site).examine([Write("m.py", None, there)]))
    assert Verdict.CONTRADICTED not in [piece.verdict for piece in pieces]


def test_nothing_of_the_looked_up_package_is_run(tmp_path: Path) -> None:
    site = package(
        tmp_path, "trap", __init__="open('/nonexistent/trap', 'w')\nraise SystemExit\ndef go(): ...\n"
    )
    list(checker(tmp_path, site).examine([Write("m.py", None, state("import trap\ntrap.go()\n"))]))
    assert "trap" not in sys.modules


def test_the_documentation_of_a_symbol_for_the_model(tmp_path: Path) -> None:
    check = checker(tmp_path)
    text = check.docs("httpx.Client.stream")
    assert text.startswith("httpx._client.Client.stream(self, method: str, url:")
    assert "_client.py:" in text
    assert check.docs("httpx.fetch").startswith("httpx has no fetch")
    assert "json.load" not in check.docs("json.laods")
    assert "loads" in check.docs("json.laods")
    assert "not a dotted name" in check.docs("os.system('x')")


def test_the_environment_in_the_work_tree_comes_first(tmp_path: Path) -> None:
    (tmp_path / ".venv" / "lib" / "python3.11" / "site-packages").mkdir(parents=True)
    (tmp_path / ".venv" / "pyvenv.cfg").write_text(f"home = {STDLIB.parent.parent / 'bin'}\n")
    env = find_environment(tmp_path, {"VIRTUAL_ENV": "/somewhere"})
    assert (env.label, env.is_own, env.version) == (".venv", True, (3, 11))
    assert find_environment(tmp_path / "none", {}).is_own is False
