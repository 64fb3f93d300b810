"""Fixtures of the lab's own tests."""

from collections.abc import Iterator

import pytest

from tests.asterisk.lab_bench import EXTENSIONS, MOBILE
from tests.lab.asterisk import Asterisk
from tests.lab.asterisk_tree import AsteriskTree, ensure_asterisk
from tests.lab.cache import default_cache


@pytest.fixture(scope="module")
def tree() -> AsteriskTree:
    """The cached Asterisk."""
    return ensure_asterisk(default_cache(), print)


@pytest.fixture(scope="module")
def pbx(tree: AsteriskTree, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asterisk]:
    """One running Asterisk for all tests here."""
    files = {"dutyline_extensions.conf": EXTENSIONS}
    with Asterisk(tree, tmp_path_factory.mktemp("pbx"), files=files) as running:
        # Mobiles are dialled from a phone through a context of the test's own.
        running.write(
            "extensions.conf",
            (running.etc / "extensions.conf").read_text(encoding="utf-8")
            + f"exten => {MOBILE},1,Goto(dutyline-mobile,${{EXTEN}},1)\n",
        )
        running.reload()
        yield running
