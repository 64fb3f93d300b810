"""The lab's servers: a real Asterisk, a real PostgreSQL, sipp, and the cache they lie in."""

import os
import re
from pathlib import Path

import pytest

from tests.asterisk.lab_bench import EXTENSIONS, runs
from tests.lab.asterisk import Asterisk, Endpoint
from tests.lab.asterisk_tree import AsteriskTree, wanted_modules
from tests.lab.cache import building, default_cache, is_ready
from tests.lab.errors import LabError
from tests.lab.ports import free_port
from tests.lab.postgres import Postgres, ensure_postgres
from tests.lab.sipp import Sipp, ensure_sipp


def test_every_module_loads_and_the_log_is_clean(pbx: Asterisk) -> None:
    shown = pbx.cli("module show")
    missing = [
        name
        for name in wanted_modules()
        if (pbx.tree.modules / f"{name}.so").exists() and f"{name}.so" not in shown
    ]
    assert missing == []
    assert "Not Running" not in shown
    assert not re.search(r"Error loading module|ERROR\[", pbx.log())


def test_needed_modules_are_in_the_tree(tree: AsteriskTree) -> None:
    for name in ("app_waitforcond", "app_exec", "app_queue", "app_mixmonitor", "res_agi"):
        assert (tree.modules / f"{name}.so").exists()


def test_server_is_not_root(pbx: Asterisk) -> None:
    assert pbx.pid is not None
    status = Path(f"/proc/{pbx.pid}/status").read_text(encoding="ascii")
    assert pbx.note or not re.search(r"^Uid:\s+0\b", status, re.M)


def test_skipped_module_is_absent_and_added_file_is_read(
    tree: AsteriskTree, tmp_path: Path
) -> None:
    files = {"queues.conf": "[general]\n[night]\nstrategy = linear\n"}
    other = Asterisk(
        tree,
        tmp_path / "pbx",
        files=files,
        skip_modules=["app_waitforcond"],
        endpoints=[Endpoint("201", "x")],
        full_log=True,
    )
    with other:
        assert "app_waitforcond" not in other.cli("module show")
        assert "night" in other.cli("queue show")
        assert "201" in other.cli("pjsip show endpoints")
        assert "VERBOSE" in other.log()
        assert (tmp_path / "pbx" / "etc" / "queues.conf").exists()


def test_kill_pause_and_restart(tree: AsteriskTree, tmp_path: Path) -> None:
    with Asterisk(tree, tmp_path / "pbx") as other:
        ports = (other.sip_port, other.ami_port)
        first = other.pid
        other.kill()
        assert not runs(other)
        with pytest.raises(LabError):
            other.cli("core show version")
        other.start()
        assert other.pid not in (None, first)
        assert (other.sip_port, other.ami_port) == ports
        other.pause()
        stat = Path(f"/proc/{other.pid}/stat").read_text(encoding="ascii")
        assert stat.rpartition(")")[2].split()[0] == "T"
        other.resume()
        assert "Asterisk 2" in other.cli("core show version")
    assert not runs(other)


def test_a_broken_configuration_is_told_with_the_log(tree: AsteriskTree, tmp_path: Path) -> None:
    other = Asterisk(tree, tmp_path / "pbx", files={"modules.conf": "[modules]\nrequire = no.so\n"})
    with pytest.raises(LabError, match="Asterisk"):
        other.start(timeout=5)
    assert not runs(other)


def test_broken_build_is_not_taken_as_done(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    with pytest.raises(RuntimeError), building(tree, "a"):
        raise RuntimeError
    assert not is_ready(tree, "a")
    assert list(tmp_path.iterdir()) == []
    with building(tree, "a") as fresh:
        (fresh / "file").touch()
    assert is_ready(tree, "a")
    assert not is_ready(tree, "b")
    with building(tree, "b"):
        pass
    assert is_ready(tree, "b")
    assert not (tree / "file").exists()


# --- phones


def test_postgres(tmp_path: Path) -> None:
    server = Postgres(ensure_postgres(default_cache(), print), tmp_path / "pg")
    with server:
        assert re.fullmatch(r"postgresql\+psycopg://\w+@127\.0\.0\.1:\d+/dutyline", server.url)
        url = server.create_database("other")
        assert url.endswith("/other")
        with pytest.raises(LabError, match="already exists"):
            server.create_database("other")
        server.drop_database("other")
        server.create_database("other")
        with pytest.raises(LabError, match="plain"):
            server.create_database('x"; DROP')
        server.kill()
        assert not runs(server)
        server.start()
        server.pause()
        server.resume()
        with pytest.raises(LabError, match="already exists"):
            server.create_database("other")
    assert not runs(server)


def test_sipp_calls_through_asterisk(tree: AsteriskTree, tmp_path: Path) -> None:
    sipp = ensure_sipp(default_cache(), print)
    pbx = Asterisk(tree, tmp_path / "pbx", files={"dutyline_extensions.conf": EXTENSIONS})
    port = free_port()
    pbx.write(
        "pjsip.conf",
        (pbx.etc / "pjsip.conf").read_text(encoding="utf-8")
        + "\n[load]\ntype = endpoint\ncontext = internal\nallow = !all,alaw\naors = load\n"
        + f"send_connected_line = no\n[load]\ntype = aor\ncontact = sip:x@127.0.0.1:{port}\n",
    )
    with (
        pbx,
        Sipp(sipp, tmp_path / "uas", "operator", local=("127.0.0.1", port), pause=0.1),
        Sipp(
            sipp,
            tmp_path / "uac",
            "caller",
            local=(pbx.trunk_ip, pbx.trunk_port),
            remote=("127.0.0.1", pbx.sip_port),
            rate=10,
            calls=10,
            pause=0.3,
            did="74951234501",
        ) as caller,
    ):
        result = caller.wait(30)
    assert (result.started, result.succeeded, result.failed) == (10, 10, 0)
    assert result.exit_code == 0


def test_cache_can_be_moved(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DUTYLINE_LAB_CACHE", str(tmp_path))
    assert default_cache() == tmp_path.resolve()
    assert os.environ["DUTYLINE_LAB_CACHE"]
