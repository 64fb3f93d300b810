"""The pictures of the guides: `python -m tests.browser.guide` writes docs/pictures anew.

A company of its own, set up by a file as an admin would write it, in the real panel.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from telephony.accounts import Role
from telephony.accounts.passwords import Passwords
from telephony.accounts.users import make_user
from telephony.settings import read_settings
from telephony.store.client_changes import save_clients
from telephony.store.clients import ClientData
from telephony.store.engine import open_engine, writing
from tests.browser.guidecases import add_week
from tests.browser.panel import PASSWORD, served, sign_in
from tests.lab.axe import ensure_axe
from tests.lab.browser import Chrome, open_chrome
from tests.lab.cache import default_cache
from tests.lab.chromium import ensure_chromium

PICTURES = Path(__file__).parents[2] / "docs" / "pictures"
LOGIN = "olga"
DID = "74951234567"
CLIENT = "+79001112233"
# Name of the picture → address of its page, and what is done there: `try` asks about a call, any
# other word is the id of what the picture begins with.
PAGES: dict[str, tuple[str, str]] = {
    "duty": ("/duty/groups/sales", ""),
    "number": (f"/numbers/{DID}", "rules-title"),
    "hours": ("/hours/office", ""),
    "explain": (f"/explain?did={DID}&number={CLIENT.replace('+', '%2B')}&at={{noon}}", ""),
    "what-if": (f"/numbers/{DID}", "try"),
    "history": ("/changes", ""),
    "missed": ("/missed", ""),
    "figures": ("/missed/figures?by=hour", "figures"),
}


def company(now: datetime) -> str:
    """Return the set-up's file, with an absence and an override in the week of `now`."""
    monday = (now - timedelta(days=now.weekday())).date()
    away, back = monday + timedelta(days=3), monday + timedelta(days=4)
    return f"""\
operators:
  - {{extension: "101", name: Anna Petrova, mobile: "+79161110001", deputy: "102"}}
  - {{extension: "102", name: Boris Orlov}}
  - {{extension: "103", name: Vera Smirnova, mobile: "+79161110003"}}
  - {{extension: "104", name: Gleb Ivanov}}
  - {{extension: "105", name: Dina Kim}}
groups:
  - name: sales
    zone: Europe/Moscow
    default: true
    queue: {{name: sales}}
    shifts:
      - {{operator: "101", days: mon-fri, start: "09:00", end: "17:00", lunch: "13:00-14:00",
         cover: "102"}}
      - {{operator: "102", days: mon-fri, start: "11:00", end: "19:00", lunch: "15:00-16:00"}}
      - {{operator: "105", days: sat, start: "10:00", end: "16:00"}}
    rotations:
      - {{turns: ["103", "104"], first: {monday}, length: 7, handover: "09:00", start: "19:00",
         end: "09:00"}}
    overrides:
      - {{operators: ["105"], start: {away} 11:00, end: {away} 19:00, instead_of: ["102"]}}
  - name: support
    zone: Europe/Moscow
    shifts:
      - {{operator: "104", days: mon-fri, start: "09:00", end: "18:00"}}
absences:
  - {{operator: "101", from: {back}, to: {back}, kind: sick, cover: "105"}}
hours:
  - name: office
    zone: Europe/Moscow
    open: [{{days: mon-fri, start: "09:00", end: "19:00"}}]
    country: RU
    days:
      - {{day: {now.year}-12-31, name: "New Year's Eve", open: ["09:00-14:00"]}}
dids:
  - {{number: "{DID}", group: sales, title: Sales, hours: office, last_operator_days: 14,
     overflow: support}}
"""


async def take(chrome: Chrome, url: str, folder: Path) -> list[str]:
    """Write every picture into a folder; return their names.

    AssertionError when a page does not come, or says something in the browser's console.
    """
    folder.mkdir(parents=True, exist_ok=True)
    # The next Tuesday: somebody is there, and nothing of this week is in the way.
    ahead = (1 - datetime.now(UTC).weekday()) % 7 or 7
    noon = f"{datetime.now(UTC) + timedelta(days=ahead):%Y-%m-%d}T12:00"
    async with chrome.visitor(base_url=url, screen="desktop") as visitor:
        await sign_in(visitor.page, LOGIN)
        for name, (address, does) in PAGES.items():
            answer = await visitor.page.goto(address.format(noon=noon))
            assert answer is not None
            assert answer.status == 200, f"{name}: {answer.status}"
            if does == "try":
                await visitor.page.locator('[name="steps.manager_mobile.enabled"]').evaluate(
                    "box => { box.closest('details').open = true; box.checked = true }"
                )
                await visitor.page.locator("#call-number").fill(CLIENT)
                await visitor.page.locator("#call-at").fill(noon)
                await visitor.page.locator('button[name="try"]').click()
                await visitor.page.locator("#answer-head").scroll_into_view_if_needed()
                await visitor.page.locator("#answer-head").evaluate("head => head.scrollIntoView()")
            elif does:
                await visitor.page.locator(f"#{does}").evaluate("head => head.scrollIntoView()")
            await visitor.picture(folder / f"{name}.png", whole=False)
        visitor.assert_quiet()
    return sorted(PAGES)


@contextmanager
def guided(place: Path) -> Iterator[str]:
    """Make the company in a folder and open its panel; give the address."""
    environment = {
        **os.environ,
        "DUTYLINE_DATABASE_URL": f"sqlite:///{place / 'guide.db'}",
        "DUTYLINE_DATA_DIR": str(place),
        "DUTYLINE_SOUNDS_DIR": str(place / "sounds"),
    }

    def command(*arguments: str) -> None:
        argv = [sys.executable, "-m", "telephony", *arguments]
        subprocess.run(argv, env=environment, check=True, stdout=subprocess.DEVNULL)

    command("migrate")
    (place / "office.yaml").write_text(company(datetime.now(UTC)), encoding="utf-8")
    command("config", "apply", str(place / "office.yaml"))
    settings = read_settings(environment, without=frozenset({"ami_secret", "token"}))
    engine = open_engine(settings.database_url)
    with writing(engine) as session:
        hashed = Passwords().hash(PASSWORD)
        make_user(session, LOGIN, "Olga", Role.ADMIN, "105", hashed, datetime.now(UTC))
        save_clients(session, [ClientData("Romashka LLC", (CLIENT,), "101")])
        add_week(session, datetime.now(UTC), DID, "sales")
    engine.dispose()
    with served(environment, place / "web.log") as url:
        yield url


async def main() -> int:
    """Make the company, open the panel, take the pictures."""
    cache = default_cache()
    tree = await asyncio.to_thread(ensure_chromium, cache)
    axe = await asyncio.to_thread(ensure_axe, cache)
    folder = tempfile.TemporaryDirectory(prefix="dutyline-guide-")
    with folder as place, guided(Path(place)) as url:
        async with open_chrome(tree, axe) as chrome:
            print("\n".join(await take(chrome, url, PICTURES)))
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
