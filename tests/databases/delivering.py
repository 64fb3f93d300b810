"""What tests of deliveries work with: an office whose clock they move, and a mail server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from typing import Any

from aiosmtpd.controller import Controller
from sqlalchemy import Engine, select

from telephony.domain.record import CallRecord
from telephony.jobs import deliver, expand
from telephony.mailing import Mailer
from telephony.outgoing import Outgoing
from telephony.secrets import Vault
from telephony.sending import Tools
from telephony.store.calls import save_call
from telephony.store.deliveries import claim_deliveries, delivery, due_deliveries
from telephony.store.engine import reading, writing
from telephony.store.lanes import Lane, list_lanes
from telephony.store.outbox import Fact, add_facts, claim_facts, due_facts
from telephony.store.webhooks import add_webhook
from tests.lab.ports import free_port
from tests.lab.receiver import Receiver

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
LEASE = timedelta(seconds=60)
SECRET = "whsec_" + "c2VjcmV0" * 4
VAULT = Vault(["a-key-of-some-length-0123456789-0123"])


class Office:
    """A database, a receiver, a mail server, and a clock that the test moves."""

    def __init__(self, engine: Engine, receiver: Receiver, mailer: Mailer | None) -> None:
        self.engine = engine
        self.receiver = receiver
        self.at = NOW
        self.tools = Tools(
            engine,
            VAULT,
            Outgoing((ip_network("127.0.0.0/8"),), (receiver.port,)),
            mailer,
            now=lambda: self.at,
            draw=lambda: 1.0,
        )

    def webhook(self, *events: str, form: str = "standard", path: str = "/hook") -> int:
        with writing(self.engine) as session:
            return add_webhook(
                session,
                form=form,
                events=events,
                place="test",
                url=VAULT.seal(self.receiver.url(path)),
                secret=VAULT.seal(SECRET),
                now=self.at,
            )

    def started(self, call_id: str = "1.1") -> None:
        payload = {"call_id": call_id, "direction": "in", "did": "7495", "number": "+79001112233"}
        with writing(self.engine) as session:
            add_facts(session, [Fact("call.started", f"s:{call_id}", payload)], self.at)

    def ended(self, record: CallRecord) -> None:
        with writing(self.engine) as session:
            save_call(session, record)  # adds the fact call.ended

    def expand(self) -> None:
        with writing(self.engine) as session:
            ids = due_facts(session, self.at, 100)
            claims = claim_facts(session, ids, self.at, LEASE)
        for claim in claims:
            expand(self.tools, claim.id, claim.attempt)

    def deliver(self, lane: str = "webhook:1") -> int:
        """Do what the relay and a worker would; return how many deliveries were due."""
        with writing(self.engine) as session:
            ids = due_deliveries(session, lane, self.at, 100)
            claims = claim_deliveries(session, ids, self.at, LEASE)
        for claim in claims:
            deliver(self.tools, claim.id, claim.attempt)
        return len(claims)

    def rows(self) -> list[Any]:
        with reading(self.engine) as session:
            return list(session.execute(select(delivery).order_by(delivery.c.id)))

    def lane(self, name: str = "webhook:1") -> Lane:
        with reading(self.engine) as session:
            (found,) = [lane for lane in list_lanes(session) if lane.name == name]
        return found


class Mailbox:
    """Keeps what the mail server takes; refuses recipients by their names."""

    def __init__(self) -> None:
        self.mails: list[tuple[list[str], bytes]] = []

    async def handle_RCPT(
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        if address.startswith("nobody"):
            return "550 no such user"
        if address.startswith("later"):
            return "450 try later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        self.mails.append((envelope.rcpt_tos, envelope.content))
        return "250 OK"


@contextmanager
def mail_office(engine: Engine, mailbox: Mailbox) -> Iterator[Office]:
    """Give an office with a real mail server."""
    server = Controller(mailbox, hostname="127.0.0.1", port=free_port())
    server.start()
    mailer = Mailer("127.0.0.1", server.port, "none", "", "", "dutyline@example.com")
    try:
        with Receiver() as receiver:
            yield Office(engine, receiver, mailer)
    finally:
        server.stop()
