"""The form of a web site."""

from __future__ import annotations

from typing import Any

from flask_wtf import FlaskForm
from wtforms import BooleanField, IntegerField, SelectField, StringField, TextAreaField
from wtforms.validators import ValidationError

from telephony.domain.setup import Setup
from telephony.store.sites import Site
from web.cleaning import visible
from web.i18n import NAMES, phone
from web.sites.origins import origin_of
from web.texts import NOT_LISTED, gettext
from web.texts import lazy_gettext as _

MOST_ORIGINS = 20
LONGEST_TITLE = 60
SITE_HOUR, ADDRESS_HOUR, NUMBER_HOUR = 60, 5, 3
_MOST_HOUR = 10_000
_LONGEST_ADDRESS = 300


class _Number(IntegerField):  # type: ignore[misc]
    """A whole number; what is none says so in the reader's language."""

    def process_formdata(self, valuelist: list[str]) -> None:
        """Take only a few digits."""
        text = "".join(valuelist).strip()
        if not (text.isascii() and text.isdigit() and len(text) <= 6):
            self.data = None
            raise ValueError(_("Enter a whole number."))
        self.data = int(text)

    def pre_validate(self, form: Any) -> None:
        """Refuse none and too many."""
        del form
        if self.data is not None and not 1 <= self.data <= _MOST_HOUR:
            raise ValidationError(gettext("Enter 1 to %(most)s.", most=_MOST_HOUR))


class SiteForm(FlaskForm):  # type: ignore[misc]
    """A web site, what its button says, and how much is taken from it."""

    title = StringField(_("Title"))
    origins = TextAreaField(_("Addresses of the site"))
    did = SelectField(_("Number called"), validate_choice=False)
    language = SelectField(_("Language"), validate_choice=False)
    enabled = BooleanField(_("The button works"))
    site_hour = _Number(_("Requests in an hour"))
    address_hour = _Number(_("In an hour from one address"))
    number_hour = _Number(_("In an hour for one number"))

    def validate_title(self, field: Any) -> None:
        """Want one line that can be seen."""
        if not 0 < len(visible(field.data or "")) <= LONGEST_TITLE:
            raise ValidationError(gettext("Enter 1 to %(most)s characters.", most=LONGEST_TITLE))

    def validate_origins(self, field: Any) -> None:
        """Want what a browser can send as Origin."""
        lines = _lines(field.data)
        wrong = [one for one in lines if len(one) > _LONGEST_ADDRESS or origin_of(one) is None]
        if wrong:
            shown = visible(wrong[0])[:80]
            words = gettext(
                "%(address)s: enter an address such as https://www.example.com.", address=shown
            )
            raise ValidationError(words)
        if not 0 < len(lines) <= MOST_ORIGINS:
            raise ValidationError(gettext("Enter 1 to %(most)s addresses.", most=MOST_ORIGINS))

    def validate_did(self, field: Any) -> None:
        """Want one of those offered."""
        if field.data not in {value for value, _words in field.choices}:
            raise ValidationError(NOT_LISTED)

    validate_language = validate_did

    def offer(self, setup: Setup, site: Site | None) -> None:
        """Fill in the choices: a number that is gone stays one, so that nothing changes unseen."""
        known = {
            did.number: f"{phone(did.number)} {visible(did.title)}".strip()
            for did in setup.dids.values()
        }
        if site is not None and site.did and site.did not in known:
            known[site.did] = gettext("%(number)s (deleted)", number=phone(site.did))
        none = gettext("none: the usual group is asked")
        self.did.choices = [("", none), *sorted(known.items())]
        visitors = gettext("that of the visitor’s browser")
        self.language.choices = [("", visitors), *NAMES.items()]

    def values(self) -> dict[str, Any]:
        """Return what of a site the form states; for a valid form."""
        origins = [origin_of(one) or "" for one in _lines(self.origins.data)]
        return {
            "title": visible(self.title.data),
            "origins": tuple(dict.fromkeys(origins)),
            "did": self.did.data,
            "language": self.language.data,
            "enabled": self.enabled.data,
            "site_hour": self.site_hour.data,
            "address_hour": self.address_hour.data,
            "number_hour": self.number_hour.data,
        }


def _lines(text: str | None) -> list[str]:
    return [one for line in (text or "").splitlines() if (one := line.strip())]
