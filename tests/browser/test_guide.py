"""The pictures of the guides can still be taken: what they show is there, and works."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.browser.guide import PAGES, PICTURES, guided, take
from tests.lab.browser import Chrome

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_every_picture_of_the_guide_can_be_taken(chrome: Chrome, tmp_path: Path) -> None:
    pictures = tmp_path / "pictures"
    (tmp_path / "panel").mkdir()
    with guided(tmp_path / "panel") as url:
        assert await take(chrome, url, pictures) == sorted(PAGES)
    taken = {one.name for one in pictures.iterdir()}
    assert taken == {one.name for one in PICTURES.glob("*.png")}
