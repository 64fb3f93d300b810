"""Asking who would get a call, on a page: the fields of the question, and the answer in words.

The page of its own asks of the stored set-up; the forms of the set-up ask of what stands in them,
and show both answers side by side.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from flask_babel import format_date
from flask_wtf import FlaskForm
from sqlalchemy.orm import Session
from wtforms import SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.widgets import DateTimeLocalInput

from telephony.asking import ask_at
from telephony.domain.duty.walltime import reached
from telephony.domain.numbers import DIALLABLE, digits, normalise
from telephony.domain.routing import NO_KEY, Decision, Kind, Question
from telephony.domain.setup import Setup
from telephony.words import say_checked, say_step
from web.cleaning import visible
from web.i18n import current_language, moment, unbroken_phone, zone
from web.texts import gettext
from web.texts import lazy_gettext as _

# Those that a menu can have.
KEYS = tuple("1234567890")
_LONGEST = 40
_EARLIEST, _LATEST = 1971, 2199


class CallForm(FlaskForm):  # type: ignore[misc]
    """A call to be tried: its number and DID in any notation, the moment, the key in the menu."""

    number = StringField(_("Caller's number"))
    did = StringField(_("Number dialled"))
    at = StringField(_("When"), widget=DateTimeLocalInput())
    key = SelectField(_("Key in the menu"), choices=(), validate_choice=False)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a trace: whether it was used, the rule, what became of it, whether it is new."""

    used: bool
    rule: str
    became: str
    differs: bool = False


@dataclass(frozen=True, slots=True)
class Stage:
    """A step of a plan in words; `differs`: the other answer has no such step."""

    words: str
    differs: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """Who gets the call, and why, in words; `keys` are those of a menu that comes first."""

    plan: tuple[Stage, ...]
    trace: tuple[Line, ...]
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Tried:
    """A question with its answer, and with that of an unsaved change if there is one.

    `now`: asked of this moment, with the phones as they are, else they count as free.
    """

    question: Question
    now: bool
    past: bool
    answer: Answer
    what_if: Answer | None = None

    @property
    def same(self) -> bool:
        """Whether the change makes no difference for this call."""
        return self.what_if is not None and self.what_if == self.answer


def call_form(setup: Setup, prefix: str = "", **values: Any) -> CallForm:
    """Return the form, filled from the request; `values` stand in it before it is sent."""
    first = next(iter(setup.dids), "")
    form = CallForm(prefix=prefix, did=values.pop("did", first), **values)
    form.did.flags.required = True
    form.key.choices = [
        SelectChoice("", gettext("the beginning of the call")),
        *(SelectChoice(key, key) for key in KEYS),
        SelectChoice(NO_KEY, gettext("none was pressed")),
    ]
    return form


def question_of(form: CallForm, now: datetime, country: str) -> Question | None:
    """Return what a form asks; None when something is wrong, which then stands beside its field."""
    number = (form.number.data or "").strip()[:_LONGEST]
    caller = normalise(number, country) if number else ""
    if caller is None:
        _wrong(form.number, gettext("This is not a phone number."))
    did = normalise_did((form.did.data or "").strip()[:_LONGEST], country)
    if did is None:
        _wrong(form.did, gettext("This is not a number that can be dialled."))
    at = _moment(form.at.data or "", now)
    if at is None:
        _wrong(form.at, gettext("Enter a day and a time."))
    key = form.key.data or ""
    if key not in ("", NO_KEY, *KEYS):
        key = ""
    if caller is None or did is None or at is None:
        return None
    return Question(did, caller, at, key)


def normalise_did(text: str, country: str) -> str | None:
    """Return a DID's digits as the set-up has them, None for what cannot be dialled."""
    compact = "".join(letter for letter in text if letter not in " ()-.\N{NO-BREAK SPACE}")
    if DIALLABLE.fullmatch(compact):
        return digits(compact)
    whole = normalise(text, country)
    return digits(whole) if whole else None


def tried(
    session: Session, question: Question, setup: Setup, now: datetime, after: Setup | None = None
) -> Tried:
    """Return the answer to a question by the stored `setup`, and by an unsaved one, if any."""
    answer = in_words(ask_at(session, question, setup, now), setup)
    found = Tried(question, question.at == now, question.at < now, answer)
    if after is None:
        return found
    other = in_words(ask_at(session, question, after, now), after)
    return replace(found, answer=_marked(answer, other), what_if=_marked(other, answer))


def tried_with(
    session: Session,
    form: CallForm,
    setup: Setup,
    after: Setup | None,
    now: datetime,
    country: str,
) -> Tried | None:
    """Return both answers to what a form asks; None without a change, or when it asks nothing."""
    question = question_of(form, now, country) if after is not None else None
    return tried(session, question, setup, now, after) if question is not None else None


def in_words(decision: Decision, setup: Setup) -> Answer:
    """Return a decision in the reader's language."""
    names = {extension: visible(one.name) for extension, one in setup.operators.items()}
    last = decision.plan.steps[-1] if decision.plan.steps else None
    return Answer(
        tuple(map(Stage, plan_words(decision, names))),
        tuple(trace_words(decision)),
        tuple(last.keys) if last is not None and last.kind is Kind.MENU else (),
    )


def plan_words(decision: Decision | None, names: Mapping[str, str]) -> list[str]:
    """Return the steps of a plan; `names` maps extensions to operators' names."""
    language = current_language()
    steps = decision.plan.steps if decision else ()
    return [visible(say_step(step, names, language, unbroken_phone)) for step in steps]


def trace_words(decision: Decision | None) -> Iterable[Line]:
    """Yield the lines of a trace."""
    language = current_language()
    for line in decision.trace if decision else ():
        rule, _, became = visible(say_checked(line, language, unbroken_phone)).partition(": ")
        yield Line(line.used, rule, became)


def when_words(asked: Tried) -> str:
    """Return of which moment a question is, for a heading."""
    if asked.now:
        return gettext("now")
    weekday = format_date(asked.question.at, "EEEE")
    return f"{weekday}, {moment(asked.question.at)}"


def _marked(answer: Answer, other: Answer) -> Answer:
    """Return an answer with marks on what the other does not have."""
    steps = {one.words for one in other.plan}
    lines = {(one.used, one.rule, one.became) for one in other.trace}
    return replace(
        answer,
        plan=tuple(replace(one, differs=one.words not in steps) for one in answer.plan),
        trace=tuple(
            replace(one, differs=(one.used, one.rule, one.became) not in lines)
            for one in answer.trace
        ),
    )


def _moment(text: str, now: datetime) -> datetime | None:
    """Return a moment by the reader's clocks, `now` for an empty text, None for nonsense."""
    if not text.strip():
        return now
    try:
        local = datetime.fromisoformat(text.strip()).replace(tzinfo=None)
    except ValueError:
        return None
    return reached(local, zone()).astimezone(UTC) if _EARLIEST <= local.year <= _LATEST else None


def _wrong(field: Any, words: str) -> None:
    field.errors = [*field.errors, words]
