"""`dutyline doctor` on Redis, the relay, the workers and the key file."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from telephony.secrets import open_vault
from telephony.store.engine import open_engine, writing
from telephony.store.live import Process, save_process
from tests.lab.cache import default_cache
from tests.lab.redis import RedisServer, ensure_redis
from tests.unit.test_cli import Admin


@pytest.fixture
def company(tmp_path: Path) -> Admin:
    """Give an admin with a migrated, empty database."""
    admin = Admin(tmp_path)
    admin.says("migrate")
    return admin


def _doctor(admin: Admin) -> str:
    admin.environment["DUTYLINE_AMI_PORT"] = "1"
    return admin.refuses("doctor")


def test_doctor_looks_for_the_private_redis(company: Admin) -> None:
    company.environment["DUTYLINE_REDIS_SERVER"] = str(company.folder / "missing")
    said = _doctor(company)
    assert "! there is no program" in said
    assert "→ `apt install redis-server`" in said
    company.environment["DUTYLINE_REDIS_SERVER"] = "true"
    assert "does not run" in _doctor(company)


def test_doctor_asks_redis_and_never_shows_its_password(company: Admin) -> None:
    company.environment["DUTYLINE_REDIS_URL"] = "redis://:pass-word@127.0.0.1:1/0"
    said = _doctor(company)
    assert "! the Redis of DUTYLINE_REDIS_URL does not answer" in said
    assert "pass-word" not in said
    redis = RedisServer(ensure_redis(default_cache(), print), company.folder / "redis")
    company.environment["DUTYLINE_REDIS_URL"] = redis.url
    with redis:
        assert "✓ the Redis of DUTYLINE_REDIS_URL answers" in _doctor(company)


def test_doctor_says_which_parts_do_not_run(company: Admin) -> None:
    engine = open_engine(company.environment["DUTYLINE_DATABASE_URL"])
    now = datetime.now(UTC)

    def told(name: str, *, ready: bool) -> Process:
        return Process(name, 1, "here", "1", now, now, ready, None if ready else "redis_down")

    with writing(engine) as session:
        save_process(session, told("relay", ready=False))
        save_process(session, told("worker-now", ready=True))
    said = _doctor(company)
    assert "! relay: is not ready: redis_down" in said
    assert "! worker-bulk: has never run" in said
    assert "worker-now:" not in said
    with writing(engine) as session:
        for name in ("relay", "worker-bulk"):
            save_process(session, told(name, ready=True))
    engine.dispose()
    assert "✓ relay, worker-now, worker-bulk run" in _doctor(company)


def test_doctor_knows_every_zone_that_the_machine_does(company: Admin) -> None:
    setup = company.folder / "setup.yaml"
    setup.write_text("operators: []\ngroups: [{name: night, zone: Factory}]\ndids: []\n")
    company.says("config", "apply", str(setup))
    assert "✓ time zones of the groups: Factory" in _doctor(company)


def test_doctor_looks_who_can_read_the_key(company: Admin) -> None:
    key = company.folder / "secret.key"
    assert f"✓ {key} is made when" in _doctor(company)
    open_vault((), company.folder)
    assert "is this user's alone" in _doctor(company)
    key.chmod(0o644)
    said = _doctor(company)
    assert "(mode 644)" in said
    assert f"→ `chmod 600 {key}`" in said
    key.write_text("short")
    assert "shorter than 32 characters" in _doctor(company)
    company.environment["DUTYLINE_SECRET_KEY"] = "k" * 40
    assert "sealed with DUTYLINE_SECRET_KEY" in _doctor(company)
