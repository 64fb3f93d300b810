"""The lab's Chromium: what it must notice, it notices."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.lab.browser import SCREENS, Chrome
from tests.lab.chromium import ensure_chromium
from tests.lab.errors import LabError

pytestmark = pytest.mark.asyncio(loop_scope="session")

PAGES = {
    "/favicon.ico": "no picture, but there",
    "/good": "<h1>Good</h1><p>Text</p>",
    "/script": "<h1>Bad</h1><script>document.title = 'run'</script>",
    "/bare": "<h1>Bare</h1><input type=text>",
    "/wide": "<h1>Wide</h1><table width=2000><tr><td>x</table>",
    "/loud": "<h1>Loud</h1><script src=/alert.js></script>",
    "/alert.js": "alert('hello'); throw new Error('broken');",
}


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        text = PAGES.get(self.path, "")
        script = self.path.endswith(".js")
        self.send_response(200 if text else 404)
        self.send_header("Content-Type", "text/javascript" if script else "text/html")
        self.send_header("Content-Security-Policy", "default-src 'self'")
        self.end_headers()
        around = '<!doctype html><html lang="en"><title>A page</title><main>'
        self.wfile.write((text if script else around + text).encode())

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    """Give the address of a few pages under a strict policy."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


async def test_a_good_page_is_quiet_at_every_size(
    chrome: Chrome, site: str, tmp_path: Path
) -> None:
    for screen, (width, height) in SCREENS.items():
        async with chrome.visitor(base_url=site, screen=screen) as visitor:
            await visitor.page.goto("/good")
            assert await visitor.violations() == []
            assert await visitor.sticking_out() == []
            picture = tmp_path / f"{screen}.png"
            await visitor.picture(picture)
            head = picture.read_bytes()[:24]
            assert (int.from_bytes(head[16:20]), int.from_bytes(head[20:24])) == (width, height)
            visitor.assert_quiet()


async def test_a_script_that_the_policy_forbids_is_noticed(chrome: Chrome, site: str) -> None:
    async with chrome.visitor(base_url=site) as visitor:
        await visitor.page.goto("/script")
        with pytest.raises(AssertionError, match="Content Security Policy"):
            visitor.assert_quiet()
        assert await visitor.page.title() == "A page"


async def test_dialogs_and_exceptions_are_noticed(chrome: Chrome, site: str) -> None:
    async with chrome.visitor(base_url=site) as visitor:
        await visitor.page.goto("/loud")
        assert "dialog: hello" in visitor.problems
        assert any("broken" in problem for problem in visitor.problems)


async def test_an_error_page_is_noticed_unless_expected(chrome: Chrome, site: str) -> None:
    async with chrome.visitor(base_url=site) as visitor:
        await visitor.page.goto("/lost")
        assert any("404" in problem for problem in visitor.problems)
        visitor.problems.clear()
        visitor.expected = {404}
        await visitor.page.goto("/lost")
        visitor.assert_quiet()


async def test_axe_finds_a_field_without_a_name(chrome: Chrome, site: str) -> None:
    async with chrome.visitor(base_url=site) as visitor:
        await visitor.page.goto("/bare")
        (found,) = await visitor.violations()
        assert found.startswith("critical: label")


async def test_what_sticks_out_is_named(chrome: Chrome, site: str) -> None:
    async with chrome.visitor(base_url=site, screen="phone") as visitor:
        await visitor.page.goto("/wide")
        assert any("2000" in markup for markup in await visitor.sticking_out())


async def test_a_visitor_has_the_language_and_the_scheme_asked_for(
    chrome: Chrome, site: str
) -> None:
    async with chrome.visitor(base_url=site, language="ru", scheme="dark") as visitor:
        await visitor.page.goto("/good")
        assert await visitor.page.evaluate("navigator.language") == "ru-RU"
        assert await visitor.page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")


async def test_a_program_that_is_no_chromium_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for program, said in (("/bin/true", "does not run"), ("/no/such", "does not run")):
        monkeypatch.setenv("DUTYLINE_LAB_CHROMIUM", program)
        with pytest.raises(LabError, match=said):
            ensure_chromium(tmp_path)
    old = tmp_path / "old"
    old.write_text("#!/bin/sh\necho Chromium 90.0.1.2\n")
    old.chmod(0o755)
    monkeypatch.setenv("DUTYLINE_LAB_CHROMIUM", str(old))
    with pytest.raises(LabError, match="older than"):
        ensure_chromium(tmp_path)
