"""For all tests: logs as the product writes them, nothing left outside .build."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import settings
from hypothesis.configuration import set_hypothesis_home_dir

from telephony.logs import set_up_logs

set_hypothesis_home_dir(Path(__file__).parents[1] / ".build" / "hypothesis")
# Failing examples are printed; a database of them would lie beside the code.
settings.register_profile("project", database=None, print_blob=True)
settings.load_profile("project")
set_up_logs("info", "text")
_LOGS = structlog.get_config()


@pytest.fixture(autouse=True)
def logs() -> Iterator[None]:
    """Write logs as before again: a command sets them up for itself, in this process."""
    yield
    structlog.configure(**_LOGS)  # the very same: loggers that were used keep what they began with
