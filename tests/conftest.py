"""For all tests: logs as the product writes them, nothing left outside .build."""

from __future__ import annotations

from hypothesis import settings

from telephony.logs import set_up_logs

# Failing examples are printed; a database of them would lie beside the code.
settings.register_profile("project", database=None, print_blob=True)
settings.load_profile("project")
set_up_logs("info", "text")
