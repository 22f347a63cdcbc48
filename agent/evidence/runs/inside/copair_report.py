"""A pytest plugin that writes what became of each test, for copair. Runs in the project's interpreter (3.6 or newer).

Says for a failure whether an assertion failed or something else broke: in the set-up, at import, in the code. One JSON
record a line, flushed, so that a run that is killed still tells what it knew. It imports nothing of copair.
"""

import json
import os
import sys

import pytest
from copair_reach import Reach

ASSERTIONS = ("AssertionError", "Failed", "DocTestFailure", "MultipleDocTestFailures", "ComparisonFailure")
NO_ASSERTIONS = ("Timeout", "async def functions are not natively supported")
"""How texts of pytest.fail begin where no test has said that something is wrong."""
TEST_WORDS = ("test", "tests", "testing", "conftest")
MAX_REACH_BYTES = 16 << 20
"""Of a whole run; what comes after it has no record and is chosen by imports."""
LEAVE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "leave.json")
"""Ids of tests not to be run; a file, because it may be long."""


def _is_product_file(path, root):
    """An assertion that failed in the project's own code, not in a test, is a crash of that code."""
    real = os.path.abspath(str(path))
    if not real.startswith(root + os.sep):
        return False
    parts = real[len(root) + 1 :].replace(os.sep, "/").split("/")
    if any(part in ("site-packages", "node_modules") or part.startswith(".") for part in parts):
        return False
    name = parts[-1].rsplit(".", 1)[0]
    return not (
        name.startswith("test_")
        or name.endswith("_test")
        or any(word in parts[:-1] + [name] for word in TEST_WORDS)
    )


def _kind(call, root):
    """`assertion` when the test itself said that something is wrong, else `crash`."""
    if call.when != "call" or call.excinfo is None:
        return "crash"
    error = call.excinfo.value
    names = [base.__name__ for base in type(error).__mro__]
    if not any(name in ASSERTIONS for name in names) or str(error).startswith(NO_ASSERTIONS):
        return "crash"
    trace = call.excinfo.traceback
    return "crash" if len(trace) and _is_product_file(trace[-1].path, root) else "assertion"


def _first_line(report):
    crash = getattr(getattr(report, "longrepr", None), "reprcrash", None)
    text = getattr(crash, "message", None) or str(getattr(report, "longrepr", "") or "")
    lines = [line for line in text.split("\n") if line.strip()]
    return (lines[0] if crash is not None else lines[-1])[:300] if lines else ""


class Names(object):
    """Ids of tests as paths below the root of the tree; pytest's own begin where its settings lie."""

    def __init__(self, config, root):
        self._folder = str(getattr(config, "rootpath", None) or config.rootdir)
        self._root = root
        self._known = {}

    def of(self, nodeid):
        path, colons, rest = nodeid.partition("::")
        if path and path not in self._known:
            real = os.path.relpath(os.path.join(self._folder, path), self._root).replace(os.sep, "/")
            self._known[path] = path if real.startswith("../") else real
        return self._known.get(path, path) + colons + rest


class Chooser(object):
    """Leaves out the tests that were not chosen. Those that nobody knows are run."""

    def __init__(self, names, leave):
        self._names, self._leave = names, leave

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, config, items):
        left = [item for item in items if self._names.of(item.nodeid) in self._leave]
        if left:
            gone = set(map(id, left))
            items[:] = [item for item in items if id(item) not in gone]
            config.hook.pytest_deselected(items=left)


class Recorder(object):
    """Writes the records; only in the process that leads the session."""

    def __init__(self, path, root, watched, real, names):
        self._file = open(path, "a", encoding="utf-8")
        self._root, self._watched, self._real, self._names = root, watched, real, names
        self._left = MAX_REACH_BYTES

    def write(self, **record):
        self._file.write(json.dumps(record) + "\n")
        self._file.flush()

    def pytest_runtest_logstart(self, nodeid):
        self.write(t="start", id=self._names.of(nodeid))

    def pytest_runtest_logreport(self, report):
        reach = getattr(report, "copair_reach", None)
        if reach is not None:
            self._left -= len(json.dumps(reach))
            if self._left > 0:
                self.write(t="reach", id=self._names.of(report.nodeid), **reach)
        if report.when == "call" or report.outcome != "passed":
            self.write(
                t="report",
                id=self._names.of(report.nodeid),
                when=report.when,
                sub=hasattr(report, "context"),
                outcome="skipped" if hasattr(report, "wasxfail") else report.outcome,
                kind=getattr(report, "copair_kind", "crash"),
                text=_first_line(report) if report.outcome != "passed" else "",
            )

    def pytest_collectreport(self, report):
        if report.failed:
            self.write(t="collect", id=self._names.of(report.nodeid), text=_first_line(report))

    def pytest_sessionfinish(self, session, exitstatus):
        self.write(t="end", status=int(exitstatus), **self._modules())

    def _modules(self):
        """Which watched files were imported, and what came from the real tree instead of the copy."""
        loaded, outside = [], []
        for module in list(sys.modules.values()):
            name = getattr(module, "__file__", None)
            if not isinstance(name, str):
                continue
            path = os.path.abspath(name)
            if path.startswith(self._root + os.sep) and path[len(self._root) + 1 :] in self._watched:
                loaded.append(path[len(self._root) + 1 :])
            if self._real and path.startswith(self._real + os.sep) and "site-packages" not in path:
                outside.append(path)
        return {"loaded": loaded, "outside": outside[:5]}


class Repeater(object):
    """Runs each test several times in one session, to see whether its outcome holds."""

    def __init__(self, count):
        self._count = count

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item, nextitem):
        from _pytest.runner import runtestprotocol

        item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        # Others than functions do not begin anew: a doctest has lost its names after the first time.
        for _ in range(self._count if isinstance(item, pytest.Function) else 1):
            if hasattr(item, "_initrequest"):
                item._initrequest()
            for report in runtestprotocol(item, nextitem=nextitem, log=False):
                item.ihook.pytest_runtest_logreport(report=report)
        item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        return True


@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        report.copair_kind = _kind(call, _ROOT)
    if report.when == "teardown" and _REACH is not None:
        report.copair_reach = _REACH.of(item)


def _reach(wanted):
    """Begins with the first import of a conftest. The variable stays for the workers of xdist."""
    reach = Reach(_ROOT) if wanted else None
    return reach if reach is not None and reach.start(wanted == "any") else None


_ROOT = os.environ.get("COPAIR_ROOT", os.getcwd())
_REACH = _reach(os.environ.get("COPAIR_REACH", ""))


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config):
    names = Names(config, _ROOT)
    if os.path.exists(LEAVE):
        with open(LEAVE, encoding="utf-8") as file:
            config.pluginmanager.register(Chooser(names, set(json.load(file))), "copair-chooser")
    if _REACH is not None:
        config.pluginmanager.register(_REACH, "copair-reach")
    # What a test starts must not write into our record: the variable goes before any test runs.
    path = os.environ.pop("COPAIR_REPORT", None)
    if path is None or hasattr(config, "workerinput"):
        return
    watched = set(json.loads(os.environ.pop("COPAIR_WATCHED", "[]")))
    recorder = Recorder(path, _ROOT, watched, os.environ.pop("COPAIR_REAL", ""), names)
    config.pluginmanager.register(recorder, "copair-recorder")
    repeats = int(os.environ.pop("COPAIR_REPEAT", "1"))
    if repeats > 1:
        config.pluginmanager.register(Repeater(repeats), "copair-repeater")
