"""Changing the set-up: the one way of panel, API and command line.

Whoever changes something says so on the set-up's plain data, which have the very shape of the YAML
file (`as_data`):

    def edit(data: Data) -> None:
        group = find(data, "groups", "sales")
        group.setdefault("shifts", []).append(
            {"operator": "101", "days": "mon-fri", "start": "09:00", "end": "18:00"}
        )

    done = change(engine, Author("anna", user.id, address), edit, now=now, expected=version)
    if done.errors: ...  # groups[0].shifts[3].operator: '101' must be …

The file's reader checks the outcome; with errors nothing is changed. Else it is applied in one
transaction, with a line in the audit log per difference and a revision that `undo` takes back.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from telephony.configfile.comparing import Difference, differences
from telephony.configfile.mistakes import Mistake
from telephony.configfile.nodes import ConfigError, Data
from telephony.configfile.reading import read_config, read_data
from telephony.configfile.writing import as_data, write_config
from telephony.domain.announcements import named_in
from telephony.domain.duty.calendars import with_imported
from telephony.domain.setup import Setup
from telephony.store.announcements import list_announcements
from telephony.store.aside import Aside, rename_owners, renamed_back, set_aside, take_back
from telephony.store.audit import AuditEntry, add_audit
from telephony.store.directory import current_version, lock_version
from telephony.store.engine import reading, writing
from telephony.store.revisions import Revision, add_revision, asides_since, get_revision
from telephony.store.setup import AssignedError, check_removable, load_setup, replace_setup

_TRIES = 5


class ConflictError(Exception):
    """The set-up is not the `expected` one any more: somebody changed it meanwhile."""

    def __init__(self, expected: int, version: int) -> None:
        """`version` is what the set-up has now."""
        self.expected = expected
        self.version = version
        super().__init__(f"the set-up has version {version}, not {expected}: look at it again")


class NoRevisionError(LookupError):
    """There is no such change, or it is so old that it is not kept any more."""


@dataclass(frozen=True, slots=True)
class Author:
    """Who changes the set-up: a login, its user's id, the address they come from, an API token."""

    login: str
    user_id: int | None = None
    address: str = ""
    token: str = ""


COMMAND_LINE = Author("command line")


@dataclass(frozen=True, slots=True)
class Change:
    """What became of a change, or would with `dry_run`.

    `version` is that of the set-up now: the one made, or the old one when nothing was changed.
    `before` and `after` are the set-ups; with `errors` `after` is partial and nothing was changed.
    No `differences` and no errors: there was nothing to change.
    """

    version: int
    before: Setup
    after: Setup
    differences: list[Difference] = field(default_factory=list)
    errors: list[ConfigError] = field(default_factory=list)


def load_data(session: Session) -> tuple[Data, int]:
    """Return the set-up as plain data and its version: what a form is made of."""
    return as_data(load_setup(session)), current_version(session).setup_version


def change(
    engine: Engine,
    author: Author,
    edit: Callable[[Data], None],
    *,
    now: datetime,
    country: str = "",
    expected: int | None = None,
    renamed: Mapping[str, str] | None = None,
    dry_run: bool = False,
) -> Change:
    """Let `edit` change the set-up's plain data in place, and apply what comes out if it is right.

    `expected` is the version of the set-up that the author saw; it must be given when `edit` finds
    entries by their place in a list. Without it the change is made to whatever there is: `edit` is
    then called again when somebody else was faster. What `edit` raises passes through; nothing is
    changed then. `country` is that of mobile numbers without `+`, `now` is aware. `renamed` maps
    old names of groups to the new ones that `edit` gives them: what belongs to them follows.

    Raises ConflictError, and sqlalchemy's errors.
    """

    def make(before: Setup, announcements: Collection[str]) -> tuple[Setup, list[ConfigError]]:
        data = as_data(before)
        edit(data)
        return read_data(data, country, announcements)

    return _change(engine, author, make, now, expected, renamed=renamed, dry_run=dry_run)


def put(
    engine: Engine,
    author: Author,
    text: str,
    *,
    now: datetime,
    country: str = "",
    expected: int | None = None,
    dry_run: bool = False,
) -> Change:
    """Make the set-up what a file's text says; otherwise as `change`."""

    def make(_: Setup, announcements: Collection[str]) -> tuple[Setup, list[ConfigError]]:
        return read_config(text, country, announcements)

    return _change(engine, author, make, now, expected, dry_run=dry_run)


def undo(
    engine: Engine,
    author: Author,
    version: int,
    *,
    now: datetime,
    expected: int | None = None,
    dry_run: bool = False,
) -> Change:
    """Put back the set-up as it was before the change that made `version`.

    Later changes are taken back with it: `dry_run` shows them. Calendars and links come back with
    their groups and operators. It is a change like others, and may be undone itself.

    Raises NoRevisionError, ConflictError, and sqlalchemy's errors.
    """
    with reading(engine) as session:
        known = get_revision(session, version)
    if known is None:
        raise NoRevisionError(f"there is no version {version} to be undone")
    text = known[1]

    def make(_: Setup, announcements: Collection[str]) -> tuple[Setup, list[ConfigError]]:
        return read_config(text, "", announcements)

    return _change(engine, author, make, now, expected, undid=version, dry_run=dry_run)


def _change(
    engine: Engine,
    author: Author,
    make: Callable[[Setup, Collection[str]], tuple[Setup, list[ConfigError]]],
    now: datetime,
    expected: int | None,
    *,
    undid: int | None = None,
    renamed: Mapping[str, str] | None = None,
    dry_run: bool,
) -> Change:
    """Think first and write then, so that the database is locked for writing only briefly."""
    for _ in range(_TRIES):
        with reading(engine) as session:
            version = current_version(session).setup_version
            before = load_setup(session)
            if expected is not None and version != expected:
                raise ConflictError(expected, version)
            after, errors = make(before, _nameable(session, before))
            asides = () if undid is None else asides_since(session, undid)
            names = {
                old: new
                for old, new in (renamed or renamed_back(asides)).items()
                if old in before.groups and new in after.groups
            }
            after = _completed(before, after, names)
            errors = errors or _unremovable(session, after)
        if errors:
            return Change(version, before, after, errors=errors)
        found = differences(before, after, names)
        if dry_run or not found:
            return Change(version, before, after, found)
        with writing(engine) as session:
            latest = lock_version(session).setup_version
            if latest == version:
                # Clients may have got one of the operators that go.
                errors = _unremovable(session, after)
                if errors:
                    return Change(version, before, after, errors=errors)
                made = replace_setup(session, after)
                if asides:
                    take_back(session, asides)
                else:
                    rename_owners(session, names)
                aside = set_aside(session, after, names)
                if asides:
                    after = load_setup(session)
                revision = Revision(made, now, author.login, undid, [])
                _keep(session, revision, author, before, found, aside)
                return Change(made, before, after, found)
    raise ConflictError(version, latest)


def _nameable(session: Session, before: Setup) -> frozenset[str]:
    """Return the announcements that rules may name: also those which some named before.

    Nobody is kept from another change by a name that was never good.
    """
    return named_in(before) | {one.name for one in list_announcements(session)}


def _completed(before: Setup, after: Setup, renamed: Mapping[str, str]) -> Setup:
    """Return a set-up with what no file holds: the block list, and what comes from calendars."""
    away = before.calendar_absences
    known = {renamed.get(name, name): group for name, group in before.groups.items()}
    groups = {
        name: replace(
            group,
            roster=with_imported(
                group.roster,
                known[name].roster.imported if name in known else (),
                away,
            ),
        )
        for name, group in after.groups.items()
    }
    return replace(after, groups=groups, blocked=before.blocked, calendar_absences=away)


def _unremovable(session: Session, after: Setup) -> list[ConfigError]:
    """Return an error for each operator that would go and still has clients."""
    try:
        check_removable(session, after)
    except AssignedError as error:
        return [
            ConfigError(0, "operators", who, Mistake.HAS_CLIENTS, (("count", str(count)),))
            for who, count in error.counts.items()
        ]
    return []


def _keep(
    session: Session,
    revision: Revision,
    author: Author,
    before: Setup,
    found: list[Difference],
    aside: Aside,
) -> None:
    """Note a change: for undoing it, and for whoever asks who changed what."""
    revision.differences.extend(each.as_json() for each in found)
    add_revision(session, revision, write_config(before), aside)
    by = {"token": author.token} if author.token else {}
    for each in found:
        add_audit(
            session,
            AuditEntry(
                at=revision.at,
                user_id=author.user_id,
                actor=author.login,
                address=author.address,
                action=f"setup.{each.action}",
                target=f"{each.what} {each.key}".strip(),
                details=each.as_json() | {"version": revision.version} | by,
            ),
        )
