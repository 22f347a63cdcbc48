from __future__ import annotations

import sys
from pathlib import Path

# `scene` is shared by the tests of this folder; they are no package.
sys.path.insert(0, str(Path(__file__).parent))
