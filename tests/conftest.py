"""For all tests: nothing is left outside .build."""

from __future__ import annotations

from hypothesis import settings

# Failing examples are printed; a database of them would lie beside the code.
settings.register_profile("project", database=None, print_blob=True)
settings.load_profile("project")
