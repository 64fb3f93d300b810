"""/metrics for Prometheus, made from rows at the moment it is asked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from ipaddress import ip_address

from flask import Blueprint, Response, abort, request
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from telephony import __version__
from telephony.accounts import Scope
from telephony.domain.callback.results import Ended
from telephony.domain.live import OperatorActivity
from telephony.store.alarms import CAPS, Alarm
from telephony.store.engine import reading
from telephony.store.live import Process
from web.health.figures import FIGURES, Figure
from web.health.reading import Callbacks, Found, look, look_at_callbacks
from web.health.state import look_at
from web.proxies import is_forwarded
from web.rights import bearer_token, public
from web.services import services

blueprint = Blueprint("metrics", __name__)


@blueprint.get("/metrics")
@public
def metrics() -> Response:
    """Answer from an allowed address, or to a token with the scope metrics:read."""
    if not _from_allowed():
        token = bearer_token()
        if token is None:
            abort(401)
        if Scope.METRICS_READ not in token.scopes:
            abort(403)
    offer = services()
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_FromDatabase(offer.engine, offer.now()))
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _from_allowed() -> bool:
    if is_forwarded():  # the proxy is allowed, and whoever it speaks for need not be
        return False
    try:
        address = ip_address(request.remote_addr or "")
    except ValueError:
        return False
    allowed = services().settings.metrics_allow
    return any(address.version == net.version and address in net for net in allowed)


class _FromDatabase(Collector):
    def __init__(self, engine: Engine, now: datetime) -> None:
        self._engine = engine
        self._now = now

    def collect(self) -> Iterable[Metric]:
        found: Found | None = None
        callbacks: Callbacks | None = None
        try:
            with reading(self._engine) as session:
                found = look(session)
                callbacks = look_at_callbacks(session, self._now)
        except SQLAlchemyError:
            pass
        yield _gauge("database_up", "1 while the database answers the panel", found is not None)
        info = GaugeMetricFamily("dutyline_info", "Which version runs", labels=["version"])
        info.add_metric([__version__], 1)
        yield info
        if found is not None:
            yield from _counts(found, self._now)
            yield from _parts(found, self._now)
            yield from _calendars(found, self._now)
        if callbacks is not None:
            yield from _callbacks(callbacks)


def _counts(found: Found, now: datetime) -> Iterator[Metric]:
    calls = GaugeMetricFamily("dutyline_calls_live", "Calls going on", labels=["direction"])
    for direction in ("in", "out", "internal"):
        calls.add_metric([direction], found.calls.get(direction, 0))
    yield calls
    operators = GaugeMetricFamily(
        "dutyline_operators", "Operators by what they do", labels=["state"]
    )
    for state in OperatorActivity:
        operators.add_metric([state.value], found.operators.get(state.value, 0))
    yield operators
    yield _gauge("outbox_pending", "Facts that wait to be acted on", found.facts)
    oldest = (now - found.oldest_fact).total_seconds() if found.oldest_fact else 0.0
    yield _gauge("outbox_oldest_seconds", "How long the oldest of them waits", max(0.0, oldest))


def _parts(found: Found, now: datetime) -> Iterator[Metric]:
    ready = GaugeMetricFamily("dutyline_part_ready", "1 while a part is ready", labels=["part"])
    age = GaugeMetricFamily(
        "dutyline_part_age_seconds", "How long ago a part told how it is", labels=["part"]
    )
    started = GaugeMetricFamily(
        "dutyline_part_start_time_seconds", "When a part started, in Unix time", labels=["part"]
    )
    for state in look_at(found.processes, now):
        ready.add_metric([state.name], state.ready)
        if state.process is not None:
            age.add_metric([state.name], (now - state.process.renewed_at).total_seconds())
            started.add_metric([state.name], state.process.started_at.timestamp())
    yield from (ready, age, started)
    yield from _figures(found.processes)


def _calendars(found: Found, now: datetime) -> Iterator[Metric]:
    failing = GaugeMetricFamily(
        "dutyline_calendar_failing", "1 while a calendar cannot be read", labels=["calendar"]
    )
    age = GaugeMetricFamily(
        "dutyline_calendar_age_seconds", "How old its last good copy is", labels=["calendar"]
    )
    for feed in found.calendars:
        failing.add_metric([str(feed.id)], feed.failing_since is not None)
        age.add_metric([str(feed.id)], (now - feed.fetched_at).total_seconds())
    yield from (failing, age)


def _callbacks(found: Callbacks) -> Iterator[Metric]:
    cases = found.cases
    yield _gauge("callbacks_open", "Cases that are open", cases["open"])
    yield _gauge("callbacks_due", "Cases whose next try is due", cases["due"])
    yield _gauge("callbacks_overdue", "Cases whose promise is broken", cases["overdue"])
    yield _gauge("callbacks_attention", "Cases that wait for a person", cases["attention"])
    yield _gauge("callbacks_live", "Tries to call back that are under way", found.live)
    tries = GaugeMetricFamily(
        "dutyline_callback_tries", "Tries of the last hour by how they ended", labels=["ended"]
    )
    for how in Ended:
        tries.add_metric([how.value], found.tries.get(how.value, 0))
    yield tries
    alarms = GaugeMetricFamily(
        "dutyline_callback_alarm", "1 while it stops callbacks", labels=["alarm"]
    )
    standing = {one.alarm for one in found.alarms}
    for alarm in (*CAPS, Alarm.STOPPED):
        alarms.add_metric([alarm.value], alarm in standing)
    yield alarms


def _figures(processes: Iterable[Process]) -> Iterator[Metric]:
    families: dict[str, GaugeMetricFamily | CounterMetricFamily] = {}
    for process in processes:
        for name, value in sorted(process.figures.items()):
            figure = FIGURES.get(name) or Figure(name, "A figure that this part tells")
            if figure.metric not in families:
                counts = figure.metric.endswith("_total")
                kind = CounterMetricFamily if counts else GaugeMetricFamily
                families[figure.metric] = kind(
                    f"dutyline_{figure.metric}", figure.about, labels=["part"]
                )
            families[figure.metric].add_metric([process.name], value)
    yield from families.values()


def _gauge(name: str, words: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"dutyline_{name}", words, value=float(value))
