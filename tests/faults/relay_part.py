"""`python -m tests.faults.relay_part relay|now|bulk`: the real parts with leases fit for a test."""

from __future__ import annotations

import signal
import sys
from datetime import timedelta

from telephony.callbacks.dispatching import Dispatcher
from telephony.jobs import JOBS
from telephony.logs import set_up_logs
from telephony.outgoing import Outgoing
from telephony.relay import Relay
from telephony.secrets import open_vault
from telephony.sending import Tools
from telephony.settings import read_settings
from telephony.status import Beat
from telephony.store.engine import open_engine
from telephony.supervisor import die_with_parent
from telephony.transport import open_redis
from telephony.worker import Worker

LEASE = timedelta(seconds=2)
# A pause is its ceiling's share of 0.04: 1 s at least, a few seconds after some failures.
DRAW = 0.04


def main(part: str, environ: dict[str, str]) -> None:
    """Run one part until SIGTERM."""
    die_with_parent()
    set_up_logs("info", "text")
    settings = read_settings(environ, without=frozenset({"ami_secret", "token"}))
    engine = open_engine(settings.database_url, check=False)
    connection = open_redis(settings.redis_url)
    if part == "relay":
        relay = Relay(
            engine, connection, Dispatcher(engine, "RU"), fact_lease=LEASE, delivery_lease=LEASE
        )
        signal.signal(signal.SIGTERM, lambda _number, _frame: relay.stop())
        Beat(engine, "relay").start(relay.look, 0.5)
        relay.run()
        return
    vault = open_vault(settings.secret_key, settings.data_dir)
    outgoing = Outgoing(settings.outgoing_allow, settings.outgoing_ports)
    tools = Tools(engine, vault, outgoing, None, draw=lambda: DRAW, lease=LEASE)
    worker = Worker(part, connection, tools, JOBS)
    Beat(engine, f"worker-{part}").start(worker.look, 0.5)
    worker.run()


if __name__ == "__main__":
    import os

    main(sys.argv[1], dict(os.environ))
