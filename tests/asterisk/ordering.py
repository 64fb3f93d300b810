"""Ordering calls from the lab's PBX, as a worker does."""

from __future__ import annotations

import time

from telephony.ami import actions, names
from telephony.ami.client import AmiAddress
from telephony.ami.oneshot import session
from telephony.domain.orders import Order, Placing, channel_ids
from tests.asterisk.office import DID, SECRET, STRANGER, Office


def placing(attempt: int, operator: str | None = "101", **other: object) -> Placing:
    now = int(time.time())
    values: dict[str, object] = {
        "desk": operator or "",
        "line": STRANGER[1:],
        "shown": DID,
        "operator_seconds": 3,
        "client_seconds": 4,
        "longest_minutes": 5,
        "name": "Ромашка, ООО & Ко",
    } | other
    return Placing(
        Order(operator, STRANGER, DID),
        channel_ids(attempt, now),
        now + 20,
        now + 80,
        **values,  # type: ignore[arg-type]
    )


def place_call(place: Office, wanted: Placing) -> dict[str, str]:
    user, secret = names.dialler_of("dutyline", SECRET)
    with session(AmiAddress("127.0.0.1", place.pbx.ami_port, user, secret)) as ami:
        return ami.ask(actions.originate(wanted))
