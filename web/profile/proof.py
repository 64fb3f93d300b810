"""The password once more, before an account is changed: limited as at sign-in."""

from __future__ import annotations

from wtforms import PasswordField

from telephony.accounts.passwords import digest
from telephony.accounts.signin import TRIES, WINDOW
from telephony.store.accounts import count_try, forget_tries
from telephony.store.engine import writing
from web.rights import signed_in_user
from web.services import services
from web.texts import gettext


def proven(field: PasswordField) -> bool:
    """Return whether the field holds the user's password; its error says why not."""
    offer = services()
    user = signed_in_user()
    key = digest(user.login)
    with writing(offer.engine) as db:
        count, _ = count_try(db, "account", key, offer.now(), WINDOW)
    if count > TRIES:
        field.errors = [gettext("Too many wrong attempts: wait 15 minutes.")]
        return False
    if not offer.passwords.fits(field.data, user.password_hash):
        field.errors = [gettext("This is not your password.")]
        return False
    with writing(offer.engine) as db:
        forget_tries(db, "account", key)
    return True
