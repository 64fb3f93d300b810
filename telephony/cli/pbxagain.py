"""With which options `dutyline pbx-config` made its files: written into their head, read back."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from telephony.asterisk.lines import Fallback

FILE = "dutyline_extensions.conf"
_HEAD = "; Made by: dutyline pbx-config "
# These say where to write, not what.
_APART = ("write", "again")


def with_head(text: str, options: str) -> str:
    """Return a file's text with the options that made it in its first line."""
    return f"{_HEAD}{options}\n{text}"


def options_in(text: str) -> str | None:
    """Return the options in a file's first line, None without any."""
    first = text.partition("\n")[0]
    return first.removeprefix(_HEAD) if first.startswith(_HEAD) else None


def options_of(context: click.Context) -> str:
    """Return the options that a command was given, or has from `--again`, as one would type them.

    Those left at their usual value are left out.
    """
    words: list[str] = []
    for parameter in context.command.params:
        name = parameter.name or ""
        usual = context.get_parameter_source(name) is ParameterSource.DEFAULT
        if name in _APART or usual or not isinstance(parameter, click.Option):
            continue
        value = context.params[name]
        if isinstance(value, bool):
            words.append((parameter.opts if value else parameter.secondary_opts)[0])
        elif value is not None:
            words += [parameter.opts[0], _typed(value)]
    return shlex.join(words)


def take_again(context: click.Context, _parameter: object, folder: Path | None) -> Path | None:
    """Let the options of the files in a folder be the usual ones, and write there."""
    if folder is None:
        return None
    try:
        text = (folder / FILE).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise click.BadParameter(f"{folder / FILE} cannot be read: {error}") from None
    options = options_in(text)
    if options is None:
        raise click.BadParameter(f"{folder / FILE} does not say how it was made: give all options")
    try:
        known, rest, _ = context.command.make_parser(context).parse_args(shlex.split(options))
    except (click.UsageError, ValueError) as error:
        raise click.BadParameter(f"the first line of {folder / FILE}: {error}") from None
    if rest:
        raise click.BadParameter(f"the first line of {folder / FILE} was changed by hand")
    context.default_map = {**known, "write": str(folder)}
    return folder


def _typed(value: Any) -> str:
    if isinstance(value, Fallback):
        return f"{value.kind}:{value.value.replace('&', ',')}"
    if isinstance(value, tuple):
        return ".".join(map(str, value))
    return str(value)
