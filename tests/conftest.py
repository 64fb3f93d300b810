"""For all tests: logs as the product writes them, nothing left outside .build."""

from __future__ import annotations

from pathlib import Path

from hypothesis import settings
from hypothesis.configuration import set_hypothesis_home_dir

from telephony.logs import set_up_logs

set_hypothesis_home_dir(Path(__file__).parents[1] / ".build" / "hypothesis")
# Failing examples are printed; a database of them would lie beside the code.
settings.register_profile("project", database=None, print_blob=True)
settings.load_profile("project")
set_up_logs("info", "text")
