"""Clients by number: loaded, then changed in place."""

from __future__ import annotations

import pytest

from telephony.domain.directory import (
    Assignment,
    Client,
    ClientChange,
    Directory,
    Stage,
    assign,
)


def test_found_by_any_number_and_changed_in_place() -> None:
    directory = Directory()
    romashka = Client(1, "Romashka", Assignment("101"))
    directory.load([("+79001112233", romashka), ("+79001112234", romashka)])
    assert directory.find("+79001112234") == romashka
    assert len(directory) == 2
    renamed = Client(1, "Romashka & Co", Assignment("102"))
    directory.apply(ClientChange(renamed, ("+79001112233",), removed=("+79001112234",)))
    assert directory.find("+79001112233") == renamed
    assert directory.find("+79001112234") is None


def test_a_number_that_moved_stays_with_its_new_owner() -> None:
    directory = Directory()
    directory.load([("+79001112233", Client(1, "Old", Assignment()))])
    directory.apply(ClientChange(Client(2, "New", Assignment("101")), ("+79001112233",)))
    directory.apply(ClientChange(Client(1, "Old", Assignment()), (), removed=("+79001112233",)))
    found = directory.find("+79001112233")
    assert found is not None
    assert found.name == "New"


def test_assignments_are_shared() -> None:
    directory = Directory()
    directory.load((f"+7900{n:07}", Client(n, "x", Assignment("101"))) for n in range(100))
    kept = {id(client.assignment) for n in range(100) if (client := directory.find(f"+7900{n:07}"))}
    assert len(kept) == 1


LEAD, CUSTOMER = Stage.LEAD, Stage.CUSTOMER


@pytest.mark.parametrize(
    ("stage", "manager", "sales_manager", "wanted", "sales"),
    [
        (CUSTOMER, "101", "102", "101", False),
        (CUSTOMER, "101", None, "101", False),
        (CUSTOMER, None, "102", "102", True),
        (CUSTOMER, None, None, None, False),
        (LEAD, "101", "102", "102", True),
        (LEAD, None, "102", "102", True),
        (LEAD, "101", None, "101", False),
        (LEAD, None, None, None, False),
    ],
)
def test_the_stage_chooses_the_manager(
    stage: Stage, manager: str | None, sales_manager: str | None, wanted: str | None, sales: bool
) -> None:
    found = assign(stage, manager, sales_manager, "103", True)
    assert found == Assignment(wanted, "103", True, stage, sales)


def test_what_is_no_number_is_nobodys() -> None:
    assert Directory().find("anonymous") is None
    assert Directory().find("") is None
