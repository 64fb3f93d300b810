"""Pictures of every page for people to look at: `python -m tests.browser.screenshots OUTDIR`.

Each page at three sizes, in both languages and both colour schemes; further arguments choose, such
as `phone ru dark`.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from itertools import product
from pathlib import Path

from tests.browser.panel import Panel, open_panel
from tests.lab.axe import ensure_axe
from tests.lab.browser import LANGUAGES, SCHEMES, SCREENS, Chrome, open_chrome
from tests.lab.cache import default_cache
from tests.lab.chromium import ensure_chromium

VISITORS_PAGES = {"/sign-in": "sign-in", "/no/such/page": "not-found"}


async def take(panel: Panel, chrome: Chrome, folder: Path, chosen: set[str]) -> int:
    """Write the pictures into a folder; return how many there are."""
    async with panel.visitor(chrome, "chief") as visitor:
        pages = await panel.pages(visitor.page)
    count = 0
    screens = [one for one in SCREENS if one in chosen] or list(SCREENS)
    languages = [one for one in LANGUAGES if one in chosen] or list(LANGUAGES)
    schemes = [one for one in SCHEMES if one in chosen] or list(SCHEMES)
    for screen, language, scheme in product(screens, languages, schemes):
        name = f"{screen}-{language}-{scheme}.png"
        async with panel.visitor(
            chrome, screen=screen, language=language, scheme=scheme
        ) as visitor:
            for path, words in VISITORS_PAGES.items():
                await visitor.page.goto(path)
                await visitor.picture(folder / f"{words}-{name}")
                count += 1
        async with panel.visitor(
            chrome, "chief", screen=screen, language=language, scheme=scheme
        ) as visitor:
            for path, words in pages.items():
                await visitor.page.goto(path)
                # A long page at its whole length, except where the size itself is looked at.
                await visitor.picture(folder / f"{words}-{name}", whole=screen != "4k")
                count += 1
    return count


async def main(arguments: list[str]) -> int:
    """Run the command line; return its exit code."""
    known = {*SCREENS, *LANGUAGES, *SCHEMES}
    if not arguments or not set(arguments[1:]) <= known:
        print(f"usage: python -m tests.browser.screenshots OUTDIR [{'|'.join(known)}]…")
        return 2
    folder = Path(arguments[0])
    folder.mkdir(parents=True, exist_ok=True)
    cache = default_cache()
    tree, axe = ensure_chromium(cache, print), ensure_axe(cache, print)
    with tempfile.TemporaryDirectory(prefix="dutyline-pictures-") as run:
        async with open_panel(Path(run)) as panel, open_chrome(tree, axe) as chrome:
            count = await take(panel, chrome, folder, set(arguments[1:]))
    print(f"{count} pictures in {folder}")
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1:])))
