"""Users: the list, adding, editing, disabling, a new password."""

from __future__ import annotations

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response
from wtforms.fields.choices import SelectChoice

from telephony.accounts import Role, User
from telephony.accounts.passwords import digest, fold_login, new_password
from telephony.accounts.users import AccountError, Problem, edit_user, make_user, set_password
from telephony.store.accounts import forget_tries, get_user, list_users
from telephony.store.engine import reading, writing
from telephony.store.sessions import count_live_tokens
from web.admin.forms import EditUserForm, UserForm
from web.notes import note
from web.pages import PER_PAGE, Paging, page_number
from web.rights import allow, signed_in_user
from web.services import services
from web.texts import gettext
from web.words import problem_words, role_about, role_words

blueprint = Blueprint("users", __name__, url_prefix="/users")


@blueprint.get("")
@allow(Role.ADMIN)
def index() -> str:
    """List the users."""
    search = request.args.get("q", "")[:100]
    number = page_number()
    with reading(services().engine) as session:
        offset = (number - 1) * PER_PAGE
        users, total = list_users(session, search=search, limit=PER_PAGE, offset=offset)
    return render_template(
        "admin/users.html",
        users=users,
        search=search,
        paging=Paging(number, PER_PAGE, total),
        role_words=role_words,
    )


@blueprint.route("/new", methods=["GET", "POST"])
@allow(Role.ADMIN)
def add() -> str | tuple[str, int]:
    """Add a user, with a password that is shown once."""
    form = _with_roles(UserForm(role=Role.OPERATOR.value))
    if not form.validate_on_submit():
        return render_template(
            "admin/user_new.html", form=form
        ), 422 if form.is_submitted() else 200
    offer = services()
    password = new_password()
    hashed = offer.passwords.hash(password)
    try:
        with writing(offer.engine) as session:
            user_id = make_user(
                session,
                form.login.data,
                form.name.data,
                Role(form.role.data),
                form.extension.data,
                hashed,
                offer.now(),
                handed=True,
            )
            login = fold_login(form.login.data)
            note(session, "user.added", login, role=form.role.data)
    except AccountError as error:
        _show(form, error.problem)
        return render_template("admin/user_new.html", form=form), 422
    return render_template(
        "admin/user_password.html", login=login, user_id=user_id, password=password, fresh=True
    )


@blueprint.route("/<int:user_id>", methods=["GET", "POST"])
@allow(Role.ADMIN)
def edit(user_id: int) -> str | Response | tuple[str, int]:
    """Show a user and change name, role and extension."""
    user = _user(user_id)
    form = _with_roles(EditUserForm(obj=user))
    status = 200
    if form.validate_on_submit():
        wanted = {
            "name": form.name.data,
            "role": Role(form.role.data),
            "extension": form.extension.data,
        }
        try:
            with writing(services().engine) as session:
                changed = edit_user(session, user, wanted)
                if changed:
                    note(session, "user.changed", user.login, **changed)
        except AccountError as error:
            _show(form, error.problem)
            status = 422
        else:
            flash(gettext("Saved.") if changed else gettext("Nothing was changed."), "good")
            return redirect(url_for("users.edit", user_id=user_id))
    elif form.is_submitted():
        status = 422
    with reading(services().engine) as session:
        tokens = count_live_tokens(session, user_id, services().now())
    page = render_template(
        "admin/user.html",
        form=form,
        person=user,
        tokens=tokens,
        own=user.id == signed_in_user().id,
        role_words=role_words,
    )
    return page, status


@blueprint.post("/<int:user_id>/active")
@allow(Role.ADMIN)
def set_active(user_id: int) -> Response:
    """Disable a user, or let them in again."""
    user = _user(user_id)
    active = request.form.get("active") == "1"
    try:
        with writing(services().engine) as session:
            if edit_user(session, user, {"active": active}):
                note(session, "user.enabled" if active else "user.disabled", user.login)
    except AccountError as error:
        flash(problem_words(error.problem), "bad")
    else:
        words = (
            gettext("%(login)s may sign in again.") if active else gettext("%(login)s is disabled.")
        )
        flash(words % {"login": user.login}, "good")
    return redirect(url_for("users.edit", user_id=user_id))


@blueprint.post("/<int:user_id>/password")
@allow(Role.ADMIN)
def reset_password(user_id: int) -> str:
    """Give a user a new password, shown once; the second factor is switched off if asked."""
    user = _user(user_id)
    offer = services()
    password = new_password()
    hashed = offer.passwords.hash(password)
    keep = request.form.get("second_factor") != "off"
    with writing(offer.engine) as session:
        set_password(session, user_id, hashed, handed=True, keep_second_factor=keep)
        forget_tries(session, "account", digest(user.login))
        forget_tries(session, "code", str(user_id))
        note(session, "user.password_set", user.login, second_factor_kept=keep)
    return render_template(
        "admin/user_password.html",
        login=user.login,
        user_id=user_id,
        password=password,
        fresh=False,
    )


def _user(user_id: int) -> User:
    with reading(services().engine) as session:
        user = get_user(session, user_id)
    if user is None:
        abort(404)
    return user


def _with_roles(form: UserForm) -> UserForm:
    form.role.choices = [SelectChoice(role.value, role_words(role).capitalize()) for role in Role]
    form.role.description = [(role_words(role), role_about(role)) for role in Role]
    return form


def _show(form: UserForm, problem: Problem) -> None:
    """Put what is wrong beside the field it is about."""
    place = {
        Problem.LOGIN_FORM: form.login,
        Problem.LOGIN_TAKEN: form.login,
        Problem.NAME_EMPTY: form.name,
        Problem.EXTENSION_FORM: form.extension,
    }.get(problem, form.role)
    (place or form.role).errors = [problem_words(problem)]
