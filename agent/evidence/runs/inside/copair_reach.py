"""Notes for each test which functions of the project's files it entered, for copair's choice of tests. Never a verdict.

With `sys.monitoring` (Python 3.12) it costs almost nothing; before that only when it is asked for at any price. What
was entered while a module was imported belongs to no test; what a wider fixture entered belongs to all that use it.
A test that started another process may have reached anything. Runs in the project's interpreter, imports nothing of
copair.
"""

import os
import sys
import threading

import pytest

TOOL = 4
MAX_FUNCTIONS = 5000
"""Of one test; one that entered more counts as one that may reach anything."""
STARTS = ("subprocess.Popen", "os.system", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn")
SPAWN = "spawnv_passfds"
"""How multiprocessing starts a process without an audit event."""
ANYTHING = 0
"""A key beside the ids of code objects: another process was started."""
OPTIMIZED = 1
"""The flag of the code of a function; bodies of modules and classes do not have it."""


class Reach(object):
    """Follows the calls; `entered` is what the test, fixture or import that runs now has entered."""

    def __init__(self, root):
        self._root = os.path.join(root, "")
        self._paths = {}
        self._at_import = {}
        self._wide = {}
        self._profiles = False
        self._in_test = False
        self._imports = False
        self.entered = self._at_import

    def start(self, at_any_price):
        """Begin to follow; False where it would cost too much, or somebody else follows already."""
        monitoring = getattr(sys, "monitoring", None)
        if monitoring is not None:
            if monitoring.get_tool(TOOL) is not None:
                return False
            monitoring.use_tool_id(TOOL, "copair")
            monitoring.register_callback(TOOL, monitoring.events.PY_START, self._started)
            monitoring.set_events(TOOL, monitoring.events.PY_START)
        elif not at_any_price or sys.version_info < (3, 8) or sys.getprofile() or sys.gettrace():
            return False
        else:
            self._profiles = True
            threading.setprofile(self._called)
            sys.setprofile(self._called)
        sys.addaudithook(self._audit)
        return True

    def _again(self):
        """Have what was entered before be told again."""
        if hasattr(sys, "monitoring"):
            sys.monitoring.restart_events()

    def _started(self, code, offset):
        self._enter(code)
        return sys.monitoring.DISABLE

    def _called(self, frame, event, arg):
        if event == "call" and id(frame.f_code) not in self.entered:
            self._enter(frame.f_code)

    def _audit(self, event, arguments):
        if event in STARTS:
            self.entered[ANYTHING] = None

    def _path(self, code):
        """The file of `code` below the root, with slashes; empty for any other."""
        name = code.co_filename
        path = self._paths.get(name)
        if path is None:
            real = os.path.abspath(name)
            path = real[len(self._root) :].replace(os.sep, "/") if real.startswith(self._root) else ""
            self._paths[name] = path = "" if name.startswith("<") or "site-packages/" in path else path
        return path

    def _enter(self, code):
        if not self._path(code):
            if code.co_name == SPAWN:
                self.entered[ANYTHING] = None
            return
        if not code.co_flags & OPTIMIZED:
            self._imports = self._imports or (self._in_test and code.co_name == "<module>")
        elif self._imports and self._is_importing():
            self._at_import[id(code)] = code
        else:
            self.entered[id(code)] = code

    def _is_importing(self):
        frame = sys._getframe(2)
        while frame is not None:
            if frame.f_code.co_name == "<module>" and self._path(frame.f_code):
                return True
            frame = frame.f_back
        return False

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item, nextitem):
        self.entered, self._in_test, self._imports = {}, True, False
        self._again()
        yield
        self.entered, self._in_test, self._imports = self._at_import, False, False

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_fixture_setup(self, fixturedef, request):
        if fixturedef.scope == "function":
            yield
            return
        outer, self.entered = self.entered, {}
        self._again()
        yield
        self._wide.setdefault(id(fixturedef), (fixturedef, {}))[1].update(self.entered)
        outer.update(self.entered)
        self.entered = outer

    def of(self, item):
        """What `item` entered, itself and by the fixtures that it uses; plain values, they may travel."""
        found = dict(self.entered)
        fixtures = getattr(getattr(item, "_request", None), "_fixture_defs", None)
        if fixtures is None or (self._profiles and sys.getprofile() != self._called):
            found[ANYTHING] = None
        if self._profiles:
            sys.setprofile(self._called)  # a test that follows calls itself ends our following
        for used in list((fixtures or {}).values()):
            found.update(self._wide.get(id(used), (used, {}))[1])
        if len(found) > MAX_FUNCTIONS:
            found = {ANYTHING: None}
        told = {"in": self._lines(found), "import": self._lines(self._at_import), "any": ANYTHING in found}
        self._at_import.clear()
        return told

    def _lines(self, found):
        lines = {}
        for code in found.values():
            if code is not None:
                lines.setdefault(self._path(code), set()).add(code.co_firstlineno)
        return {path: sorted(numbers) for path, numbers in lines.items()}
