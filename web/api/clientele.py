"""The shapes of clients and of the block list."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields, validate

from telephony.domain.directory import Stage
from web.api.fields import BIGGEST, Truth, Whole, at, code, count, extension, printable, text
from web.api.schemas import Ordered, Paged, listed
from web.api.setupshapes import FieldOf


class ClientsFileQuery(Schema):
    """Which clients."""

    q = text(
        "Words of the name, or a number in any notation or its last four digits or more",
        validate=printable(100),
    )
    manager = extension("The extension of one of their managers")


class ClientsQuery(Ordered, ClientsFileQuery):
    """Which clients."""

    sort = text("By name, then id", load_default="name", validate=validate.OneOf(["name"]))


class ImportedOf(Schema):
    """A row of a file that adds or changes a client."""

    line = count("Where the row begins in the file, from 1", required=True)
    client_id = count("The client's id; null: it is new", required=True, allow_none=True)
    name = text("The client's name in the file", required=True)
    fields_ = fields.List(
        fields.Nested(FieldOf),
        data_key="fields",
        attribute="fields",
        required=True,
        metadata={"description": "What changes of a client that there is"},
    )


class Imported(Schema):
    """What a file did, or would do."""

    applied = fields.Boolean(required=True, metadata={"description": "Whether it was written"})
    added = count("Clients that are new", required=True)
    updated = count("Clients that changed", required=True)
    unchanged = count("Clients that are as the file says", required=True)
    numbers_removed = count("Numbers that the file does not name any more", required=True)
    changes = fields.List(
        fields.Nested(ImportedOf),
        required=True,
        metadata={"description": "The first hundred rows that add or change"},
    )


class ClientLine(Schema):
    """A client."""

    id = count("Its id", required=True)
    name = text("Its name", required=True)
    phones = fields.List(fields.String(), required=True)
    stage = code(Stage, "Whose calls they are: a lead's the sales manager's", required=True)
    manager = text("The account manager's extension", required=True, allow_none=True)
    sales_manager = text("The sales manager's extension", required=True, allow_none=True)
    deputy = text("The deputy's extension", required=True, allow_none=True)
    vip = fields.Boolean(required=True)


class OneClient(ClientLine):
    """A client with notes and time zone."""

    notes = text("Notes", required=True)
    zone = text("IANA name of the time zone; null: the number's", required=True, allow_none=True)
    version = count("Grows with every change of the client", required=True)


class ClientBody(Schema):
    """A client as a whole: a field that is not there is empty."""

    name = text("Its name, up to 100 characters", required=True)
    phones = fields.List(
        fields.String(),
        required=True,
        metadata={"description": "Numbers in any notation, up to 50; kept in E.164"},
    )
    stage = code(Stage, "lead or customer", load_default=Stage.CUSTOMER)
    manager = text("The account manager's extension", load_default=None, allow_none=True)
    sales_manager = text("The sales manager's extension", load_default=None, allow_none=True)
    deputy = text("The deputy's extension", load_default=None, allow_none=True)
    vip = Truth(load_default=False, metadata={"description": "Rings the manager at lunch, too"})
    notes = text("Up to 2000 characters", load_default="")
    zone = text(
        "IANA name of the time zone, where it is another than the number's; null: the number's",
        load_default=None,
        allow_none=True,
    )
    version = Whole(metadata={"description": "The version that was read: 409 when it is another"})


class ClientPatch(ClientBody):
    """What is to change of a client; what is not there stays."""

    def __init__(self, **kwargs: Any) -> None:
        """Take the same fields, none of them required or filled in."""
        super().__init__(**{**kwargs, "partial": True})


class VersionQuery(Schema):
    """Which version is meant."""

    version = count(
        "The version that was read: 409 when it is another by now",
        validate=validate.Range(min=0, max=BIGGEST),
    )


class BlockedQuery(Paged):
    """Which lines of the block list, the latest first."""

    q = text(
        "A part of the number, of the reason or of who added it",
        validate=printable(100),
    )


class OneBlocked(Schema):
    """A line of the block list."""

    id = count("Its id", required=True)
    pattern = text("A number, + and first digits and *, or hidden", required=True)
    reason = text("Why", required=True)
    added_by = text("A login, or the name of a token", required=True)
    added_at = at("When it was added", required=True)
    until = at("When it stops to count", required=True, allow_none=True)
    counts = fields.Boolean(required=True, metadata={"description": "Whether it counts now"})


class BlockedChange(Schema):
    """Why a line is there, and until when."""

    reason = text("Why, up to 200 characters", required=True)
    until = at("When it stops to count; null: never", load_default=None, allow_none=True)


class BlockedBody(BlockedChange):
    """A new line of the block list."""

    pattern = text(
        "A number in any notation, its first digits with + and * (+7900*), or hidden",
        required=True,
    )
    even_clients = Truth(
        load_default=False,
        metadata={"description": "Block it although clients have such numbers"},
    )


ClientList = listed(ClientLine)
BlockedList = listed(OneBlocked)
