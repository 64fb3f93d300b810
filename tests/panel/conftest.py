"""The panel, on both databases where `panel` is asked for, on SQLite alone for `quick_panel`."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from telephony.settings import Settings, read_settings
from telephony.store.engine import open_engine, writing
from telephony.store.setup import replace_setup
from tests.databases.conftest import (
    database_url,
    engine,
    migrated,
    migrated_name,
    postgres,
)
from tests.databases.samples import a_setup
from tests.panel.people import Browser, Panel, open_panel

__all__ = ["database_url", "engine", "migrated", "migrated_name", "postgres"]

WITHOUT = frozenset({"ami_secret", "token"})


def settings_in(folder: Path, **more: str) -> Settings:
    """Return settings whose key file is in `folder`."""
    return read_settings({"DUTYLINE_DATA_DIR": str(folder), **more}, without=WITHOUT)


@pytest.fixture
def panel(engine: Engine, tmp_path: Path) -> Panel:
    """Give a panel on an empty database, once on each kind."""
    return open_panel(settings_in(tmp_path), engine)


@pytest.fixture
def admin(panel: Panel) -> Browser:
    """Give an admin's browser over a panel with a small set-up."""
    with writing(panel.engine) as session:
        replace_setup(session, a_setup())
    return panel.signed_in("admin")


@pytest.fixture
def quick_panel(migrated: bytes, tmp_path: Path) -> Iterator[Panel]:
    """Give a panel on SQLite: for what does not depend on the database."""
    path = tmp_path / "dutyline.db"
    path.write_bytes(migrated)
    engine = open_engine(f"sqlite:///{path}")
    yield open_panel(settings_in(tmp_path), engine)
    engine.dispose()
