"""Making and changing users: the rules that the panel and the command line share."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from telephony.accounts.passwords import LONGEST, SHORTEST, fold_login
from telephony.domain.rights import Role
from telephony.store.accounts import (
    User,
    add_user,
    change_user,
    get_user,
    other_active_admins,
    set_recovery_codes,
)
from telephony.store.sessions import end_sessions

_LOGIN = re.compile(r"[\w.@+-]{2,60}")
_EXTENSION = re.compile(r"[0-9]{2,10}")


class Problem(StrEnum):
    """Why an account cannot be made or changed so."""

    LOGIN_FORM = "login_form"
    LOGIN_TAKEN = "login_taken"
    NAME_EMPTY = "name_empty"
    EXTENSION_FORM = "extension_form"
    PASSWORD_SHORT = "password_short"  # noqa: S105 - a code, not a password
    PASSWORD_LONG = "password_long"  # noqa: S105
    PASSWORD_GUESSED = "password_guessed"  # noqa: S105
    LAST_ADMIN = "last_admin"


class AccountError(Exception):
    """An account cannot be made or changed so; `problem` says why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.value)
        self.problem = problem


def check_password(password: str, login: str) -> None:
    """Raises AccountError for a password that is too short, too long, or the login itself."""
    if len(password) < SHORTEST:
        raise AccountError(Problem.PASSWORD_SHORT)
    if len(password) > LONGEST:
        raise AccountError(Problem.PASSWORD_LONG)
    if fold_login(password) == fold_login(login) or len(set(password)) < 4:
        raise AccountError(Problem.PASSWORD_GUESSED)


def make_user(
    session: Session,
    login: str,
    name: str,
    role: Role,
    extension: str | None,
    password_hash: str,
    now: datetime,
    *,
    handed: bool = False,
) -> int:
    """Insert a user and return the id. Raises AccountError.

    `handed`: the password was not chosen by the user, who must change it at the first sign-in.
    """
    folded = fold_login(login)
    if not _LOGIN.fullmatch(folded):
        raise AccountError(Problem.LOGIN_FORM)
    values = _checked({"name": name, "extension": extension})
    try:
        with session.begin_nested():
            return add_user(
                session,
                folded,
                now=now,
                role=role,
                password_hash=password_hash,
                password_handed=handed,
                **values,
            )
    except IntegrityError:
        raise AccountError(Problem.LOGIN_TAKEN) from None


def edit_user(session: Session, user: User, values: Mapping[str, Any]) -> dict[str, Any]:
    """Set name, role, extension or active of a user and return what changed.

    Whoever is disabled, or gets another role, is signed out. Raises AccountError when the last
    active admin would be gone.
    """
    wanted = _checked(values)
    stays = wanted.get("role", user.role) == Role.ADMIN and wanted.get("active", user.active)
    others = other_active_admins(session, user.id)
    current = get_user(session, user.id) or user
    if current.role == Role.ADMIN and current.active and not stays and not others:
        raise AccountError(Problem.LAST_ADMIN)
    changed = {name: value for name, value in wanted.items() if getattr(current, name) != value}
    if changed:
        change_user(session, user.id, **changed)
    if "role" in changed or changed.get("active") is False:
        end_sessions(session, user.id)
    return changed


def set_password(
    session: Session,
    user_id: int,
    password_hash: str,
    *,
    handed: bool = False,
    keep_second_factor: bool = True,
) -> None:
    """Give a user another password and end all sessions; the second factor goes if asked.

    `handed` as for `make_user`.
    """
    change_user(session, user_id, password_hash=password_hash, password_handed=handed)
    if not keep_second_factor:
        change_user(session, user_id, totp_secret=None, totp_step=None)
        set_recovery_codes(session, user_id, ())
    end_sessions(session, user_id)


def _checked(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values tidied. Raises AccountError."""
    found = dict(values)
    if "name" in found:
        # PostgreSQL keeps no NUL, and nobody is called by what cannot be seen.
        shown = (letter if letter.isprintable() else " " for letter in found["name"])
        found["name"] = " ".join("".join(shown).split())
        if not found["name"]:
            raise AccountError(Problem.NAME_EMPTY)
    if "extension" in found:
        found["extension"] = (found["extension"] or "").strip() or None
        if found["extension"] is not None and not _EXTENSION.fullmatch(found["extension"]):
            raise AccountError(Problem.EXTENSION_FORM)
    return found
