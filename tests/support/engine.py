"""A real llama.cpp server with a small model, in a process of its own: one thread, on a free loopback port.

`.ci/engine` prepares the folder that COPAIR_ENGINE names. The model is weak: never assert on its words.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

SERVE = """
import sys
import xllamacpp
params = xllamacpp.CommonParams()
params.model.path = sys.argv[1]
params.n_ctx = 4096
params.n_parallel = 1
params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
params.hostnames = ["127.0.0.1"]
params.port = 0
params.use_jinja = True
params.warmup = False
params.verbosity = 0
server = xllamacpp.Server(params)
sys.stderr.write(f"LISTENING {server.listening_address}\\n")
sys.stderr.flush()
sys.stdin.read()
"""


@contextlib.contextmanager
def running_engine() -> Iterator[str]:
    """The address of a running engine: `http://127.0.0.1:PORT`."""
    folder = Path(os.environ["COPAIR_ENGINE"])
    weights = next(folder.glob("*.gguf"))
    env = {**os.environ, "PYTHONPATH": str(folder / "site")}
    with subprocess.Popen(
        [sys.executable, "-c", SERVE, str(weights)], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE, env=env, text=True,
    ) as process:  # fmt: skip
        assert process.stderr is not None
        try:
            yield next(line.split()[1] for line in process.stderr if line.startswith("LISTENING"))
        finally:
            process.kill()
