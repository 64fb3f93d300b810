"""Clients and their phone numbers. A number belongs to one client."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    Row,
    Table,
    Text,
    func,
    or_,
    select,
)
from sqlalchemy.orm import Session

from telephony.domain.directory import Assignment, Client, Stage, assign
from telephony.store.tables import metadata

# Ids are never given again (AUTOINCREMENT): a listener may still hold numbers of a client gone.
client = Table(
    "client",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("manager", Text, ForeignKey("operator.extension")),
    Column("deputy", Text, ForeignKey("operator.extension")),
    Column("vip", Boolean, nullable=False),
    Column("notes", Text, nullable=False),
    Column("stage", Text, nullable=False, server_default=Stage.CUSTOMER.value),
    Column("sales_manager", Text, ForeignKey("operator.extension")),
    Column("zone", Text),
    Index(None, "manager"),
    Index(None, "sales_manager"),
    Index(None, "name", "id"),
    sqlite_autoincrement=True,
)

client_phone = Table(
    "client_phone",
    metadata,
    Column("number", Text, primary_key=True),
    Column("client_id", ForeignKey("client.id", ondelete="CASCADE"), nullable=False),
    Index(None, "client_id"),
)

_ROWS = 2000
_IDS = 5000


@dataclass(frozen=True, slots=True)
class ClientData:
    """All that is kept of a client: numbers in E.164, managers and deputy as extensions.

    `zone` is the IANA name of the client's time zone, None where the number tells.
    """

    name: str
    phones: tuple[str, ...]
    manager: str | None = None
    deputy: str | None = None
    vip: bool = False
    notes: str = ""
    stage: Stage = Stage.CUSTOMER
    sales_manager: str | None = None
    zone: str | None = None

    @property
    def assignment(self) -> Assignment:
        """Who looks after the client at this stage."""
        return assign(self.stage, self.manager, self.sales_manager, self.deputy, self.vip)


def load_clients(session: Session) -> Iterator[tuple[str, Client]]:
    """Yield (number, client) of every number, streaming; a client's numbers share one object."""
    query = (
        select(
            client_phone.c.number,
            client.c.id,
            client.c.name,
            client.c.stage,
            client.c.manager,
            client.c.sales_manager,
            client.c.deputy,
            client.c.vip,
        )
        .join_from(client_phone, client)
        .order_by(client_phone.c.client_id)
        .execution_options(yield_per=_ROWS)
    )
    # Few assignments serve many clients: shared here, they need not be replaced in the directory.
    shared: dict[tuple[str | None, ...], Assignment] = {}
    current = Client(0, "", Assignment())
    for number, client_id, name, *assigned in session.execute(query):
        if client_id != current.id:
            key = tuple(assigned)
            assignment = shared.get(key)
            if assignment is None:
                stage, *people = assigned
                assignment = shared[key] = assign(Stage(stage), *people)
            current = Client(client_id, name, assignment)
        yield number, current


def find_owners(session: Session, numbers: Collection[str]) -> dict[str, int]:
    """Return the client's id of every number (E.164) that belongs to one."""
    wanted = list(numbers)
    owners: dict[str, int] = {}
    for start in range(0, len(wanted), _IDS):
        part = wanted[start : start + _IDS]
        query = select(client_phone.c.number, client_phone.c.client_id)
        for number, client_id in session.execute(query.where(client_phone.c.number.in_(part))):
            owners[number] = client_id
    return owners


def zones_of(session: Session, numbers: Collection[str]) -> dict[str, str]:
    """Return number (E.164) → the time zone recorded of the client who has it, where there is one.

    At most as many numbers as a statement takes parameters.
    """
    query = select(client_phone.c.number, client.c.zone).join_from(client_phone, client)
    mine = client_phone.c.number.in_(list(numbers))
    rows = session.execute(query.where(mine, client.c.zone.is_not(None)))
    return {row.number: row.zone for row in rows}


def get_clients(session: Session, ids: Collection[int]) -> dict[int, ClientData]:
    """Return the clients of these ids, as far as they exist; their phones in sorted order."""
    wanted = list(ids)
    found: dict[int, ClientData] = {}
    for start in range(0, len(wanted), _IDS):
        part = wanted[start : start + _IDS]
        phones: dict[int, list[str]] = {}
        query = select(client_phone.c.client_id, client_phone.c.number)
        for client_id, number in session.execute(
            query.where(client_phone.c.client_id.in_(part)).order_by(client_phone.c.number)
        ):
            phones.setdefault(client_id, []).append(number)
        for row in session.execute(select(client).where(client.c.id.in_(part))):
            found[row.id] = client_data(row, phones.get(row.id, ()))
    return found


def client_data(row: Row[Any], phones: Collection[str]) -> ClientData:
    """Return what a row of the table says of a client who has these numbers."""
    return ClientData(
        name=row.name,
        phones=tuple(phones),
        manager=row.manager,
        deputy=row.deputy,
        vip=row.vip,
        notes=row.notes,
        stage=Stage(row.stage),
        sales_manager=row.sales_manager,
        zone=row.zone,
    )


def count_clients(session: Session) -> int:
    """Return how many clients there are."""
    return int(session.execute(select(func.count()).select_from(client)).scalar_one())


def count_beginning(session: Session, beginning: str) -> int:
    """Return how many clients have a number that begins so (E.164, or a part of it)."""
    query = select(func.count(client_phone.c.client_id.distinct()))
    return session.execute(
        query.where(client_phone.c.number.startswith(beginning, autoescape=True))
    ).scalar_one()


def count_assigned(session: Session, extensions: Sequence[str]) -> dict[str, int]:
    """Return how many clients have each of these operators as a manager or deputy (0 left out)."""
    found: dict[str, int] = {}
    for extension in extensions:
        posts = (client.c.manager, client.c.sales_manager, client.c.deputy)
        theirs = or_(*(post == extension for post in posts))
        query = select(func.count()).select_from(client).where(theirs)
        number = session.execute(query).scalar_one()
        if number:
            found[extension] = number
    return found
