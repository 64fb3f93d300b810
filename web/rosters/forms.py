"""The forms of a roster's entries, out of the set-up's plain data and back into them.

A form checks nothing itself: the set-up's reader does, and its errors are put beside the fields.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any, ClassVar

from flask import request
from flask_wtf import FlaskForm
from wtforms import Field, HiddenField, SelectField, SelectMultipleField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired
from wtforms.widgets import CheckboxInput, ListWidget

from telephony.configfile import Entry
from web.edits import DAYS, day_words, expanded, kind_words
from web.texts import NOT_LISTED
from web.texts import lazy_gettext as _

LAYERS = 9
_DAY = timedelta(days=1)
_NEEDED = _("Fill this in.")


def _needed() -> InputRequired:
    return InputRequired(_NEEDED)


def _select(words: Any, *validators: Any) -> SelectField:
    return SelectField(words, validators, choices=(), invalid_choice_message=NOT_LISTED)


def _days() -> SelectMultipleField:
    return SelectMultipleField(
        _("Days"),
        choices=(),
        invalid_choice_message=NOT_LISTED,
        option_widget=CheckboxInput(),
        widget=ListWidget(prefix_label=False),
    )


class EntryForm(FlaskForm):  # type: ignore[misc]
    """An entry of a roster; `was` is the entry as it was when the form was made, as JSON.

    `seen` is the version of the set-up that the form of a new one was made from.
    """

    # Key of the entry → the field that shows what is wrong with it, where it is another name.
    PLACES: ClassVar[Mapping[str, str]] = {}
    was = HiddenField()
    seen = HiddenField()

    def offer(self, operators: Mapping[str, str]) -> None:
        """Offer operators (extension → name) and days to choose from."""
        known = [SelectChoice(extension, name) for extension, name in operators.items()]
        for name in ("operator", "one", "other"):
            if name in self:
                self[name].choices = [SelectChoice("", _("choose…")), *known]
        if "cover" in self:
            self["cover"].choices = [SelectChoice("", _("nobody")), *known]
        if "days" in self:
            self["days"].choices = [SelectChoice(*each) for each in day_words().items()]
        if "layer" in self:
            self["layer"].choices = [SelectChoice(str(each)) for each in range(LAYERS + 1)]

    def entry(self) -> Entry:
        """Return the entry that was filled in."""
        raise NotImplementedError

    def fill(self, entry: Entry) -> None:
        """Fill the form in with an entry."""
        for name, value in entry.items():
            if name in self and isinstance(value, str):
                self[name].data = value

    def place_of(self, key: str) -> Field | None:
        """Return the field of a key of the entry, None when it has none."""
        return self._fields.get(self.PLACES.get(key, key))


class _Worked(EntryForm):
    """What shifts and rotations share: days, times, lunch, a last day."""

    PLACES: ClassVar[Mapping[str, str]] = {"lunch": "lunch_start", "until": "last"}

    def worked(self) -> Entry:
        """Return the shared part of the entry."""
        lunch = [_said(self[name]) for name in ("lunch_start", "lunch_end")]
        last = _said(self["last"])
        return {
            "days": ",".join(self["days"].data or ()),
            "start": _said(self["start"]),
            "end": _said(self["end"]),
            "lunch": "-".join(lunch) if any(lunch) else "",
            "cover": _said(self["cover"]),
            "until": _moved(last, 1),
            "layer": "" if _said(self["layer"]) == "0" else _said(self["layer"]),
        }

    def fill(self, entry: Entry) -> None:
        """Fill it in; 24:00 is midnight to a browser, and `until` is the day after the last."""
        super().fill(entry)
        self["days"].data = expanded(entry.get("days", "daily"))
        first, _, last = entry.get("lunch", "").partition("-")
        self["lunch_start"].data, self["lunch_end"].data = first, _midnight(last)
        self["end"].data = _midnight(entry.get("end", ""))
        self["last"].data = _moved(entry.get("until", ""), -1)
        self["layer"].data = entry.get("layer", "0")


class ShiftForm(_Worked):
    """A weekly shift."""

    operator = _select(_("Operator"), _needed())
    days = _days()
    start = StringField(_("From"), [_needed()])
    end = StringField(_("To"), [_needed()])
    lunch_start = StringField(_("Lunch from"))
    lunch_end = StringField(_("Lunch to"))
    cover = _select(_("Who covers the lunch"))
    since = StringField(_("First day"))
    last = StringField(_("Last day"))
    layer = _select(_("Layer"))

    def entry(self) -> Entry:
        """Return the shift."""
        since = _said(self.since)
        return _filled({"operator": _said(self.operator), **self.worked(), "since": since})


class RotationForm(_Worked):
    """Operators who take turns; each turn is a list of boxes named `turn-0`, `turn-1` …"""

    first = StringField(_("The first turn begins on"), [_needed()])
    length = StringField(_("Days per turn"), [_needed()])
    handover = StringField(_("Hand-over at"))
    start = StringField(_("On duty from"))
    end = StringField(_("On duty to"))
    days = _days()
    lunch_start = StringField(_("Lunch from"))
    lunch_end = StringField(_("Lunch to"))
    cover = _select(_("Who covers the lunch"))
    last = StringField(_("Last day"))
    layer = _select(_("Layer"))
    turns: list[list[str]]

    def fill(self, entry: Entry) -> None:
        """Fill it in."""
        super().fill(entry)
        self.turns = [
            [turn] if isinstance(turn, str) else list(turn) for turn in entry.get("turns", ())
        ]

    def read_turns(self) -> None:
        """Read the turns that were sent."""
        self.turns = []
        while (name := f"turn-{len(self.turns)}") in request.form:
            self.turns.append([who for who in request.form.getlist(name) if who])

    def entry(self) -> Entry:
        """Return the rotation."""
        worked = self.worked()
        if len(self.days.data or ()) == len(DAYS):
            worked["days"] = ""
        return _filled(
            {
                "turns": [turn[0] if len(turn) == 1 else turn for turn in self.turns if turn],
                "first": _said(self.first),
                "length": _said(self.length),
                "handover": _said(self.handover),
                **worked,
            }
        )


class OneOffForm(EntryForm):
    """A shift on one day only."""

    operator = _select(_("Operator"), _needed())
    start = StringField(_("From"), [_needed()])
    end = StringField(_("To"), [_needed()])
    layer = _select(_("Layer"))

    def entry(self) -> Entry:
        """Return the one-off shift."""
        layer = "" if _said(self.layer) == "0" else _said(self.layer)
        who = {"operator": _said(self.operator)}
        return _filled({**who, **_span(self), "layer": layer})

    def fill(self, entry: Entry) -> None:
        """Fill it in."""
        super().fill(entry)
        _fill_span(self, entry)


class OverrideForm(EntryForm):
    """Operators in place of others; `operators` are boxes of that name."""

    start = StringField(_("From"), [_needed()])
    end = StringField(_("To"), [_needed()])
    instead_of = _select(_("In place of"))
    operators: list[str]

    def offer(self, operators: Mapping[str, str]) -> None:
        """Offer whose place it may be, too."""
        super().offer(operators)
        self.instead_of.choices = [
            SelectChoice("everybody", _("everybody")),
            SelectChoice("nobody", _("nobody: in addition")),
            *(SelectChoice(extension, name) for extension, name in operators.items()),
        ]

    def fill(self, entry: Entry) -> None:
        """Fill it in; a choice of several stays one."""
        super().fill(entry)
        _fill_span(self, entry)
        self.operators = list(entry.get("operators", ()))
        instead = entry.get("instead_of", "everybody")
        self.instead_of.data = instead if isinstance(instead, str) else "+".join(instead)
        self.keep(self.instead_of.data)

    def keep(self, chosen: str | None) -> None:
        """Offer a combination of operators that no list has."""
        if chosen and "+" in chosen:
            self.instead_of.choices = [
                *(self.instead_of.choices or ()),
                SelectChoice(chosen, chosen.replace("+", ", ")),
            ]

    def entry(self) -> Entry:
        """Return the override; without operators it is a gap on purpose."""
        instead = _said(self.instead_of)
        return {
            "operators": self.operators,
            **_span(self),
            "instead_of": instead if instead in ("everybody", "nobody") else instead.split("+"),
        }


class SwapForm(EntryForm):
    """Two operators who have each other's duty for a time."""

    PLACES: ClassVar[Mapping[str, str]] = {"between": "other"}
    one = _select(_("One"), _needed())
    other = _select(_("The other"), _needed())
    start = StringField(_("From"), [_needed()])
    end = StringField(_("To"), [_needed()])

    def entry(self) -> Entry:
        """Return the swap."""
        return {"between": [_said(self.one), _said(self.other)], **_span(self)}

    def fill(self, entry: Entry) -> None:
        """Fill it in."""
        super().fill(entry)
        _fill_span(self, entry)
        self.one.data, self.other.data = (*entry.get("between", ()), "", "")[:2]


class AbsenceForm(EntryForm):
    """When an operator is away: whole days, unless there are times."""

    PLACES: ClassVar[Mapping[str, str]] = {"from": "first", "to": "last"}
    operator = _select(_("Operator"), _needed())
    kind = _select(_("Why"))
    first = StringField(_("First day"), [_needed()])
    first_time = StringField(_("Away from"))
    last = StringField(_("Last day"), [_needed()])
    last_time = StringField(_("Back at"))
    cover = _select(_("Who covers"))
    zone = StringField(_("Time zone"))

    def offer(self, operators: Mapping[str, str]) -> None:
        """Offer the reasons, too."""
        super().offer(operators)
        reasons = ("vacation", "sick", "other")
        self.kind.choices = [SelectChoice(each, kind_words(each).capitalize()) for each in reasons]

    def entry(self) -> Entry:
        """Return the absence."""
        return _filled(
            {
                "operator": _said(self.operator),
                "from": f"{_said(self.first)} {_said(self.first_time)}".strip(),
                "to": f"{_said(self.last)} {_said(self.last_time)}".strip(),
                "zone": _said(self.zone),
                "kind": _said(self.kind),
                "cover": _said(self.cover),
            }
        )

    def fill(self, entry: Entry) -> None:
        """Fill it in."""
        super().fill(entry)
        self.first.data, _, at = entry.get("from", "").partition(" ")
        self.first_time.data = "" if at == "00:00" else at
        self.last.data, _, self.last_time.data = entry.get("to", "").partition(" ")


FORMS: Mapping[str, type[EntryForm]] = {
    "shifts": ShiftForm,
    "rotations": RotationForm,
    "one_offs": OneOffForm,
    "overrides": OverrideForm,
    "swaps": SwapForm,
    "absences": AbsenceForm,
}


def form_for(kind: str, operators: Mapping[str, str], entry: Entry) -> EntryForm:
    """Return the form of a kind of entry: as it was sent, else filled in with `entry`."""
    form = FORMS[kind]()
    form.offer(operators)
    if not form.is_submitted():
        form.fill(entry)
    elif isinstance(form, RotationForm):
        form.read_turns()
    elif isinstance(form, OverrideForm):
        form.operators = [who for who in request.form.getlist("operators") if who]
        form.keep(form.instead_of.data)
    return form


def boxes(chosen: Iterable[str], least: int) -> list[str]:
    """Return what boxes hold of which one is always left empty."""
    known = list(chosen)
    return [*known, *[""] * max(1, least - len(known))]


def _said(field: Field) -> str:
    return str(field.data or "").strip()


def _filled(entry: Entry) -> Entry:
    return {key: value for key, value in entry.items() if value not in ("", None)}


def _span(form: EntryForm) -> Entry:
    return {name: _said(form[name]).replace("T", " ") for name in ("start", "end")}


def _fill_span(form: EntryForm, entry: Entry) -> None:
    for name in ("start", "end"):
        form[name].data = entry.get(name, "").replace(" ", "T")


def _midnight(clock: str) -> str:
    return "00:00" if clock == "24:00" else clock


def _moved(day: str, days: int) -> str:
    """Return a day so many days later; what is no day as it stands."""
    try:
        return (date.fromisoformat(day) + days * _DAY).isoformat()
    except (ValueError, OverflowError):
        return day
