"""What pages are made of: static files, icons, the list of packages."""

from __future__ import annotations

import base64
import hashlib
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.panel.people import Panel
from web import assets, vendor
from web.pages import Paging
from web.rights import public

WEB = Path(assets.__file__).parent


def _packages() -> list[dict[str, Any]]:
    packages: list[dict[str, Any]] = tomllib.loads(assets.LIST.read_text(encoding="utf-8"))[
        "package"
    ]
    return packages


def test_every_package_is_pinned() -> None:
    for package in _packages():
        assert re.fullmatch(r"\d+\.\d+\.\d+", package["version"]), package["name"]
        assert re.fullmatch(r"sha512-[A-Za-z0-9+/]{86}==", package["integrity"]), package["name"]
    assert "://" not in assets.LIST.read_text(encoding="utf-8")


def test_every_icon_that_is_used_is_in_the_sprite() -> None:
    (listed,) = [set(package["icons"]) for package in _packages() if "icons" in package]
    used: set[str] = set()
    for path in (WEB / "templates").rglob("*.html"):
        used |= set(re.findall(r"icon\(\"([a-z0-9-]+)\"", path.read_text(encoding="utf-8")))
    menu = (WEB / "pages.py").read_text(encoding="utf-8")
    used |= set(re.findall(r"Entry\(\"[\w.]+\", \"([a-z0-9-]+)\"", menu))
    assert len(used) > 25
    assert used <= listed
    sprite = (vendor.FOLDER / "vendor" / "icons.svg").read_text(encoding="utf-8")
    assert set(re.findall(r'<symbol id="([a-z0-9-]+)"', sprite)) == listed


def test_an_archive_with_another_hash_is_refused() -> None:
    integrity = "sha512-" + base64.b64encode(hashlib.sha512(b"archive").digest()).decode()
    assert assets.check_integrity(b"archive", integrity)
    assert not assets.check_integrity(b"archivE", integrity)
    assert not assets.check_integrity(b"archive", integrity.replace("sha512", "sha1"))
    assert not assets.check_integrity(b"archive", "")


def test_nothing_is_fetched_when_it_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> list[str]:
        raise AssertionError("npm was run")

    monkeypatch.setattr(assets, "npm", fail)
    assert assets.make() is False


def test_a_sprite_takes_its_colour_from_the_text() -> None:
    icon = b'<svg><path stroke="none" d="M0 0h24"/><path d="M1 1" /></svg>'
    made = assets.sprite({"one": icon})
    assert '<symbol id="one" viewBox="0 0 24 24"><path d="M1 1" /></symbol>' in made
    assert "stroke=" not in made


def test_static_files_are_kept_long_under_addresses_with_their_hash(quick_panel: Panel) -> None:
    browser = quick_panel.browser()
    page = browser.get("/sign-in").text
    addresses = re.findall(r'(?:href|src)="(/static/[^"]+)"', page)
    assert len(addresses) >= 5
    for address in addresses:
        answer = browser.get(address.partition("#")[0])
        assert answer.status_code == 200, address
        name, _, version = address.partition("#")[0].removeprefix("/static/").partition("?v=")
        content = (vendor.FOLDER / name).read_bytes()
        assert hashlib.sha256(content).hexdigest().startswith(version)
        assert "immutable" in answer.headers["Cache-Control"]
    assert browser.get("/static/panel.css").headers["Cache-Control"] == "no-cache"
    assert "no-store" in browser.get("/sign-in").headers["Cache-Control"]
    for outside in ("../__init__.py", "%2e%2e/__init__.py", "vendor/../../pages.py", "nothing.css"):
        assert browser.get(f"/static/{outside}").status_code == 404


def test_the_typeface_is_our_own_in_both_scripts(quick_panel: Panel) -> None:
    (package,) = [one for one in _packages() if one["name"].endswith("/inter")]
    names = set(package["files"].values())
    assert all(package["version"] in name for name in names)
    styles = (vendor.FOLDER / "panel.css").read_text(encoding="utf-8")
    faces = re.findall(r"@font-face \{[^}]+\}", styles)
    assert {re.findall(r"vendor/([^\"]+)", face)[0] for face in faces} == names
    assert all("font-display: swap" in face for face in faces)
    assert re.search(r'font-sans-serif: "Inter", system-ui', styles)
    (cyrillic,) = [face for face in faces if "cyrillic" in face]
    assert "U+0400-045F" in cyrillic
    for language, preloaded in (("en", 1), ("ru", 2)):
        browser = quick_panel.browser(language=language)
        page = browser.get("/sign-in").text
        found = re.findall(r'rel="preload" as="font"[^>]* href="([^"]+)"', page)
        assert len(found) == preloaded
        for address in found:
            assert address.rpartition("/")[2] in names
            answer = browser.get(address)
            assert answer.status_code == 200
            assert answer.mimetype == "font/woff2"
            assert "immutable" in answer.headers["Cache-Control"]
            assert answer.data.startswith(b"wOF2")


def test_large_files_are_sent_compressed(quick_panel: Panel) -> None:
    browser = quick_panel.browser()
    path = "/static/vendor/tabler.css?v=1"
    small = browser.get(path, headers={"Accept-Encoding": "gzip, br"})
    assert small.headers["Content-Encoding"] == "gzip"
    assert small.headers["Content-Type"] == "text/css; charset=utf-8"
    assert "Content-Encoding" not in browser.get(path).headers
    assert len(small.data) < 100_000


@pytest.mark.parametrize(
    ("number", "total", "shown"),
    [
        (1, 0, [1]),
        (1, 50, [1]),
        (2, 120, [1, 2, 3]),
        (7, 1000, [1, 2, None, 6, 7, 8, None, 19, 20]),
        (20, 1000, [1, 2, None, 19, 20]),
    ],
)
def test_the_pages_that_a_list_shows(number: int, total: int, shown: list[int | None]) -> None:
    assert Paging(number, 50, total).shown() == shown


def test_error_pages_have_the_look_and_say_what_to_do(quick_panel: Panel) -> None:
    def broken() -> str:
        raise RuntimeError("the secret is 42")

    quick_panel.app.add_url_rule("/broken", "broken", public(broken))
    answer = quick_panel.browser().get("/broken")
    assert answer.status_code == 500
    assert "Something went wrong on our side" in answer.text
    assert "the secret" not in answer.text
    for browser in (quick_panel.browser(), quick_panel.signed_in("oper")):
        answer = browser.get("/no-such-page")
        assert answer.status_code == 404
        assert "There is no such page" in answer.text
        assert 'class="btn btn-primary"' in answer.text
    assert quick_panel.browser().client.delete("/sign-in").status_code == 405
