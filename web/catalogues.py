"""The panel's words in other languages: `python -m web.catalogues update|compile`.

`update` looks through web/ for messages and brings every messages.po up to date; what is new is
then translated by hand. `compile` makes the messages.mo that the panel reads, where they are older.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

HERE = Path(__file__).parent
FOLDER = HERE / "translations"
LANGUAGES = ("ru",)  # beside English, in which the messages are written

_METHODS = [("**.py", "python"), ("templates/**.html", "jinja2.ext.babel_extract")]
_OPTIONS = {"templates/**.html": {"trim_blocks": "true", "lstrip_blocks": "true"}}


def extracted() -> Catalog:
    """Return every message of the panel with the places where it stands."""
    # No dates: a catalogue that did not change must stay the same file.
    found = Catalog(project="Dutyline", charset="utf-8", header_comment="# Dutyline")
    for name, line, message, comments, context in extract_from_dir(
        HERE,
        _METHODS,
        _OPTIONS,
        keywords={
            "gettext": None,
            "lazy_gettext": None,
            "ngettext": (1, 2),
            "_": None,
        },
        comment_tags=(),
        callback=None,
    ):
        del line, comments
        found.add(message, None, [(name, None)], context=context)  # type: ignore[list-item]
    return found


def stored(language: str) -> Catalog:
    """Return a catalogue as it stands in the repository."""
    path = _path(language)
    if not path.exists():
        return Catalog(locale=language)
    with path.open("rb") as file:
        return read_po(file, locale=language)


def update() -> None:
    """Bring every catalogue up to date; nothing is guessed from similar messages."""
    fresh = extracted()
    for language in LANGUAGES:
        catalogue = stored(language)
        catalogue.update(fresh, no_fuzzy_matching=True)
        catalogue.obsolete.clear()
        catalogue.fuzzy = False
        catalogue.header_comment = "# The panel in " + catalogue.locale.english_name
        path = _path(language)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            write_po(
                file, catalogue, width=100, sort_output=True, omit_header=False, no_location=True
            )
        text = path.read_text(encoding="utf-8").splitlines(keepends=True)
        path.write_text(
            "".join(line for line in text if not line.startswith(_CHANGING)), encoding="utf-8"
        )
        missing = [message.id for message in catalogue if message.id and not _whole(message.string)]
        print(f"{language}: {len(catalogue)} messages, {len(missing)} without a translation")


_CHANGING = (
    '"POT-Creation-Date:',
    '"PO-Revision-Date:',
    '"Generated-By:',
    '"Last-Translator:',
    '"Language-Team:',
    '"Report-Msgid-Bugs-To:',
    '"Project-Id-Version:',
)


def compile_all() -> None:
    """Make every messages.mo that is missing or older than its messages.po."""
    for language in LANGUAGES:
        source = _path(language)
        target = source.with_suffix(".mo")
        if target.exists() and target.stat().st_mtime >= source.stat().st_mtime:
            continue
        with target.open("wb") as file:
            write_mo(file, stored(language))
        print(f"· compiled {target.relative_to(HERE.parent)}")


def _whole(translation: str | Sequence[str] | None) -> bool:
    parts = (translation,) if isinstance(translation, str) else translation
    return bool(parts) and all(parts or ())


def _path(language: str) -> Path:
    return FOLDER / language / "LC_MESSAGES" / "messages.po"


def main() -> int:
    """Do what the first argument says; returns the exit code."""
    actions = {"update": update, "compile": compile_all}
    if len(sys.argv) != 2 or sys.argv[1] not in actions:
        print("usage: python -m web.catalogues update|compile", file=sys.stderr)
        return 2
    actions[sys.argv[1]]()
    return 0


if __name__ == "__main__":
    sys.exit(main())
