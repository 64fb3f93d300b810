"""Changes of the set-up as the panel tells them: the audit log, the words for what is wrong."""

from __future__ import annotations

import pytest

from telephony.configfile import Author, Data, Entry, change, find, put, read_data, write_config
from tests.databases.samples import a_setup
from tests.panel.people import START, Panel
from web.edits import entry_words, error_words

ANNA = Author("admin", 1, "192.0.2.7")


def add_night(data: Data) -> None:
    group = data["groups"][0]
    night = {"operator": "102", "days": "fri-sun", "start": "22:00", "end": "06:00"}
    group.setdefault("shifts", []).append(night)
    find(data, "operators", "101")["name"] = "Anya"


@pytest.mark.parametrize(
    ("language", "words"),
    [
        (
            "en",
            (
                "changed the set-up",
                "operator 101",
                "name: Анна → Anya",
                "weekly shifts: — → operator 102, days Fri–Sun, from 22:00, to 06:00",
            ),
        ),
        (
            "ru",
            (
                "изменение настроек",
                "оператор 101",
                "имя: Анна → Anya",
                "смены по неделям: — → оператор 102, дни пт–вс, с 22:00, по 06:00",
            ),
        ),
    ],
)
def test_the_audit_log_says_what_was_before_and_after(
    panel: Panel, language: str, words: tuple[str, ...]
) -> None:
    put(panel.engine, ANNA, write_config(a_setup()), now=START)
    change(panel.engine, ANNA, add_night, now=START)
    page = panel.signed_in("admin", language=language).get("/audit?action=setup.changed").text
    assert [each for each in words if each not in page] == []


def test_entries_of_every_kind_in_words(quick_panel: Panel) -> None:
    entries: list[tuple[Entry, str]] = [
        (
            {"turns": ["101", ["102", "103"]], "length": "7"},
            "turns 101 → 102 + 103, days per turn 7",
        ),
        ({"operators": [], "instead_of": "everybody"}, "operators nobody, instead of everybody"),
        ({"between": ["101", "102"]}, "between 101 + 102"),
        ({"kind": "sick", "new_key": "x"}, "kind sick leave, new_key x"),
        ({"days": "daily"}, "days daily"),
    ]
    with quick_panel.app.test_request_context(headers={"Accept-Language": "en"}):
        assert [entry_words(entry) for entry, _ in entries] == [words for _, words in entries]


def test_what_is_wrong_is_said_in_the_readers_language(quick_panel: Panel) -> None:
    data = {"operators": [{"extension": "1", "name": "A"}], "groups": [], "dids": []}
    _, (error,) = read_data(data)
    with quick_panel.app.test_request_context(headers={"Accept-Language": "ru"}):
        assert error_words(error) == "должен быть внутренний номер: от 2 до 10 цифр"
