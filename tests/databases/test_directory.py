"""Clients, the set-up, and the feed that keeps a listener's memory up with them."""

import gc
import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import time as clock

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError

from telephony.domain.directory import Assignment, Client, ClientChange, Directory, Stage
from telephony.domain.setup import Operator, Setup
from telephony.feed import Feed
from telephony.store.client_changes import delete_clients, save_clients
from telephony.store.clients import (
    ClientData,
    count_assigned,
    find_owners,
    get_clients,
    load_clients,
)
from telephony.store.directory import changes_since, current_version, iter_changes
from telephony.store.engine import reading, writing
from telephony.store.setup import AssignedError, load_setup, replace_setup
from tests.databases.samples import a_setup, wait_for

ANNA = ClientData("Anna", ("+79001110001", "+79001110002"), "101", None, True, "note")
BORIS = ClientData("Борис", ("+79001110003",), "102", "101")
VERA = ClientData("Vera", ("+79001110004",), "102", stage=Stage.LEAD, sales_manager="101")


@pytest.fixture(autouse=True)
def setup(engine: Engine) -> Setup:
    with writing(engine) as session:
        replace_setup(session, a_setup())
    return a_setup()


def save(engine: Engine, *new: ClientData, **changed: ClientData) -> list[int]:
    """Save clients in a transaction; `changed` are by "_<id>"."""
    with writing(engine) as session:
        by_id = {int(key[1:]): data for key, data in changed.items()}
        return list(save_clients(session, new, by_id).ids)


def test_clients_come_back(engine: Engine) -> None:
    first, second = save(engine, ANNA, BORIS)
    with reading(engine) as session:
        rows = dict(load_clients(session))
        assert rows == {
            "+79001110001": Client(first, "Anna", Assignment("101", None, True)),
            "+79001110002": Client(first, "Anna", Assignment("101", None, True)),
            "+79001110003": Client(second, "Борис", Assignment("102", "101", False)),
        }
        assert rows["+79001110001"] is rows["+79001110002"]
        assert get_clients(session, [first, second, 99]) == {first: ANNA, second: BORIS}
        assert find_owners(session, ["+79001110003", "+1"]) == {"+79001110003": second}


def test_a_lead_is_the_sales_managers(engine: Engine) -> None:
    (vera,) = save(engine, VERA)
    lead = Assignment("101", None, False, Stage.LEAD, sales=True)
    customer = Assignment("102")
    with reading(engine) as session:
        assert get_clients(session, [vera]) == {vera: VERA}
        assert dict(load_clients(session))["+79001110004"].assignment == lead
        version, (change,), _ = changes_since(session, 0)
        assert change.client.assignment == lead
    save(engine, **{f"_{vera}": replace(VERA, stage=Stage.CUSTOMER)})
    with reading(engine) as session:
        _, (change,), _ = changes_since(session, version)
        assert change.client.assignment == customer
        assert count_assigned(session, ["101", "102", "103"]) == {"101": 1, "102": 1}


def test_changes_tell_what_a_client_is_now_and_has_no_more(engine: Engine) -> None:
    first, second = save(engine, ANNA, BORIS)
    with reading(engine) as session:
        start, changes, _ = changes_since(session, 0)
    assert [change.client.name for change in changes] == ["Anna", "Борис"]
    # Her second number goes to him, in one transaction; then she gets a third.
    save(
        engine,
        **{
            f"_{first}": replace(ANNA, phones=("+79001110001",)),
            f"_{second}": replace(BORIS, phones=("+79001110002", "+79001110003")),
        },
    )
    save(engine, **{f"_{first}": replace(ANNA, phones=("+79001110001", "+79001110009"))})
    with reading(engine) as session:
        version, changes, setup_changed = changes_since(session, start)
    assert (version, setup_changed) == (start + 2, False)
    assert [(c.client.id, sorted(c.numbers), c.removed) for c in changes] == [
        (second, ["+79001110002", "+79001110003"], ()),
        (first, ["+79001110001", "+79001110009"], ("+79001110002",)),
    ]


def test_a_number_that_goes_and_comes_back_is_not_removed(engine: Engine) -> None:
    (first,) = save(engine, ANNA)
    save(engine, **{f"_{first}": replace(ANNA, phones=ANNA.phones[:1])})
    save(engine, **{f"_{first}": ANNA})
    with reading(engine) as session:
        _, (change,), _ = changes_since(session, 0)
    assert (sorted(change.numbers), change.removed) == (list(ANNA.phones), ())


def test_a_client_that_is_gone_leaves_its_numbers(engine: Engine) -> None:
    directory = Directory()
    (first,) = save(engine, ANNA)

    def apply(changes: Sequence[ClientChange], _: Setup | None) -> None:
        for change in changes:
            directory.apply(change)

    feed = Feed(engine, directory, apply)
    feed.load()
    with writing(engine) as session:
        delete_clients(session, [first])
    (second,) = save(engine, BORIS)
    assert second != first
    feed.poll()
    assert directory.find("+79001110001") is None
    assert directory.find("+79001110003") == Client(second, "Борис", Assignment("102", "101"))
    assert len(directory) == 1


def test_a_number_of_somebody_else_is_refused_and_nothing_written(engine: Engine) -> None:
    save(engine, ANNA)
    with reading(engine) as session:
        before = current_version(session)
    with pytest.raises(IntegrityError):
        save(engine, BORIS, replace(BORIS, phones=("+79001110001",)))
    with reading(engine) as session:
        assert current_version(session) == before
        assert len(list(load_clients(session))) == 2


def test_a_set_up_comes_back(engine: Engine, setup: Setup) -> None:
    with reading(engine) as session:
        assert load_setup(session) == setup
        version, changes, changed = changes_since(session, 0)
        assert (version, changes, changed) == (1, [], True)
        assert changes_since(session, 1) == (1, [], False)


def test_a_set_up_is_replaced_as_a_whole(engine: Engine, setup: Setup) -> None:
    sales = setup.groups["sales"]
    shifts = tuple(
        replace(shift, start=clock(7), lunch=None) for shift in sales.roster.shifts[::-1]
    )
    after = Setup(
        operators={
            # The endpoints are swapped and the deputies turned round.
            "101": Operator("101", "Anna", "boris"),
            "102": Operator("102", "Boris", "101", None, "103"),
            "103": Operator("103", "Vera", "vera"),
        },
        groups={"sales": replace(sales, roster=replace(sales.roster, shifts=shifts))},
        dids={},
        default_group=None,
    )
    for wanted in (after, setup, Setup()):
        with writing(engine) as session:
            replace_setup(session, wanted)
        with reading(engine) as session:
            assert load_setup(session) == wanted


def test_an_operator_with_clients_stays(engine: Engine, setup: Setup) -> None:
    save(engine, ANNA, BORIS)
    without = Setup(operators={"102": replace(setup.operators["102"], deputy=None)})
    with (
        pytest.raises(AssignedError, match=r"101 \(2\)") as caught,
        writing(engine) as session,
    ):
        replace_setup(session, without)
    assert caught.value.counts == {"101": 2}
    with reading(engine) as session:
        assert load_setup(session) == setup
        assert current_version(session).setup_version == 1


def test_changes_come_in_portions(engine: Engine) -> None:
    save(engine, *(ClientData(f"c{n}", (f"+7900{n:07d}",)) for n in range(450)))
    with reading(engine) as session:
        chunks = list(iter_changes(session, 0))
    assert [len(chunk) for chunk in chunks] == [200, 200, 50]
    assert len({change.client.id for chunk in chunks for change in chunk}) == 450


def test_the_feed_sees_every_change_of_four_writers_in_order(engine: Engine) -> None:
    directory = Directory()
    seen: list[str] = []

    def apply(changes: Sequence[ClientChange], setup: Setup | None) -> None:
        assert len(changes) <= 200
        for change in changes:
            directory.apply(change)
            seen.append(change.client.name)

    def write(writer: int) -> None:
        for turn in range(40):
            number = f"+7900{writer:03d}{turn:04d}"
            (client_id,) = save(engine, ClientData(f"{writer}-{turn}", (number,)))
            if turn % 5 == 0:
                kept.append((client_id, number))

    kept: list[tuple[int, str]] = []
    feed = Feed(engine, directory, apply, every=0.001)
    feed.load()
    feed.start()
    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    wait_for("all seen", lambda: len(seen) >= 160)
    feed.stop()
    assert sorted(set(seen)) == sorted(f"{w}-{t}" for w in range(4) for t in range(40))
    assert len(seen) == 160
    for writer in range(4):
        own = [name for name in seen if name.startswith(f"{writer}-")]
        assert own == [f"{writer}-{turn}" for turn in range(40)]
    fresh = Directory()
    with reading(engine) as session:
        fresh.load(load_clients(session))
    assert len(directory) == len(fresh) == 160
    assert all(directory.find(number) == fresh.find(number) for _, number in kept)


def test_the_feed_hands_the_set_up_over_before_the_clients(engine: Engine, setup: Setup) -> None:
    got: list[object] = []

    def apply(changes: Sequence[ClientChange], now: Setup | None) -> None:
        got.append(now if now is not None else [change.client.name for change in changes])

    feed = Feed(engine, Directory(), apply)
    directory, loaded = feed.load()
    assert (len(directory), loaded) == (0, setup)
    feed.poll()
    assert got == []
    save(engine, ANNA)
    with writing(engine) as session:
        replace_setup(session, setup)
    feed.poll()
    feed.poll()
    assert got == [setup, ["Anna"]]


def test_a_failing_apply_is_repeated(engine: Engine) -> None:
    fails = iter([True, False])
    got: list[str] = []

    def apply(changes: Sequence[ClientChange], _: Setup | None) -> None:
        if next(fails, False):
            raise RuntimeError("once")
        got.extend(change.client.name for change in changes)

    feed = Feed(engine, Directory(), apply, every=0.005)
    feed.load()
    feed.start()
    save(engine, ANNA)
    wait_for("repeated", lambda: got == ["Anna"])
    feed.stop()


def test_a_changed_set_up_is_frozen_with_the_directory(
    engine: Engine, setup: Setup, monkeypatch: pytest.MonkeyPatch
) -> None:
    got: list[Setup | None] = []
    feed = Feed(engine, Directory(), lambda _, now: got.append(now))
    feed.load()
    monkeypatch.setattr(gc, "get_freeze_count", lambda: pytest.fail("counts a million objects"))
    try:
        feed.freeze()
        with writing(engine) as session:
            replace_setup(session, setup)
        feed.poll()
        assert gc.isenabled()
        assert [one for one in got if one is not None] == [setup]
        assert not any(one is got[0] for one in gc.get_objects())
    finally:
        gc.unfreeze()
