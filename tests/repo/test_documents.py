"""What the documents say is what the code has."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from datetime import time
from enum import StrEnum
from pathlib import Path
from typing import Any

import click
import pytest

from telephony.cli import main
from telephony.cli.doctor import MODULES
from telephony.configfile.nodes import DAYS
from telephony.domain.call import Phase
from telephony.domain.callback.cases import Attention, Ending
from telephony.domain.callback.cases import Source as Source_
from telephony.domain.callback.results import Ended, Why
from telephony.domain.callback.rules import LIMITS, PRESETS, TYPES, CallbackRules
from telephony.domain.callback.verdicts import Bar
from telephony.domain.record import Direction, Disposition, MomentKind, Outcome, Side, Source
from telephony.domain.routing import Kind, Reason, Rule
from telephony.importing import COLUMNS
from tests.repo.diagram import state_diagram, staying_table
from tests.repo.files import (
    ROOT,
    codes,
    documents,
    first_codes,
    project,
    python,
    read,
    section,
    table,
)
from tests.repo.settings_doc import settings_table

_CODE_BLOCK = re.compile(r"^( *)```.*?^\1```$", re.M | re.S)


def test_the_states_of_a_call() -> None:
    text = read("docs/architecture.md")
    assert state_diagram() in text, "python -m tests.repo.diagram prints the diagram"
    assert staying_table() in text, "python -m tests.repo.diagram prints the table"


def test_the_settings() -> None:
    text = read("docs/settings.md")
    assert settings_table() in text, "python -m tests.repo.settings_doc prints the table"


@pytest.mark.parametrize(("heading", "codes_of"), [("Rules", Rule), ("Reasons", Reason)])
def test_every_rule_and_reason_of_a_trace(heading: str, codes_of: type[Rule | Reason]) -> None:
    found = first_codes(section(read("docs/configuration.md"), heading))
    assert found == [item.value for item in codes_of]


def _usual(part: Any, before: str = "") -> Iterator[tuple[str, Any]]:
    """Return every setting with what it is as long as nobody set it."""
    for one in fields(part):
        value = getattr(part, one.name)
        if is_dataclass(value):
            yield from _usual(value, f"{one.name}.")
        else:
            yield f"{before}{one.name}", value


def _documented(value: Any) -> list[str]:
    """Return what stands in backticks for a value: times, choices and numbers as in the file."""
    if isinstance(value, tuple | frozenset | dict):
        return list(value)
    if isinstance(value, time):
        return [f"{value:%H:%M}"]
    return [str(value).lower()]


def test_every_rule_of_callbacks() -> None:
    text = section(read("docs/callbacks.md"), "Rules")
    rows = table(text)
    usual = dict(_usual(CallbackRules()))
    assert [codes(row[0])[0] for row in rows] == list(usual)
    for name, may_be, without, about in rows:
        key = codes(name)[0]
        assert codes(without) == _documented(usual[key]), key
        assert about
        if key in LIMITS:
            assert may_be == "{} to {}".format(*LIMITS[key]), key
        if isinstance(usual[key], StrEnum):
            assert codes(may_be) == [each.value for each in type(usual[key])], key
    assert codes(rows[-1][1]) == list(TYPES)
    assert set(PRESETS) <= set(codes(text))


def test_every_kind_of_step_and_day() -> None:
    text = set(codes(read("docs/configuration.md")))
    assert {kind.value for kind in Kind} <= text
    assert set(DAYS) <= text


@pytest.mark.parametrize(
    ("heading", "codes_of"),
    [
        ("Dispositions", Disposition),
        ("Outcomes of a leg", Outcome),
        ("Who hung up", Side),
        ("Directions", Direction),
        ("Sources of a record", Source),
        ("Moments of a call", MomentKind),
    ],
)
def test_the_words_of_a_record(heading: str, codes_of: type[StrEnum]) -> None:
    found = first_codes(section(read("docs/glossary.md"), heading))
    assert sorted(found) == sorted(item.value for item in codes_of)


def test_the_phases_in_which_a_caller_gives_up_exist() -> None:
    dispositions = section(read("docs/glossary.md"), "Dispositions")
    (phases,) = re.findall(r"`abandoned_in` is (.*?)\.", dispositions)
    assert set(codes(phases)) <= {phase.value for phase in Phase}


def test_the_columns_of_the_clients_file() -> None:
    assert first_codes(read("docs/clients-csv.md")) == list(COLUMNS)


def test_every_event_of_the_log() -> None:
    calls = re.compile(r"log\.(?:debug|info|warning|error|exception)\(\s*\"([a-z_.]+)\"")
    files = (*python("telephony"), *python("web"))
    logged = {name for path in files for name in calls.findall(path.read_text())}
    assert logged
    assert sorted(first_codes(section(read("docs/operations.md"), "Logs"))) == sorted(logged)


def test_every_module_that_doctor_looks_for() -> None:
    assert set(MODULES) <= set(codes(read("docs/dialplan.md")))


def test_every_direct_dependency() -> None:
    listed: dict[str, str] = {}
    text = read("docs/dependencies.md")
    for heading in ("At run time", "For development"):
        for row in table(section(text, heading)):
            name, version, *why = row
            assert all(why), row
            listed[codes(name)[0]] = codes(version)[0]
    declared = project()["project"]
    pins = [*declared["dependencies"], *declared["optional-dependencies"]["dev"]]
    assert listed == dict(pin.split("==") for pin in pins)


def _commands(group: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    if isinstance(group, click.Group):
        for name, command in group.commands.items():
            yield from _commands(command, f"{path} {name}")
    else:
        yield path, group


def test_every_command_and_option_is_described_and_none_that_does_not_exist() -> None:
    text = "\n".join(path.read_text() for path in documents() if path.name != "CHANGELOG.md")
    known = dict(_commands(main, "dutyline"))
    for command, found in known.items():
        assert command in text, command
        for parameter in found.params:
            if isinstance(parameter, click.Option):
                options = [*parameter.opts, *parameter.secondary_opts]
                assert any(option in text for option in options), (command, options)
    heads = {" ".join(command.split()[:2]) for command in known}
    for mention in re.findall(r"`(dutyline [a-z][a-z-]*)", text):
        assert mention in heads, mention


def test_make_targets_that_are_named_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", read("Makefile"), re.M))
    for path in documents():
        named = set(re.findall(r"`make ([a-z-]+)`|^ *make ([a-z-]+)", path.read_text(), re.M))
        for name in {one or other for one, other in named}:
            assert name in targets, f"{path.name}: make {name}"
    assert {"demo", "test"} <= {code.removeprefix("make ") for code in codes(read("README.md"))}
    listed = {code.removeprefix("make ") for code in codes(read("CONTRIBUTING.md"))}
    assert targets - {"help"} <= listed


def _anchors(path: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", _CODE_BLOCK.sub("", path.read_text()), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_relative_links_lead_somewhere() -> None:
    for path in documents():
        text = _CODE_BLOCK.sub("", path.read_text())
        for link in re.findall(r"\]\(([^)\s]+)\)", text):
            if re.match(r"[a-z]+:", link):
                continue
            name, _, anchor = link.partition("#")
            target = (path.parent / name).resolve() if name else path
            assert target.is_relative_to(ROOT), f"{path.name}: {link}"
            assert target.exists(), f"{path.name}: {link}"
            assert not anchor or anchor in _anchors(target), f"{path.name}: {link}"


@pytest.mark.parametrize(
    ("heading", "nth", "codes_of"),
    [
        ("Cases", 0, Source_),
        ("Cases", 1, Why),
        ("Cases", 2, Ending),
        ("Tries", 0, Bar),
        ("Tries", 1, Ended),
        ("Tries", 2, Attention),
    ],
)
def test_the_words_of_a_callback(heading: str, nth: int, codes_of: type[StrEnum]) -> None:
    text = section(read("docs/callbacks.md"), heading)
    tables = re.findall(r"(?:^\|.*\n)+", text, re.M)
    assert sorted(first_codes(tables[nth])) == sorted(item.value for item in codes_of)
