"""Health: the page, /healthz, /readyz and /metrics."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text
from structlog.testing import capture_logs

from telephony.accounts import Role, Scope
from telephony.domain.callback.cases import Attention, Case, Source
from telephony.domain.callback.results import Ended, Why
from telephony.domain.callback.rules import CallbackRules, Caps
from telephony.domain.duty.calendars import Takes
from telephony.settings import Settings
from telephony.store.attempts import (
    NewAttempt,
    add_attempt,
    finish_attempt,
    get_attempt,
    send_attempt,
)
from telephony.store.calendars import Copy, Owner, add_feed, get_feed, note_failure, use_feed
from telephony.store.callback_rules import replace_callback_rules
from telephony.store.cases import add_case, resume_dialling, stop_dialling
from telephony.store.engine import open_engine, writing
from telephony.store.live import Process, save_process
from telephony.store.outbox import Fact, add_facts
from tests.panel.conftest import settings_in
from tests.panel.people import Panel, open_panel
from web import create_app
from web.health.figures import FIGURES
from web.health.state import PARTS
from web.health.words import figure_words

ROOT = Path(__file__).resolve().parents[2]


def _tell(
    panel: Panel,
    name: str,
    *,
    ready: bool = True,
    problem: str | None = None,
    figures: Mapping[str, float] | None = None,
) -> None:
    now = panel.clock.now()
    with writing(panel.engine) as session:
        save_process(
            session, Process(name, 1, "host", "1", now, now, ready, problem, figures or {})
        )


def _all_well(panel: Panel) -> None:
    for name in PARTS:
        _tell(panel, name)


def test_ready_when_every_part_is(panel: Panel) -> None:
    _all_well(panel)
    answer = panel.browser().get("/readyz")
    assert answer.status_code == 200
    assert answer.json == {"ready": True, "behind": {}}


def test_what_is_behind_is_named(panel: Panel) -> None:
    browser = panel.browser()
    everything = browser.get("/readyz")
    assert everything.status_code == 503
    assert everything.json == {"ready": False, "behind": dict.fromkeys(PARTS, "gone")}
    _all_well(panel)
    _tell(panel, "listener", ready=False, problem="ami_down")
    assert browser.get("/readyz").json == {"ready": False, "behind": {"listener": "ami_down"}}
    _tell(panel, "listener", problem="database")
    assert browser.get("/readyz").status_code == 200
    with writing(panel.engine) as session:
        add_facts(session, [Fact("call.ended", "call.ended:1", {})], panel.clock.now())
    panel.clock.pass_(seconds=14)
    assert browser.get("/readyz").status_code == 200
    panel.clock.pass_(seconds=17)
    _all_well(panel)
    assert browser.get("/readyz").json == {"ready": False, "behind": {"relay": "backlog"}}
    panel.clock.pass_(seconds=16)
    behind = browser.get("/readyz").json
    assert behind is not None
    assert behind["behind"]["worker-bulk"] == "gone"


def test_without_a_database(migrated: bytes, tmp_path: Path) -> None:
    path = tmp_path / "dutyline.db"
    path.write_bytes(migrated)
    engine = open_engine(f"sqlite:///{path}")
    panel = open_panel(settings_in(tmp_path), engine)
    browser = panel.signed_in("admin", address="127.0.0.1")
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE process_status"))
        connection.execute(text("DROP TABLE panel_session"))
    assert browser.get("/healthz").status_code == 200
    answer = browser.get("/readyz")
    assert answer.status_code == 503
    assert answer.json == {"ready": False, "behind": {"database": "down"}}
    page = browser.get("/health")
    assert page.status_code == 503
    assert "The database does not answer" in page.text
    fresh = panel.browser("127.0.0.1")
    assert "dutyline_database_up 0.0" in fresh.get("/metrics").text
    engine.dispose()


def test_the_page_tells_problems_in_words(quick_panel: Panel) -> None:
    _all_well(quick_panel)
    boss = quick_panel.signed_in("boss")
    assert "All is well" in boss.get("/health").text
    _tell(quick_panel, "relay", ready=False, problem="redis_down")
    _tell(quick_panel, "listener", figures={"ami_connected": 1.0, "decisions": 1234.0})
    page = boss.get("/health").text
    assert "1 part is not well" in page
    assert "Redis does not answer" in page
    assert "1,234" in page
    assert "Неполадка в 1 части" in quick_panel.signed_in("boss", language="ru").get("/health").text


def test_metrics_are_what_prometheus_reads(panel: Panel) -> None:
    _all_well(panel)
    _tell(panel, "listener", figures={"ami_connected": 1, "decisions": 7, "something_new": 2})
    _tell(panel, "worker-now", figures={"jobs_done": 3})
    _tell(panel, "worker-bulk", ready=False, figures={"jobs_done": 4})
    answer = panel.browser("127.0.0.1").get("/metrics")
    assert answer.status_code == 200
    assert answer.content_type.startswith("text/plain")
    families = {one.name: one for one in text_string_to_metric_families(answer.text)}
    samples = {
        (sample.name, sample.labels.get("part")): sample.value
        for family in families.values()
        for sample in family.samples
    }
    assert all(name.startswith("dutyline_") for name in families)
    assert all(family.documentation for family in families.values())
    assert samples["dutyline_database_up", None] == 1
    assert samples["dutyline_ami_connected", "listener"] == 1
    assert samples["dutyline_decisions_total", "listener"] == 7
    assert samples["dutyline_something_new", "listener"] == 2
    assert samples["dutyline_jobs_done_total", "worker-now"] == 3
    assert samples["dutyline_jobs_done_total", "worker-bulk"] == 4
    assert samples["dutyline_part_ready", "worker-bulk"] == 0
    assert samples["dutyline_part_ready", "worker-now"] == 1
    assert samples["dutyline_outbox_pending", None] == 0


def test_metrics_are_for_allowed_addresses_and_tokens(quick_panel: Panel) -> None:
    admin = quick_panel.signed_in("admin")
    assert quick_panel.browser("203.0.113.1").get("/metrics").status_code == 401
    # A session opens nothing here: it is for programs.
    assert admin.get("/metrics").status_code == 401
    for scope, status in ((Scope.METRICS_READ, 200), (Scope.CALLS_READ, 403)):
        page = admin.send("/tokens/new", name="Prometheus", scopes=[scope.value], days="90").text
        token = page.partition('translate="no">dl_')[2].partition("<")[0]
        headers = {"Authorization": f"Bearer dl_{token}"}
        outside = quick_panel.browser("203.0.113.1")
        assert outside.get("/metrics", headers=headers).status_code == status


def test_health_is_not_for_operators(quick_panel: Panel) -> None:
    assert quick_panel.signed_in("oper").get("/health").status_code == 403
    assert Role.OPERATOR not in (Role.ADMIN, Role.SUPERVISOR)


def test_every_figure_that_a_part_tells_has_its_metric_and_words(quick_panel: Panel) -> None:
    told: set[str] = set()
    for path in (ROOT / "telephony").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Assign):
                target = node.targets[0]
                if isinstance(target, ast.Name) and target.id == "figures":
                    told |= _keys(node.value)
                elif (
                    isinstance(target, ast.Subscript)
                    and isinstance(target.value, ast.Name)
                    and target.value.id == "figures"
                    and isinstance(target.slice, ast.Constant)
                ):
                    told.add(str(target.slice.value))
    assert {"ami_connected", "records_pending", "jobs_done", "outbox_pending"} <= told
    assert told <= set(FIGURES)
    with quick_panel.app.test_request_context():
        for name in FIGURES:
            assert figure_words(name) != name.replace("_", " "), name
    metrics = [figure.metric for figure in FIGURES.values()]
    assert len(metrics) == len(set(metrics))


def _keys(node: ast.expr) -> set[str]:
    if not isinstance(node, ast.Dict):
        return set()
    return {str(key.value) for key in node.keys if isinstance(key, ast.Constant)}


def test_a_proxy_that_is_not_set_up_opens_no_metrics_and_is_warned_of_once(
    quick_panel: Panel, tmp_path: Path
) -> None:
    local = quick_panel.browser("127.0.0.1")
    with capture_logs() as logs:
        assert local.get("/metrics").status_code == 200
        assert [one["event"] for one in logs] == []
        for name in ("X-Forwarded-For", "Forwarded", "X-Real-IP"):
            assert local.get("/metrics", headers={name: "203.0.113.9"}).status_code == 401
    assert [one["event"] for one in logs] == ["panel.proxy_not_set_up"]
    behind = open_panel_again(quick_panel, settings_in(tmp_path, DUTYLINE_WEB_PROXIES="1"))
    for whom, status in (("127.0.0.1", 200), ("203.0.113.9", 401)):
        answer = behind.get(
            "/metrics", headers={"X-Forwarded-For": whom}, environ_base={"REMOTE_ADDR": "127.0.0.1"}
        )
        assert answer.status_code == status


def open_panel_again(panel: Panel, settings: Settings) -> FlaskClient:
    """Return a client of the same panel with other settings."""
    return create_app(settings, panel.engine, now=panel.clock.now).test_client()


def test_a_calendar_that_fails_is_told_of(quick_panel: Panel) -> None:
    now = quick_panel.clock.now()
    with writing(quick_panel.engine) as session:
        key = add_feed(
            session,
            owner_kind=Owner.GROUP,
            owner="sales",
            title="Duty <b>",
            place="https://calendar.example",
            url="sealed",
            zone=None,
            layer=0,
            takes=Takes.BUSY,
            copy=Copy("BEGIN:VCALENDAR"),
            now=now,
        )
        use_feed(session, key, True, now)
        feed = get_feed(session, key)
        assert feed is not None
    _all_well(quick_panel)
    quick_panel.clock.pass_(seconds=10)
    browser = quick_panel.signed_in("boss")
    assert "cannot be read" not in browser.get("/health").text
    with writing(quick_panel.engine) as session:
        note_failure(session, feed, fault="status", detail="404", now=now, next_at=now)
    page = browser.get("/health").text
    assert "The calendar “Duty &lt;b&gt;” cannot be read" in page
    assert "the server answered 404" in page
    assert browser.get("/readyz").status_code == 200
    metrics = quick_panel.browser("127.0.0.1").get("/metrics").text
    samples = {
        sample.name: (sample.labels, sample.value)
        for family in text_string_to_metric_families(metrics)
        for sample in family.samples
    }
    assert samples["dutyline_calendar_failing"] == ({"calendar": str(key)}, 1.0)
    assert samples["dutyline_calendar_age_seconds"] == ({"calendar": str(key)}, 10.0)


def test_what_stops_callbacks_is_shown_while_it_does(quick_panel: Panel) -> None:
    now = quick_panel.clock.now()
    _all_well(quick_panel)
    boss, oper = quick_panel.signed_in("boss"), quick_panel.signed_in("boss", language="ru")
    with writing(quick_panel.engine) as session:
        replace_callback_rules(session, CallbackRules(caps=Caps(prefix_hour=2, hour=2, day=3)))
        stop_dialling(session, "anna", "odd <calls>", now)
        for operator in ("101", "102"):
            new = NewAttempt(f"+79161234{operator}", "+79161", operator)
            claim = add_attempt(session, new, now, timedelta(minutes=1))
            assert send_attempt(session, claim.id, 1, operator, now, timedelta(minutes=1))
    page = boss.get("/health").text
    assert "All is well" in page, "Dutyline itself is"
    assert "All callbacks are stopped" in page
    assert "by anna. Why: odd &lt;calls&gt;" in page
    assert "Callbacks wait: 2 within an hour are the most" in page
    assert "Callbacks to +79161… wait: 2 within an hour are the most" in page
    assert "within a day are the most" not in page
    assert "Все обратные звонки остановлены" in oper.get("/health").text
    assert boss.get("/readyz").status_code == 200
    with writing(quick_panel.engine) as session:
        assert resume_dialling(session, "anna", now)
    quick_panel.clock.pass_(seconds=3601)
    _all_well(quick_panel)
    page = boss.get("/health").text
    assert "callbacks are stopped" not in page
    assert "are the most" not in page


def test_metrics_of_callbacks(panel: Panel) -> None:
    now = panel.clock.now()
    minute = timedelta(minutes=1)
    soon, late = now + minute, now - minute
    with writing(panel.engine) as session:
        for nth, (due, sla, attention) in enumerate(
            [(late, soon, None), (late, late, None), (None, soon, Attention.ATTEMPTS)]
        ):
            case = Case(
                f"+7916000000{nth}", Source.MISSED, Why.RINGING, late, late, late,
                due_at=due, sla_at=sla, attention=attention,
            )  # fmt: skip
            add_case(session, case, now)
        keys = [
            add_attempt(
                session, NewAttempt(f"+79160000{operator}", "+79160", operator), now, minute
            ).id
            for operator in ("101", "102")
        ]
        assert send_attempt(session, keys[0], 1, "x", now, minute)
        one = get_attempt(session, keys[0])
        assert one is not None
        assert finish_attempt(session, one, Ended.BUSY, now)
        stop_dialling(session, "anna", "", now)
    text = panel.browser("127.0.0.1").get("/metrics").text
    samples = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name.startswith("dutyline_callback")
    }
    assert samples["dutyline_callbacks_open",] == 3
    assert samples["dutyline_callbacks_due",] == 2
    assert samples["dutyline_callbacks_overdue",] == 1
    assert samples["dutyline_callbacks_attention",] == 1
    assert samples["dutyline_callbacks_live",] == 1
    tries = {key[1]: value for key, value in samples.items() if key[0] == "dutyline_callback_tries"}
    assert set(tries) == {one.value for one in Ended}
    assert {how for how, found in tries.items() if found} == {"busy"}
    alarms = {key[1]: on for key, on in samples.items() if key[0] == "dutyline_callback_alarm"}
    assert alarms == {"prefix_hour": 0, "hour": 0, "day": 0, "stopped": 1}
