"""`python -m tests.lab fetch`: get all the real parts into the cache."""

import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.lab.asterisk_tree import ensure_asterisk
from tests.lab.axe import ensure_axe
from tests.lab.cache import Say, default_cache
from tests.lab.chromium import ensure_chromium
from tests.lab.errors import LabError
from tests.lab.postgres import ensure_postgres
from tests.lab.redis import ensure_redis
from tests.lab.sipp import ensure_sipp


def _say(line: str) -> None:
    """Print a progress line at once."""
    print(line, flush=True)


def fetch(cache: Path, say: Say = _say) -> int:
    """Get every part and tell how it went; return 1 when Asterisk is missing, else 0."""
    parts: dict[str, Callable[[], object]] = {
        "Asterisk": lambda: f"{ensure_asterisk(cache, say).version}",
        "PostgreSQL": lambda: f"{ensure_postgres(cache, say).version}",
        "Redis": lambda: ensure_redis(cache, say).version,
        "Chromium": lambda: f"{ensure_chromium(cache, say).version}",
        "axe-core": lambda: f"{len(ensure_axe(cache, say))} characters",
        "sipp": lambda: f"{ensure_sipp(cache, say).program}",
    }
    missing = []
    for name, get in parts.items():
        began = time.monotonic()
        try:
            what = get()
        except LabError as error:
            missing.append(name)
            say(f"{name}: could not get it: {error}")
        else:
            say(f"{name}: {what} ({time.monotonic() - began:.1f} s)")
    return 1 if "Asterisk" in missing else 0


def main(arguments: list[str]) -> int:
    """Run the command line; return its exit code."""
    if arguments != ["fetch"]:
        print("usage: python -m tests.lab fetch", file=sys.stderr)
        return 2
    try:
        return fetch(default_cache())
    except LabError as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
