"""The pages of web sites with a callback button, on both databases."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape
from typing import Any

import pytest
from sqlalchemy import Engine

from telephony.store.audit import list_audit
from telephony.store.engine import reading, writing
from telephony.store.sites import Counted, Site, add_site, count_day, list_sites
from tests.panel.people import START, Browser, Panel
from tests.panel.test_clients_editing import errors

FORM = {
    "title": " Shop <b>\u202e ",
    "origins": "shop.example\r\n\r\nhttps://www.shop.example/\r\nhttps://shop.example",
    "did": "74951234567",
    "language": "ru",
    "enabled": "y",
    "site_hour": "30",
    "address_hour": "4",
    "number_hour": "2",
}


def stored(engine: Engine) -> list[Site]:
    with reading(engine) as session:
        return list_sites(session)


def noted(engine: Engine) -> list[tuple[str, str, dict[str, Any]]]:
    with reading(engine) as session:
        lines, _ = list_audit(session, limit=20, offset=0)
    return [
        (one.action, one.target, one.details)
        for one in reversed(lines)
        if one.action.startswith("site.")
    ]


def test_a_site_is_added_changed_and_deleted(panel: Panel, admin: Browser) -> None:
    assert "No site has the button" in admin.get("/sites").text
    answer = admin.send("/sites/new", **FORM)
    assert answer.status_code == 302, answer.text
    (site,) = stored(panel.engine)
    assert answer.headers["Location"] == f"/sites/{site.key}"
    assert site == Site(
        key=site.key,
        title="Shop <b>",
        origins=("https://shop.example", "https://www.shop.example"),
        did="74951234567",
        language="ru",
        enabled=True,
        site_hour=30,
        address_hour=4,
        number_hour=2,
        created_at=START,
    )
    assert re.fullmatch(r"[\w-]{12}", site.key)
    page = admin.get(f"/sites/{site.key}").text
    snippet = f'<script src="http://127.0.0.1:8080/widget/{site.key}.js" async></script>'
    found = re.search(r'<code translate="no">(.*?)</code>', page)
    assert found is not None
    assert re.sub(r"//[^/]+/", "//x/", unescape(found[1])) == re.sub(r"//[^/]+/", "//x/", snippet)
    assert "Shop &lt;b&gt;" in page
    assert "Shop <b>" not in page
    assert admin.get(f"/widget/{site.key}.js").status_code == 200

    changed = {**FORM, "title": "Shop", "site_hour": "31"}
    del changed["enabled"]
    assert admin.send(f"/sites/{site.key}", **changed).status_code == 302
    (after,) = stored(panel.engine)
    assert after == replace(site, title="Shop", site_hour=31, enabled=False)
    assert admin.get(f"/widget/{site.key}.js").status_code == 404
    assert "does not work yet" in admin.get(f"/sites/{site.key}").text
    assert '"title": "Shop"' in admin.get(f"/sites/{site.key}/preview.js").text

    with writing(panel.engine) as session:
        count_day(session, site.key, Counted.TAKEN, START)
    assert "1 taken" in admin.get("/sites").text
    assert "Delete Shop?" in admin.get(f"/sites/{site.key}/delete").text
    assert stored(panel.engine) != []
    assert admin.send(f"/sites/{site.key}/delete").status_code == 302
    assert stored(panel.engine) == []
    assert [(action, target) for action, target, _ in noted(panel.engine)] == [
        ("site.added", "Shop <b>"),
        ("site.changed", "Shop"),
        ("site.removed", "Shop"),
    ]
    assert noted(panel.engine)[1][2] == {
        "title": {"old": "Shop <b>", "new": "Shop"},
        "enabled": {"old": True, "new": False},
        "site_hour": {"old": 30, "new": 31},
    }
    assert "added a web site with a callback button" in admin.get("/audit").text


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("title", " \u202e ", "Enter 1 to 60 characters."),
        ("title", "x" * 61, "Enter 1 to 60 characters."),
        ("origins", "", "Enter 1 to 20 addresses."),
        ("origins", "\n".join(f"s{nth}.example" for nth in range(21)), "Enter 1 to 20 addresses."),
        ("origins", "http://shop.example", "http://shop.example: enter an address such as"),
        ("origins", "null\n*", "*: enter an address such as"),
        ("did", "74950000000", "Choose one of those listed."),
        ("language", "de", "Choose one of those listed."),
        ("site_hour", "0", "Enter 1 to 10000."),
        ("address_hour", "10001", "Enter 1 to 10000."),
        ("number_hour", "1.5", "Enter a whole number."),
        ("number_hour", "²", "Enter a whole number."),
    ],
)
def test_what_is_wrong_stands_beside_its_field(
    panel: Panel, admin: Browser, field: str, value: str, words: str
) -> None:
    answer = admin.send("/sites/new", **{**FORM, field: value})
    assert answer.status_code == 422
    assert words in " ".join(errors(answer.text))
    assert stored(panel.engine) == []


def test_a_number_that_is_gone_stays_chosen(panel: Panel, admin: Browser) -> None:
    site = Site("k", "Shop", ("https://shop.example",), "74959999999", "", True, 1, 1, 1, START)
    with writing(panel.engine) as session:
        add_site(session, site)
    assert "deleted" in admin.get("/sites").text
    form = {**FORM, "did": site.did}
    assert admin.send("/sites/k", **form).status_code == 302
    assert stored(panel.engine)[0].did == site.did
    assert admin.get("/sites/none").status_code == 404
    assert admin.get("/sites/%00").status_code == 404
