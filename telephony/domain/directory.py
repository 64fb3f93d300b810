"""Clients by phone number, in memory: loaded once, then changed in place.

A million numbers fit in 300 MB: numbers are integers, clients are bare tuples that share their
assignment, notes stay in the database. Sixty-four shards bound the pause when a dictionary grows.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

_SHARDS = 64


class Assignment(NamedTuple):
    """Who looks after a client (extensions, or None). One object serves all alike clients."""

    manager: str | None = None
    deputy: str | None = None
    vip: bool = False


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
        self._shards: tuple[dict[int, Client], ...] = tuple({} for _ in range(_SHARDS))
        self._assignments: dict[Assignment, Assignment] = {}

    def __len__(self) -> int:
        """Count the numbers known."""
        return sum(len(shard) for shard in self._shards)

    def find(self, number: str) -> Client | None:
        """Return the client who has this E.164 number."""
        key = _key(number)
        return self._shards[key % _SHARDS].get(key)

    def load(self, rows: Iterable[tuple[str, Client]]) -> None:
        """Add (number, client) pairs; rows of one client should pass the same object."""
        shared = self._assignments.setdefault
        shards = self._shards
        for number, client in rows:
            kept = shared(client.assignment, client.assignment)
            if kept is not client.assignment:
                client = client._replace(assignment=kept)  # noqa: PLW2901
            key = _key(number)
            shards[key % _SHARDS][key] = client

    def apply(self, change: ClientChange) -> None:
        """Put one changed client in place."""
        client = change.client
        for number in change.removed:
            key = _key(number)
            shard = self._shards[key % _SHARDS]
            # The number may have gone to another client in the same change.
            if key in shard and shard[key].id == client.id:
                del shard[key]
        self.load((number, client) for number in change.numbers)


def _key(number: str) -> int:
    text = number.removeprefix("+")
    return int(text) if text.isascii() and text.isdigit() else -1
