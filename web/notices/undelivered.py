"""What did not arrive, sent once more."""

from __future__ import annotations

from flask import abort, flash
from werkzeug.wrappers import Response

from telephony.accounts import Role
from telephony.store.engine import writing
from telephony.store.tables import BIGGEST_BIG_KEY
from telephony.telling import deliveries
from web.notes import note
from web.notices.area import blueprint, to_list
from web.rights import allow
from web.services import services
from web.texts import gettext


@blueprint.post("/deliveries/<int:key>/retry")
@allow(Role.ADMIN)
def retry(key: int) -> Response:
    """Send what was given up once more."""
    offer = services()
    with writing(offer.engine) as session:
        one = None if key > BIGGEST_BIG_KEY else deliveries.one_undelivered(session, key)
        if one is None:
            abort(404)
        again = deliveries.retry(session, one, offer.now(), note)
    if again:
        flash(gettext("It will be sent again in a moment."), "good")
    else:
        flash(gettext("It is under way already, or has arrived."), "warn")
    return to_list()
