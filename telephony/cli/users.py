"""`dutyline users`: the users of the panel from the command line; the first admin is made here."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Callable
from datetime import UTC, datetime

import click
from sqlalchemy.orm import Session

from telephony.accounts import Role, User
from telephony.accounts.passwords import Passwords, digest, fold_login, new_password
from telephony.accounts.users import (
    AccountError,
    Problem,
    check_password,
    edit_user,
    make_user,
    set_password,
)
from telephony.cli.common import Failed, database, note, readable, settings_for
from telephony.store.accounts import find_user, forget_tries, list_users
from telephony.store.engine import reading, writing

_PROBLEMS = {
    Problem.LOGIN_FORM: "a login has 2 to 60 letters, digits and . @ + - _",
    Problem.LOGIN_TAKEN: "this login is taken",
    Problem.NAME_EMPTY: "the name is empty",
    Problem.EXTENSION_FORM: "an extension has 2 to 10 digits",
    Problem.PASSWORD_SHORT: "a password has at least 10 characters",
    Problem.PASSWORD_LONG: "a password has at most 200 characters",
    Problem.PASSWORD_GUESSED: "this password is too easy to guess",
    Problem.LAST_ADMIN: "this is the last active admin: make another one first",
}

_ROLE = click.Choice([role.value for role in Role])


@click.group()
def users() -> None:
    """Users of the panel."""


@users.command()
@click.argument("login")
@click.option("--name", help="The person's name; the login when it is not given.")
@click.option("--role", type=_ROLE, default=Role.OPERATOR.value, show_default=True)
@click.option("--extension", help="The person's telephone: an operator sees its calls.")
@click.option("--ask", is_flag=True, help="Ask for the password instead of making one up.")
@readable
def add(login: str, name: str | None, role: str, extension: str | None, ask: bool) -> None:
    """Add a user; the password is printed once, or asked for with --ask."""

    def work(session: Session) -> None:
        made = Role(role)
        make_user(session, login, name or login, made, extension, hashed, _now(), handed=not ask)
        note(session, "user.added", fold_login(login), role=role)

    password, hashed = _password(login, ask=ask)
    _change(work)
    click.echo(f"added {fold_login(login)} ({role})")
    _tell(password, ask=ask)


@users.command("list")
@readable
def list_() -> None:
    """Show the users."""
    with database(settings_for(ami=False)) as engine, reading(engine) as session:
        found, _ = list_users(session, limit=100_000)
    for user in found:
        seen = f"{user.signed_in_at:%Y-%m-%d %H:%M} UTC" if user.signed_in_at else "never"
        state = "" if user.active else ", disabled"
        extension = f", extension {user.extension}" if user.extension else ""
        click.echo(f"{user.login}: {user.name}, {user.role}{extension}{state}; signed in: {seen}")
    if not found:
        click.echo("there are no users: dutyline users add NAME --role admin")


@users.command()
@click.argument("login")
@click.option("--ask", is_flag=True, help="Ask for the password instead of making one up.")
@click.option("--no-second-step", is_flag=True, help="Switch the second step off, too.")
@readable
def password(login: str, ask: bool, no_second_step: bool) -> None:
    """Give a user a new password and sign them out everywhere."""

    def work(session: Session) -> None:
        user = _user(session, login)
        kept = not no_second_step
        set_password(session, user.id, hashed, handed=not ask, keep_second_factor=kept)
        forget_tries(session, "account", digest(user.login))
        forget_tries(session, "code", str(user.id))
        note(session, "user.password_set", user.login, second_factor_kept=kept)

    fresh, hashed = _password(login, ask=ask)
    _change(work)
    click.echo(f"{fold_login(login)} has a new password")
    _tell(fresh, ask=ask)


@users.command()
@click.argument("login")
@click.option("--undo", is_flag=True, help="Let the user in again.")
@readable
def disable(login: str, undo: bool) -> None:
    """Sign a user out and let them in no more; API tokens that they made stop working."""

    def work(session: Session) -> None:
        user = _user(session, login)
        if edit_user(session, user, {"active": undo}):
            note(session, "user.enabled" if undo else "user.disabled", user.login)

    _change(work)
    click.echo(f"{fold_login(login)} {'may sign in again' if undo else 'is disabled'}")


@users.command()
@click.argument("login")
@click.argument("role", type=_ROLE)
@readable
def role(login: str, role: str) -> None:
    """Give a user another role and sign them out."""

    def work(session: Session) -> None:
        user = _user(session, login)
        if edit_user(session, user, {"role": Role(role)}):
            note(session, "user.changed", user.login, role=role)

    _change(work)
    click.echo(f"{fold_login(login)} is {role}")


def _change(work: Callable[[Session], None]) -> None:
    """Do it in one transaction. Raises Failed for what may not be."""
    with database(settings_for(ami=False)) as engine:
        try:
            with writing(engine) as session:
                work(session)
        except AccountError as error:
            raise Failed(f"nothing was changed: {_PROBLEMS[error.problem]}") from None


def _user(session: Session, login: str) -> User:
    user = find_user(session, fold_login(login))
    if user is None:
        raise Failed(f"there is no user {fold_login(login)}: dutyline users list")
    return user


def _password(login: str, *, ask: bool) -> tuple[str, str]:
    """Return (a password, its hash). Raises Failed."""
    if not ask:
        made = new_password()
        return made, Passwords().hash(made)
    if sys.stdin.isatty():
        typed = getpass.getpass("Password: ")
        if getpass.getpass("Once more: ") != typed:
            raise Failed("nothing was changed: the two are not the same")
    else:
        typed = sys.stdin.readline().rstrip("\n")
    try:
        check_password(typed, login)
    except AccountError as error:
        raise Failed(f"nothing was changed: {_PROBLEMS[error.problem]}") from None
    return typed, Passwords().hash(typed)


def _tell(password: str, *, ask: bool) -> None:
    if not ask:
        click.echo(f"password: {password}")
        click.echo("It is to be changed at the first sign-in.")


def _now() -> datetime:
    return datetime.now(UTC)
