"""What the documents say of the panel is what the code has."""

from __future__ import annotations

import re

from telephony.accounts import Role, Scope
from telephony.accounts.passwords import LONGEST, SHORTEST
from telephony.accounts.signin import ABSOLUTE, ADDRESS_TRIES, IDLE, TRIES, WINDOW
from tests.browser.guide import PAGES, PICTURES
from tests.repo.files import ROOT, codes, first_codes, read, section
from web.health.figures import FIGURES
from web.health.state import PARTS

PANEL = read("docs/panel.md")
OPERATIONS = read("docs/operations.md")


def test_roles_and_scopes() -> None:
    assert first_codes(section(PANEL, "Roles")) == [role.value for role in Role]
    assert first_codes(section(PANEL, "API tokens")) == [scope.value for scope in Scope]


def test_limits_of_signing_in() -> None:
    text = section(PANEL, "Signing in")
    assert f"{SHORTEST} to {LONGEST} characters" in text
    minutes = WINDOW.total_seconds() / 60
    assert f"More than {TRIES} wrong passwords within {minutes:g} minutes" in text
    assert f"more than {ADDRESS_TRIES} from one address" in text
    assert f"{IDLE.total_seconds() / 3600:g} hours" in text
    assert f"{ABSOLUTE.days} days" in text


def test_every_metric() -> None:
    source = (ROOT / "web/health/metrics.py").read_text(encoding="utf-8")
    own = re.findall(r"_gauge\(\"(\w+)\"|\"dutyline_(\w+)\"", source)
    metrics = {one or other for one, other in own} | {figure.metric for figure in FIGURES.values()}
    listed = first_codes(section(OPERATIONS, "Metrics"))
    assert sorted(listed) == sorted(f"dutyline_{metric}" for metric in metrics)
    assert all(
        re.search(rf"`dutyline_{one.metric}` \| {re.escape(one.about)} \|", OPERATIONS)
        for one in FIGURES.values()
    )


def test_every_part_and_problem_of_health() -> None:
    text = section(OPERATIONS, "Health")
    assert set(PARTS) <= set(codes(text))
    words = (ROOT / "web/health/words.py").read_text(encoding="utf-8")
    known = set(re.findall(r"^        \"([a-z_]+)\": \(\n", words, re.M)) | {"stopped"}
    problems = re.findall(r"^\| `([a-z_]+)` \|", text, re.M)
    assert known - {"database"} <= set(problems)


def test_the_guides_show_every_picture_that_is_taken_of_the_panel() -> None:
    guides = read("docs/admin.md") + read("docs/callbacks.md")
    shown = set(re.findall(r"\]\(pictures/([a-z-]+)\.png\)", guides))
    assert shown == set(PAGES) == {path.stem for path in PICTURES.iterdir()}
