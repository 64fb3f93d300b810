"""Who is a member of the PBX's queues, and who makes a pause there."""

from __future__ import annotations

import re
from collections.abc import Mapping

# (queue, the member's device) → whether it is paused.
Members = Mapping[tuple[str, str], bool]

_NAMED = re.compile(r"(?:hint:|Local/)([0-9]{2,10})@.+", re.ASCII)


def extension_of_member(device: str, desks: Mapping[str, str]) -> str | None:
    """Return the operator's extension of a member's device, None when it is nobody's.

    `desks` maps operators' endpoints to extensions.
    """
    named = _NAMED.fullmatch(device)
    if named is None:
        return desks.get(device.partition("/")[2])
    return named[1] if named[1] in desks.values() else None


def is_paused(members: Members, extension: str, desks: Mapping[str, str]) -> bool:
    """Tell whether an operator is a member of queues and paused in each of them."""
    mine = [
        paused
        for (_, device), paused in members.items()
        if extension_of_member(device, desks) == extension
    ]
    return bool(mine) and all(mine)
