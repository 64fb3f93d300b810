"""Free ports for servers of the lab."""

import random
import socket
from pathlib import Path

from tests.lab.errors import LabError

_FIRST = 12000
_TRIES = 200


def _last() -> int:
    """Return the highest port used: below the kernel's ephemeral range.

    A port inside that range could be taken as the source port of somebody's connection while a
    server that owned it is being restarted.
    """
    try:
        text = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text(encoding="ascii")
        low = int(text.split()[0])
    except (OSError, ValueError, IndexError):
        low = 32768
    return low - 1 if low > _FIRST + 2000 else 65000


def free_port(host: str = "127.0.0.1", kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """Return a port on which nobody listens at `host` now; raises LabError when none is found."""
    last = _last()
    for _ in range(_TRIES):
        port = random.randint(_FIRST, last)
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return port
    raise LabError(f"no free port on {host} between {_FIRST} and {last}: stop some servers")
