"""Clients from a CSV file and back: every row is checked, then all are written, or none.

The file: UTF-8, a header in any order out of COLUMNS (name and phones are required), separated by
`,` or `;` or tabs. `phones` holds one or several numbers separated by `|`, `;` or `,`; a field that
contains the file's own delimiter stands in quotes. A row states its client as far as the file has
columns: one who is known by any of the phones is updated, and numbers that the row does not name
are removed.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from telephony.clients import Problem, Written, check_client, differences, same
from telephony.store.audit import Note
from telephony.store.client_changes import save_clients
from telephony.store.clients import ClientData, find_owners, get_clients
from telephony.store.directory import bump, current_version
from telephony.store.engine import reading, writing
from telephony.store.setup import list_extensions

COLUMNS = (
    "name",
    "phones",
    "stage",
    "manager",
    "sales_manager",
    "deputy",
    "vip",
    "notes",
    "zone",
)
# Of a file that comes over the network.
MOST_BYTES = 5_000_000
_REQUIRED = ("name", "phones")
# What a spreadsheet would take for a formula, with an apostrophe before it; see `as_row`.
_KEPT_FROM_FORMULAS = re.compile(r"'+[=+\-@]")
_FORMULA = re.compile(r"'*[=+\-@]")
_BETWEEN_PHONES = re.compile(r"[|;,\n]")


_TEXTS = {
    Problem.NOT_UTF8: "the file is not UTF-8: save it as “CSV UTF-8”",
    Problem.NOT_CSV: "this is not CSV: {detail}",
    Problem.EMPTY_FILE: "the file has no header",
    Problem.UNKNOWN_COLUMN: "no such column; there are: {detail}",
    Problem.COLUMN_TWICE: "this column occurs twice",
    Problem.COLUMN_MISSING: "this column is missing",
    Problem.FIELDS: "the row has another number of fields than the header: {detail}",
    Problem.NAME_EMPTY: "the name is empty",
    Problem.TOO_LONG: "longer than {detail} characters",
    Problem.CONTROL_CHARACTER: "contains a control character ({detail})",
    Problem.NO_PHONE: "the client has no phone number",
    Problem.NOT_A_NUMBER: "not a phone number",
    Problem.NUMBER_TWICE: "this number occurs in line {detail} too",
    Problem.TWO_MANAGERS: "the same client has another manager in line {detail}",
    Problem.UNKNOWN_EXTENSION: "no operator has this extension",
    Problem.NOT_YES_NO: "neither yes nor no",
    Problem.UNKNOWN_STAGE: "neither lead nor customer",
    Problem.UNKNOWN_ZONE: "no such time zone; it is a name such as Asia/Vladivostok",
    Problem.TOO_MANY_PHONES: "more than {detail} phone numbers",
    Problem.NUMBER_TAKEN: "this number belongs to {detail}",
    Problem.TWO_CLIENTS: "the numbers of this row belong to different clients: {detail}",
    Problem.CLIENT_TWICE: "these numbers belong to the client of line {detail}",
}


@dataclass(frozen=True, slots=True)
class RowError:
    """One thing wrong: the line in the file (from 1), the column, its value, and why."""

    line: int
    column: str
    value: str
    problem: Problem
    detail: str = ""

    @property
    def reason(self) -> str:
        """Why, in English."""
        return _TEXTS[self.problem].format(detail=self.detail)

    def __str__(self) -> str:
        """All of it in one line."""
        where = f"line {self.line}" + (f", {self.column}" if self.column else "")
        value = f" {self.value!r}" if self.value else ""
        return f"{where}:{value} {self.reason}"


@dataclass(frozen=True, slots=True)
class ImportRow:
    """A row that was read: where it stands in the file, its client, and what it says of it."""

    line: int
    client: ClientData
    columns: tuple[str, ...] = COLUMNS


@dataclass(frozen=True, slots=True)
class Change:
    """A row that adds a client (`before` and `client_id` are None then) or changes one."""

    line: int
    after: ClientData
    before: ClientData | None = None
    client_id: int | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """What an import did, or with `dry_run` would do; nothing when there are errors.

    Counts of clients, and of numbers removed; `version` is the directory's new version, None when
    nothing was written; `changes` are the rows that add or change, in the file's order.
    """

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    numbers_removed: int = 0
    errors: tuple[RowError, ...] = ()
    version: int | None = None
    changes: tuple[Change, ...] = field(default=(), compare=False)


class _NotCsvError(Exception):
    def __init__(self, line: int, why: str) -> None:
        super().__init__(why)
        self.line = line


def import_clients(
    engine: Engine,
    source: bytes | str,
    country: str,
    *,
    dry_run: bool = False,
    written: Callable[[Session, Report], None] | None = None,
) -> Report:
    """Import a file's content. `country` (ISO 3166 alpha-2) is that of numbers without `+`.

    `written` is called in the transaction in which something is written: for the audit log. Raises
    sqlalchemy's errors. One transaction; a listener that runs follows within a second.
    """
    with reading(engine) as session:
        operators = list_extensions(session)
    rows, errors = read_clients(source, country, operators)
    if errors:
        return Report(errors=tuple(errors))
    # Sorted out before the write lock is taken, so that calls wait for the writing alone.
    with reading(engine) as session:
        version = current_version(session).version
        report = _sort_out(session, rows)
    if dry_run or not report.changes:
        return report
    with writing(engine) as session:
        mine = bump(session)
        if mine != version + 1:  # somebody changed the directory in between
            report = _sort_out(session, rows)
            if not report.changes:
                return report
        save_clients(
            session,
            [one.after for one in report.changes if one.client_id is None],
            {one.client_id: one.after for one in report.changes if one.client_id is not None},
            version=mine,
        )
        if written is not None:
            written(session, report)
    return replace(report, version=mine)


def read_clients(
    source: bytes | str, country: str, operators: Collection[str]
) -> tuple[list[ImportRow], list[RowError]]:
    """Return the rows of a file that are right, and everything that is wrong in it."""
    text = _decoded(source)
    if isinstance(text, RowError):
        return [], [text]
    rows: list[ImportRow] = []
    errors: list[RowError] = []
    seen: dict[str, ImportRow] = {}
    columns: list[str] | None = None
    try:
        for line, fields in _lines(text):
            if columns is None:
                columns, errors = _header(line, fields)
                if errors:
                    return [], errors
                continue
            if len(fields) != len(columns):
                detail = f"{len(fields)} instead of {len(columns)}"
                errors.append(RowError(line, "", "", Problem.FIELDS, detail))
                continue
            row, wrong = _row(line, dict(zip(columns, fields, strict=True)), country, operators)
            wrong += _repeated(row, seen)
            errors += wrong
            if not wrong:
                rows.append(row)
    except _NotCsvError as error:
        errors.append(RowError(error.line, "", "", Problem.NOT_CSV, str(error)))
    if columns is None and not errors:
        errors.append(RowError(1, "", "", Problem.EMPTY_FILE))
    return rows, errors


def as_row(client: ClientData) -> list[str]:
    """Return a client as a row of a file that has all COLUMNS; read again, it is the same client.

    A cell that a spreadsheet would take for a formula gets an apostrophe, which reading takes off.
    """
    values = {
        "phones": "|".join(client.phones),
        "stage": client.stage.value,
        "vip": "yes" if client.vip else "no",
    }
    cells = [values.get(name, getattr(client, name) or "") for name in COLUMNS]
    return [f"'{cell}" if _FORMULA.match(cell) and not _alone(cell) else cell for cell in cells]


def as_csv(clients: Iterable[ClientData], between: str = ",") -> Iterator[str]:
    """Yield a file of clients in pieces; `between` stands between its cells."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=between)
    writer.writerow(COLUMNS)
    for number, client in enumerate(clients, start=1):
        writer.writerow(as_row(client))
        if number % 500 == 0:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()


def note_import(note: Note, session: Session, report: Report) -> None:
    """Write an import into the audit log, and each client that it changed."""
    note(
        session,
        "clients.imported",
        "",
        added=report.added,
        updated=report.updated,
        numbers_removed=report.numbers_removed,
    )
    for change in report.changes:
        if change.before is not None:
            changed = differences(change.before, change.after)
            note(session, "client.changed", change.before.name, **changed)


def _alone(cell: str) -> bool:
    """Tell whether a cell is one number, which is no formula worth fearing."""
    return cell[0] == "+" and cell[1:].isascii() and cell[1:].isdigit()


def _unquoted(field: str) -> str:
    return field[1:] if _KEPT_FROM_FORMULAS.match(field) else field


def _decoded(source: bytes | str) -> str | RowError:
    if isinstance(source, str):
        return source.removeprefix("\ufeff")
    try:
        return source.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return RowError(source.count(b"\n", 0, error.start) + 1, "", "", Problem.NOT_UTF8)


def _lines(text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield (line, fields) of every row that is not blank; `line` is where the row begins."""
    header = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = max(",;\t", key=header.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = 1
    try:
        for fields in reader:
            if any(field.strip() for field in fields):
                yield line, [_unquoted(field.strip()) for field in fields]
            line = reader.line_num + 1
    except csv.Error as error:
        raise _NotCsvError(line, str(error)) from None


def _header(line: int, fields: list[str]) -> tuple[list[str], list[RowError]]:
    columns = [field.lower() for field in fields]
    known = ", ".join(COLUMNS)
    errors = [
        RowError(line, column, column, Problem.UNKNOWN_COLUMN, known)
        for column in columns
        if column not in COLUMNS
    ]
    errors += [
        RowError(line, column, "", Problem.COLUMN_TWICE)
        for column in COLUMNS
        if columns.count(column) > 1
    ]
    errors += [
        RowError(line, column, "", Problem.COLUMN_MISSING)
        for column in _REQUIRED
        if column not in columns
    ]
    return columns, errors


def _row(
    line: int, fields: dict[str, str], country: str, operators: Collection[str]
) -> tuple[ImportRow, list[RowError]]:
    phones = tuple(filter(None, map(str.strip, _BETWEEN_PHONES.split(fields["phones"]))))
    texts = {name: value for name, value in fields.items() if name != "phones"}
    client, wrong = check_client(Written(phones=phones, **texts), country, operators)
    errors = [RowError(line, one.field, one.value, one.problem, one.detail) for one in wrong]
    return ImportRow(line, client, tuple(fields)), errors


def _repeated(row: ImportRow, seen: dict[str, ImportRow]) -> list[RowError]:
    """Return an error for each number that the file had before, and remember the others."""
    errors = []
    for number in dict.fromkeys(row.client.phones):
        first = seen.setdefault(number, row)
        same = first.client.name == row.client.name
        if same and first.client.manager != row.client.manager:
            value = row.client.manager or ""
            errors.append(
                RowError(row.line, "manager", value, Problem.TWO_MANAGERS, str(first.line))
            )
        elif first is not row or row.client.phones.count(number) > 1:
            errors.append(
                RowError(row.line, "phones", number, Problem.NUMBER_TWICE, str(first.line))
            )
    return errors


def _sort_out(session: Session, rows: list[ImportRow]) -> Report:
    """Tell new clients from known ones, and what would change."""
    owners = find_owners(session, [number for row in rows for number in row.client.phones])
    known = get_clients(session, set(owners.values()))
    changes: list[Change] = []
    taken: dict[int, ImportRow] = {}
    errors: list[RowError] = []
    removed = 0
    for row in rows:
        data = row.client
        ids = {owners[number]: number for number in data.phones if number in owners}
        if not ids:
            changes.append(Change(row.line, data))
            continue
        if len(ids) > 1:
            names = ", ".join(f"{number} – {known[key].name}" for key, number in ids.items())
            errors.append(RowError(row.line, "phones", "", Problem.TWO_CLIENTS, names))
            continue
        key = next(iter(ids))
        first = taken.setdefault(key, row)
        if first is not row:
            value = "|".join(data.phones)
            errors.append(
                RowError(row.line, "phones", value, Problem.CLIENT_TWICE, str(first.line))
            )
            continue
        before = known[key]
        # What the file has no column for stays as it is.
        data = replace(before, **{name: getattr(data, name) for name in row.columns})
        if same(before, data):
            continue
        changes.append(Change(row.line, data, before, key))
        removed += len(set(before.phones) - set(data.phones))
    if errors:
        return Report(errors=tuple(errors))
    updated = len([one for one in changes if one.client_id is not None])
    return Report(
        added=len(changes) - updated,
        updated=updated,
        unchanged=len(rows) - len(changes),
        numbers_removed=removed,
        changes=tuple(changes),
    )
