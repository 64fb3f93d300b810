"""Notices by e-mail: added, changed, deleted, tried."""

from __future__ import annotations

from flask import abort, flash, render_template, url_for
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from telephony.accounts import Role
from telephony.store.engine import reading, writing
from telephony.store.notices import Notice, get_notice
from telephony.store.setup import load_setup
from telephony.telling import notices
from telephony.telling.notices import Tried, mailer_of, missing_setting
from telephony.telling.written import WrittenNotice, check_notice
from web.i18n import zone
from web.notes import note
from web.notices.area import blueprint, to_list
from web.notices.forms import NoticeForm, shown
from web.rights import allow
from web.services import services
from web.telling import reason_words
from web.texts import gettext, ngettext

_SAID = 3
_LONGEST_SAID = 100


@blueprint.route("/new", methods=["GET", "POST"])
@allow(Role.ADMIN)
def add() -> str | Response | tuple[str, int]:
    """Add a notice."""
    form = NoticeForm(zone=zone())
    written = _sent(form, None)
    if written is None:
        return _page(form, None)
    with writing(services().engine) as session:
        notices.add(session, written, services().now(), note)
    flash(gettext("The notice is added."), "good")
    return to_list()


@blueprint.route("/<int:key>", methods=["GET", "POST"])
@allow(Role.ADMIN)
def edit(key: int) -> str | Response | tuple[str, int]:
    """Change a notice."""
    rule = _known(key)
    form = NoticeForm(data=shown(rule))
    written = _sent(form, rule)
    if written is None:
        return _page(form, rule)
    with writing(services().engine) as session:
        if not notices.change(session, key, written, note):
            abort(404)
    flash(gettext("Saved."), "good")
    return to_list()


@blueprint.post("/<int:key>/delete")
@allow(Role.ADMIN)
def delete(key: int) -> Response:
    """Delete a notice."""
    with writing(services().engine) as session:
        if not notices.remove(session, key, note):
            abort(404)
    flash(gettext("The notice is deleted."), "good")
    return to_list()


@blueprint.post("/<int:key>/test")
@allow(Role.ADMIN)
def try_mail(key: int) -> Response:
    """Send a test mail to the recipients of a notice, and say what came of it."""
    rule = _known(key)
    settings = services().settings
    back = redirect(url_for("notices.edit", key=key))
    mailer = mailer_of(settings)
    if mailer is None:
        name = missing_setting(settings)
        flash(gettext("No mail is sent as long as %(setting)s is not set.", setting=name), "bad")
        return back
    _tell(notices.try_out(mailer, rule, services().now()))
    return back


def _tell(tried: list[Tried]) -> None:
    """Say what came of the test mails: of many only the first, since a cookie carries it."""
    refused = [one for one in tried if one.why]
    for one in refused[:_SAID]:
        address, why = one.recipient.address[:_LONGEST_SAID], reason_words(one.why)[:_LONGEST_SAID]
        said = {"address": address, "why": why}
        flash(gettext("The test mail to %(address)s was not taken: %(why)s.", **said), "bad")
    if len(refused) > _SAID:
        more = len(refused) - _SAID
        flash(ngettext("and %(num)d more", "and %(num)d more", more), "bad")
    taken = _people([one for one in tried if one.at_all and not one.why])
    if taken:
        flash(gettext("The mail server took the test for %(people)s.", people=taken), "good")
    left = _people([one for one in tried if not one.at_all])
    if left:
        flash(gettext("Not tried: %(people)s.", people=left), "warn")


def _people(tried: list[Tried]) -> str:
    shown = [one.recipient.address[:_LONGEST_SAID] for one in tried[:_SAID]]
    more = len(tried) - len(shown)
    if more:
        shown.append(ngettext("and %(num)d more", "and %(num)d more", more))
    return ", ".join(shown)


def _known(key: int) -> Notice:
    with reading(services().engine) as session:
        rule = get_notice(session, key)
    if rule is None:
        abort(404)
    return rule


def _sent(form: NoticeForm, rule: Notice | None) -> WrittenNotice | None:
    """Return what was sent; None when nothing was, or something is wrong, with the errors."""
    with reading(services().engine) as session:
        form.offer(load_setup(session), rule)
    if not form.is_submitted():
        return None
    valid = form.validate()
    written = form.written()
    # What no choice offers is said already.
    wrong = [one for one in check_notice(written) if not form[_field(one.field)].errors]
    form.object(wrong)
    return written if valid and not wrong else None


def _field(name: str) -> str:
    return "addresses_en" if name == "recipients" else name


def _page(form: NoticeForm, rule: Notice | None) -> str | tuple[str, int]:
    page = render_template(
        "notices/edit.html",
        form=form,
        rule=rule,
        missing=missing_setting(services().settings),
    )
    return (page, 422) if form.is_submitted() else page
