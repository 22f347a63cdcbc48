"""Provider wires behind the one neutral model of `agent.core.dialog`."""

import sys

# httpx imports its own command line (click, rich, pygments), 40 ms before the first request. It does without when
# that cannot be imported, and offers this as an extra; None means just that. Nothing else here uses the name.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]
