"""Addresses of web sites become what a browser sends as Origin."""

import pytest

from web.sites.origins import origin_of


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("www.example.com", "https://www.example.com"),
        (" https://Example.com/ ", "https://example.com"),
        ("https://example.com:443", "https://example.com"),
        ("https://example.com:8443", "https://example.com:8443"),
        ("http://localhost:8000", "http://localhost:8000"),
        ("http://127.0.0.1", "http://127.0.0.1"),
        ("https://пример.рф", "https://xn--e1afmkfd.xn--p1ai"),
        ("http://example.com", None),
        ("https://example.com/shop", None),
        ("https://example.com?x", None),
        ("https://user@example.com", None),
        ("https://*.example.com", None),
        ("https://example.com:99999", None),
        ("https://[::1", None),
        ("javascript:alert(1)", None),
        ("data://x", None),
        ("null", "https://null"),
        ("", None),
        ("*", None),
        ("https://exa mple.com", None),
        ("https://example.com\x00", None),
        ("https://" + "a" * 300, None),
    ],
)
def test_what_people_type(text: str, origin: str | None) -> None:
    assert origin_of(text) == origin
