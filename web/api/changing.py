"""Changes of the set-up made by a token: as who made it, by the panel's checks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any, NoReturn, cast

from flask import abort, g, request
from werkzeug.exceptions import UnprocessableEntity

from telephony.accounts import ApiToken
from telephony.configfile import (
    Author,
    Change,
    ChangedError,
    ConfigError,
    ConflictError,
    Data,
    Difference,
    change,
)
from telephony.store.accounts import get_user
from telephony.store.engine import reading
from web.api.base import language
from web.services import services


def change_setup(
    edit: Callable[[Data], None],
    expected: int | None,
    renamed: Mapping[str, str] | None = None,
    *,
    dry_run: bool,
) -> Change:
    """Change the set-up as who made the token; abort with what is wrong."""
    offer = services()
    return made(
        lambda author: change(
            offer.engine,
            author,
            edit,
            now=offer.now(),
            country=offer.settings.country,
            expected=expected,
            renamed=renamed,
            dry_run=dry_run,
        )
    )


def made(make: Callable[[Author], Change]) -> Change:
    """Return the change that `make` makes as who made the token; abort with what is wrong."""
    token = cast(ApiToken, g.token)
    with reading(services().engine) as session:
        maker = get_user(session, token.user_id)
    login = maker.login if maker else ""
    try:
        done = make(Author(login, token.user_id, request.remote_addr or "", token.name))
    except LookupError:
        abort(404)
    except (ChangedError, ConflictError):
        abort(HTTPStatus.CONFLICT)
    if done.errors:
        _refuse(done.errors)
    return done


def told(done: Change, *, dry_run: bool) -> dict[str, Any]:
    """Return what a change did, or would do."""
    return {
        "version": done.version,
        "applied": not dry_run and bool(done.differences),
        "differences": told_differences(done.differences),
    }


def told_differences(found: Iterable[Difference]) -> list[dict[str, Any]]:
    """Return differences as the API has them."""
    return [
        {
            "what": one.what,
            "key": one.key,
            "action": one.action,
            "fields": [
                {"name": field.name, "old": field.old, "new": field.new} for field in one.fields
            ],
        }
        for one in found
    ]


def _refuse(errors: list[ConfigError]) -> NoReturn:
    """Answer 422: each error with its path, value, code and why, by Accept-Language."""
    error = UnprocessableEntity()
    error.data = {  # type: ignore[attr-defined]
        "errors": [
            {
                "in": "json",
                "name": one.path,
                "value": one.value,
                "code": one.code.value,
                "detail": one.words(language()),
            }
            for one in errors
        ]
    }
    raise error
