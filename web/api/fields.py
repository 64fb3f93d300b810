"""The fields of which the API's shapes are made: each with what it is about."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from marshmallow import ValidationError, fields, validate

MOST = 500
DEEPEST = 100_000_000
BIGGEST = 2**31 - 1
_PRINTABLE = r"^[^\x00-\x1f\x7f]*$"
_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST = datetime(2200, 1, 1, tzinfo=UTC)
_LOST_PLUS = re.compile(r" (?=\d\d:?\d\d$)")


class Fits(validate.Regexp):
    """The whole text is as a pattern says: to Python alone `$` lets a line end follow."""

    def __call__(self, value: Any) -> Any:
        """Return the text, or raise ValidationError."""
        if self.regex.fullmatch(value) is None:
            raise ValidationError(self._format_error(value))
        return value


def printable(most: int) -> list[Any]:
    """Return what a line of at most so many characters must be."""
    return [validate.Length(max=most), Fits(_PRINTABLE)]


class Instant(fields.AwareDateTime):
    """A moment of ISO 8601 with its offset; comes in between 1970 and 2200."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        # In an address an unescaped + is a space.
        if isinstance(value, str):
            value = _LOST_PLUS.sub("+", value)
        try:
            found = super()._deserialize(value, attr, data, **kwargs)
            return min(max(found, _EARLIEST), _LATEST).astimezone(UTC)
        except OverflowError:
            raise ValidationError("Not a valid datetime.") from None


def text(about: str, **more: Any) -> Any:
    """Return a text."""
    return fields.String(metadata={"description": about}, **more)


def code(kinds: Any, about: str, **more: Any) -> Any:
    """Return a code, one of a StrEnum."""
    return fields.Enum(kinds, by_value=True, metadata={"description": about}, **more)


def at(about: str, **more: Any) -> Any:
    """Return a moment."""
    return Instant(format="iso", metadata={"description": about}, **more)


def count(about: str, **more: Any) -> Any:
    """Return a whole number."""
    return fields.Integer(metadata={"description": about}, **more)


def extension(about: str) -> Any:
    """Return an extension."""
    return text(about, validate=Fits(r"^[0-9]{2,10}$", re.ASCII))


class Truth(fields.Boolean):
    """True or false as JSON has them, and nothing that might mean them."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        if not isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return value


class Whole(fields.Integer):
    """A whole number as JSON has them, and no text of digits."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        if type(value) is not int or abs(value) > BIGGEST:
            raise self.make_error("invalid", input=value)
        return value
