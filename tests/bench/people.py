"""A synthetic company: clients with Russian names and numbers, managers, groups, duty rosters."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import time

from telephony.domain.did import Did
from telephony.domain.directory import Assignment, Client
from telephony.domain.duty import Roster, Shift
from telephony.domain.setup import Group, Operator, Setup

DID = "74951234567"
_ALWAYS = frozenset(range(1, 8))
_GROUP_SIZE = 10
_SURNAMES = ("Иванов", "Смирнов", "Кузнецов", "Попов", "Соколов", "Лебедев", "Новиков", "Морозов")
_NAMES = ("Анна Сергеевна", "Пётр Алексеевич", "Мария Ильинична", "Олег", "Вера Павловна")
_FIRMS = ("Ромашка", "СтройТорг", "Северный ветер", "Вектор-Плюс", "Уют", "Агропромсервис")


def extension(manager: int) -> str:
    """Return a manager's extension."""
    return str(1000 + manager)


def endpoint(manager: int) -> str:
    """Return the name of a manager's phone in Asterisk."""
    return f"op{manager:03d}"


def setup(managers: int) -> Setup:
    """Return managers who are always on shift, in groups of ten; the DID rings the first group."""
    operators = {
        extension(index): Operator(
            extension(index), f"{_SURNAMES[index % 8]} {index}", endpoint(index)
        )
        for index in range(managers)
    }
    groups = {}
    for start in range(0, managers, _GROUP_SIZE):
        shifts = tuple(
            Shift(extension(index), _ALWAYS, time(0, 0), time(0, 0))
            for index in range(start, min(start + _GROUP_SIZE, managers))
        )
        name = f"group-{start // _GROUP_SIZE}"
        groups[name] = Group(name, Roster("Europe/Moscow", shifts))
    return Setup(operators, groups, {DID: Did(DID, "group-0", "Продажи")}, "group-0")


def client_name(index: int) -> str:
    """Return a name as they are: half of them people, half of them companies."""
    if index % 2:
        return f"{_SURNAMES[index % 8]} {_NAMES[index % 5]} {index}"
    return f"ООО «{_FIRMS[index % 6]}» {index}"


def numbers(index: int) -> tuple[str, ...]:
    """Return a client's numbers (E.164): every fifth client has two, so 1.2 on average."""
    first = f"+79{index:09d}"
    return (first, f"+7495{index:07d}") if index % 5 == 0 else (first,)


def clients(count: int, managers: int) -> Iterator[tuple[str, Client]]:
    """Yield (number, client) as the store does: a client's numbers share one object."""
    for index in range(count):
        deputy = extension((index + 1) % managers) if index % 3 == 0 else None
        assigned = Assignment(extension(index % managers), deputy, index % 50 == 0)
        client = Client(index + 1, client_name(index), assigned)
        for number in numbers(index):
            yield number, client
