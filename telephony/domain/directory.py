"""Clients by phone number, in memory: loaded once, then changed in place.

A million clients fit in 200 MB: numbers are integers, a client is one bytes object (its id, the
place of its assignment in a list, its name), notes stay in the database. The garbage collector
does not look into such dictionaries. Sixty-four shards bound the pause when one of them grows.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

_SHARDS = 64
_HEAD = struct.Struct("<qI")  # a client's id, the place of its assignment


class Stage(StrEnum):
    """How far the business with a client has come; it chooses whose client they are."""

    LEAD = "lead"
    CUSTOMER = "customer"


class Assignment(NamedTuple):
    """Who looks after a client (extensions, or None).

    `manager` is the one of the client's two managers whom the stage chooses (see `assign`); `sales`
    says that it is the sales manager. Equal ones are kept once, however many clients share them.
    """

    manager: str | None = None
    deputy: str | None = None
    vip: bool = False
    stage: Stage = Stage.CUSTOMER
    sales: bool = False


def assign(
    stage: Stage,
    manager: str | None,
    sales_manager: str | None,
    deputy: str | None = None,
    vip: bool = False,
) -> Assignment:
    """Return who looks after a client at this stage.

    A lead is the sales manager's, a customer the account manager's (`manager`); the other one
    where there is none.
    """
    sales = sales_manager is not None and (stage is Stage.LEAD or manager is None)
    return Assignment(sales_manager if sales else manager, deputy, vip, stage, sales)


class Client(NamedTuple):
    """A client as routing needs it; `id` is the database's key."""

    id: int
    name: str
    assignment: Assignment


@dataclass(frozen=True, slots=True)
class ClientChange:
    """A client as it is now with its numbers (E.164), and the numbers it has no more."""

    client: Client
    numbers: tuple[str, ...]
    removed: tuple[str, ...] = ()


class Directory:
    """E.164 number → client. Only one thread (the event loop's) reads and changes it."""

    def __init__(self) -> None:
        self._shards: tuple[dict[int, bytes], ...] = tuple({} for _ in range(_SHARDS))
        self._assignments: list[Assignment] = []
        self._places: dict[Assignment, int] = {}

    def __len__(self) -> int:
        """Count the numbers known."""
        return sum(len(shard) for shard in self._shards)

    def find(self, number: str) -> Client | None:
        """Return the client who has this E.164 number."""
        key = _key(number)
        packed = self._shards[key % _SHARDS].get(key)
        if packed is None:
            return None
        client_id, place = _HEAD.unpack_from(packed)
        name = packed[_HEAD.size :].decode("utf-8", "surrogatepass")
        return Client(client_id, name, self._assignments[place])

    def load(self, rows: Iterable[tuple[str, Client]]) -> None:
        """Add (number, client) pairs; rows of one client in a row should pass the same object."""
        shards = self._shards
        last: Client | None = None
        packed = b""
        for number, client in rows:
            if client is not last:
                packed = self._packed(client)
                last = client
            key = _key(number)
            shards[key % _SHARDS][key] = packed

    def apply(self, change: ClientChange) -> None:
        """Put one changed client in place."""
        client = change.client
        for number in change.removed:
            key = _key(number)
            shard = self._shards[key % _SHARDS]
            # The number may have gone to another client in the same change.
            if key in shard and _HEAD.unpack_from(shard[key])[0] == client.id:
                del shard[key]
        self.load((number, client) for number in change.numbers)

    def _packed(self, client: Client) -> bytes:
        place = self._places.get(client.assignment)
        if place is None:
            place = self._places[client.assignment] = len(self._assignments)
            self._assignments.append(client.assignment)
        return _HEAD.pack(client.id, place) + client.name.encode("utf-8", "surrogatepass")


def _key(number: str) -> int:
    text = number.removeprefix("+")
    return int(text) if text.isascii() and text.isdigit() else -1
