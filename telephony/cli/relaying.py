"""`dutyline relay`: rows that are due become jobs."""

from __future__ import annotations

import signal

import click
import structlog

from telephony.callbacks.dispatching import Dispatcher
from telephony.cli.common import database, readable, settings_for
from telephony.privateredis import redis_url
from telephony.relay import Relay
from telephony.status import Beat
from telephony.supervisor import die_with_parent
from telephony.transport import open_redis

log = structlog.get_logger(__name__)


@click.command()
@readable
def relay() -> None:
    """Hand what is due in the database to the workers."""
    die_with_parent()
    settings = settings_for(ami=False)
    with database(settings) as engine:
        connection = open_redis(redis_url(settings.redis_url, settings.data_dir))
        working = Relay(engine, connection, Dispatcher(engine, settings.country))
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda _number, _frame: working.stop())
        beat = Beat(engine, "relay", several=True)
        beat.start(working.look)
        working.run()
        beat.stop()
    log.info("relay.stopped", enqueued=working.enqueued)
