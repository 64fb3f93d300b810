"""The fields of operators and groups."""

from __future__ import annotations

from web.setup.places import Kind, Place
from web.texts import lazy_gettext as _

OPERATOR = (
    Place(
        "extension",
        _("Extension"),
        Kind.DIALLED,
        _("2 to 10 digits, as colleagues dial it. It stays as it is later on."),
        required=True,
        fixed=True,
    ),
    Place("name", _("Name"), required=True),
    Place(
        "endpoint",
        _("Endpoint"),
        hint=_("The phone's PJSIP endpoint in Asterisk; empty: as the extension."),
    ),
    Place(
        "mobile",
        _("Mobile"),
        Kind.PHONE,
        _("In any notation. It rings when the desk phone is not answered."),
    ),
    Place(
        "trunk",
        _("Trunk for the mobile"),
        Kind.SELECT,
        _("Through which the mobile is dialled."),
        choices="trunks",
    ),
    Place(
        "deputy",
        _("Deputy"),
        Kind.SELECT,
        _("Rings when this operator cannot take a client's call."),
        choices="operators",
    ),
)

GROUP = (
    Place(
        "name",
        _("Name"),
        hint=_("Up to 40 characters."),
        required=True,
    ),
    Place(
        "zone",
        _("Time zone"),
        Kind.ZONE,
        _("By its clocks the roster goes, such as Europe/Moscow."),
        required=True,
    ),
    Place(
        "hours",
        _("Opening hours"),
        Kind.SELECT,
        _("For all numbers of the group that have none of their own."),
        choices="hours",
    ),
    Place(
        "default",
        _("Calls to numbers that are not set up go here"),
        Kind.CHECK,
        _("One group may be the default: another one then is no more."),
    ),
)
