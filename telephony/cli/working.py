"""`dutyline work`: the jobs of a queue are done."""

from __future__ import annotations

import click
from sqlalchemy import Engine

from telephony.callbacks.desk import Desk
from telephony.cli.common import Failed, database, dialler_address, readable, settings_for
from telephony.jobs import JOBS
from telephony.outgoing import Outgoing
from telephony.privateredis import redis_url
from telephony.secrets import SecretError, open_vault
from telephony.sending import Tools
from telephony.settings import Settings
from telephony.status import Beat
from telephony.supervisor import die_with_parent
from telephony.telling.notices import mailer_of, missing_setting
from telephony.transport import QUEUES, open_redis
from telephony.worker import Worker


@click.command()
@click.argument("queue", type=click.Choice(QUEUES))
@readable
def work(queue: str) -> None:
    """Do the jobs of a queue: now for what must not wait, bulk for what goes over the network."""
    die_with_parent()
    settings = settings_for(ami=False)
    with database(settings) as engine:
        connection = open_redis(redis_url(settings.redis_url, settings.data_dir))
        worker = Worker(queue, connection, tools_of(settings, engine), JOBS)
        beat = Beat(engine, f"worker-{queue}", several=True)
        beat.start(worker.look)
        worker.run()
        beat.stop()


def tools_of(settings: Settings, engine: Engine) -> Tools:
    """Return what jobs work with. Raises Failed."""
    try:
        vault = open_vault(settings.secret_key, settings.data_dir)
    except SecretError as error:
        raise Failed(str(error)) from None
    missing = missing_setting(settings)
    if settings.smtp_host and missing:
        raise Failed(f"DUTYLINE_SMTP_HOST is set, {missing} is not: who sends the mails?")
    desk = Desk(engine, settings.country, dialler_address(settings))
    return Tools(engine, vault, outgoing_of(settings), mailer_of(settings), desk=desk)


def outgoing_of(settings: Settings) -> Outgoing:
    """Return the room from which webhooks go out."""
    return Outgoing(settings.outgoing_allow, settings.outgoing_ports)
