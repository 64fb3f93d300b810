"""Which pages there are: from the application's own map of addresses, and the links in them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from flask import Flask
from playwright.async_api import Page
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Rule

# Not pages for people: what machines read, files, what a click downloads.
_NOT_PAGES = ("/api/v1/", "/static", "/healthz", "/readyz", "/metrics", "/calendar/", "/widget/")
_YET_PAGES = {"/api/v1/"}
# Pages that lead elsewhere as long as nothing was done: tests/browser/states.py does it.
LEAD_AWAY = {
    "/sign-in",
    "/sign-in/code",
    "/profile/second-step/off",
    "/profile/second-step/codes",
}


def _rules(app: Flask) -> Iterator[Rule]:
    for rule in app.url_map.iter_rules():
        if (
            "GET" in (rule.methods or ())
            and (rule.rule in _YET_PAGES or not rule.rule.startswith(_NOT_PAGES))
            and not rule.rule.endswith((".csv", ".wav", ".yaml", ".js"))
        ):
            yield rule


def addresses(app: Flask) -> list[str]:
    """Return the addresses of all pages that need nothing more to be known."""
    return sorted({rule.rule for rule in _rules(app) if not rule.arguments})


def with_parts(app: Flask) -> set[str]:
    """Return the endpoints of all pages whose address names a thing, such as a call."""
    return {rule.endpoint for rule in _rules(app) if rule.arguments}


def endpoint(app: Flask, path: str) -> str | None:
    """Return the endpoint a path leads to, None when it leads nowhere."""
    try:
        found, _ = app.url_map.bind("localhost").match(path)
    except HTTPException:
        return None
    return str(found)


def address(app: Flask, name: str) -> str:
    """Return an address of an endpoint, with 1 for each thing that it names."""
    rule = next(one for one in app.url_map.iter_rules(name) if "GET" in (one.methods or ()))
    values: dict[str, Any] = {**dict.fromkeys(rule.arguments, 1), **(rule.defaults or {})}
    return str(app.url_map.bind("localhost").build(name, values, method="GET"))


async def visit(page: Page, path: str) -> None:
    """Open a page. AssertionError when its address leads to another one."""
    await page.goto(path)
    assert urlsplit(page.url).path == path, f"{path} leads to {page.url}"


async def every_page(page: Page, app: Flask) -> dict[str, str]:
    """Return address → endpoint: each page without arguments, and one of each kind with.

    `page` must be signed in as somebody who may open all of them.
    """
    found = {path: endpoint(app, path) or "" for path in addresses(app) if path not in LEAD_AWAY}
    waiting = list(found)
    wanted = with_parts(app)
    while waiting and wanted:
        await visit(page, waiting.pop(0))
        links: list[str] = await page.locator("a[href]").evaluate_all(
            # Not link.href: of a link within a picture it is no text.
            "links => links.map(link => new URL(link.getAttribute('href'), document.URL).href)"
        )
        for link in links:
            path = urlsplit(link).path
            leads_to = endpoint(app, path)
            if leads_to in wanted:
                wanted.discard(leads_to)
                found[path] = leads_to
                waiting.append(path)
    return found
