"""Events, reasons and test mails in both languages."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email.message import EmailMessage

import pytest

from telephony.mailing import Mailer, MailError
from telephony.notify import EVENTS, NOTICE_EVENTS, say_event, say_reason, trial_mail
from telephony.store.notices import Notice, Recipient
from telephony.telling.notices import Tried, try_out
from telephony.telling.webhooks import PAUSED, REMOVED
from telephony.words import LANGUAGES
from tests.repo.files import ROOT

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
RAISED = {"Refused", "OutgoingError", "SendError"}
KEPT = (PAUSED, REMOVED, "the receiver was down all the time", "its receiver fails or is slow")
_CYRILLIC = re.compile("[а-яё]", re.I)


def _reasons() -> Iterator[str]:
    """Give every sentence that these modules raise, a 7 in the place of each value."""
    for path in ("telephony/outgoing.py", "telephony/sending.py"):
        for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
                continue
            if node.func.id not in RAISED or not node.args:
                continue
            said = node.args[0]
            parts = said.values if isinstance(said, ast.JoinedStr) else [said]
            if all(isinstance(part, ast.Constant | ast.FormattedValue) for part in parts):
                yield "".join(
                    str(part.value) if isinstance(part, ast.Constant) else "7" for part in parts
                )


def test_every_event_has_words_in_each_language() -> None:
    for event in {*EVENTS, *NOTICE_EVENTS}:
        english, russian = (say_event(event, language) for language in LANGUAGES)
        assert english != event
        assert _CYRILLIC.search(russian), event
    assert say_event("event.of.tomorrow", "ru") == "event.of.tomorrow"


def test_every_reason_of_ours_is_said_in_russian() -> None:
    found = {*_reasons(), *KEPT}
    assert len(found) > 20
    assert [one for one in found if not _CYRILLIC.search(say_reason(one, "ru"))] == []
    assert all(say_reason(one, "en") == one for one in found)
    assert say_reason("mailbox full", "ru") == "mailbox full"
    assert say_reason("it answered 503", "ru") == "получатель ответил 503"


@pytest.mark.parametrize(
    ("language", "subject", "event"),
    [
        ("en", "A test of Dutyline's notices", "– A callback is overdue"),
        ("ru", "Проверка уведомлений Dutyline", "– Обратный звонок просрочен"),
    ],
)
def test_a_test_mail_says_what_will_come(language: str, subject: str, event: str) -> None:
    mail = trial_mail(
        ["callback.overdue"],
        sender="dutyline@example.com",
        to="anna@example.com",
        language=language,
        zone="Europe/Moscow",
        key="test.1",
        at=NOW,
    )
    assert (mail["Subject"], mail["To"]) == (subject, "anna@example.com")
    assert "2026-11-24 12:00 MSK" in mail.get_content()
    assert event in mail.get_content()


class _Server(Mailer):
    """Takes each mail after so many seconds of a clock, or fails."""

    took: list[str] = []  # noqa: RUF012
    clock = 0.0

    def send(self, message: EmailMessage) -> int:
        """Refuse those whose names say so."""
        address = message["To"]
        type(self).clock += 9
        if address.startswith("later"):
            raise MailError("try later", 450)
        if address.startswith("nobody"):
            raise MailError("no such user", 550, for_good=True)
        self.took.append(address)
        return 250


def _tried(*addresses: str) -> list[Tried]:
    _Server.took, _Server.clock = [], 0.0
    people = tuple(Recipient(one, "en") for one in addresses)
    rule = Notice(1, ("call.missed",), None, "UTC", people)
    server = _Server("127.0.0.1", 25, "none", "", "", "dutyline@example.com")
    return try_out(server, rule, NOW, seconds=20, clock=lambda: _Server.clock)


def test_a_refused_recipient_holds_up_nobody() -> None:
    nobody, anna = _tried("nobody@example.com", "anna@example.com")
    assert (nobody.why, nobody.at_all) == ("no such user", True)
    assert (anna.why, anna.at_all) == ("", True)


def test_a_failing_server_and_the_end_of_the_time_end_a_trial() -> None:
    later, anna = _tried("later@example.com", "anna@example.com")
    assert (later.why, anna.at_all) == ("try later", False)
    assert [one.at_all for one in _tried(*(f"a{nth}@example.com" for nth in range(5)))] == [
        True, True, True, False, False,
    ]  # fmt: skip
    assert len(_Server.took) == 3
