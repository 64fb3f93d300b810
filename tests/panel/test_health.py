"""Health: the page, /healthz, /readyz and /metrics."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from pathlib import Path

from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text
from structlog.testing import capture_logs

from telephony.accounts import Role, Scope
from telephony.domain.duty.calendars import Takes
from telephony.settings import Settings
from telephony.store.calendars import Copy, Owner, add_feed, get_feed, note_failure, use_feed
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
