"""What `dutyline doctor` looks at besides calls: Redis, the relay, the workers, the key file.

Calls and records go on without them, so that nothing here is worse than a warning.
"""

from __future__ import annotations

import stat
from collections.abc import Iterator

from redis import RedisError

from telephony.cli.common import Failed
from telephony.cli.findings import Finding, ok, warning
from telephony.cli.healthcheck import told_problems
from telephony.privateredis import (
    PrivateRedisError,
    find_redis_server,
    private_socket,
    redis_url,
)
from telephony.secrets import KEY_FILE, SecretError, open_vault
from telephony.settings import Settings
from telephony.store.engine import StoreError
from telephony.transport import open_redis

_PARTS = ("relay", "worker-now", "worker-bulk")


def check_key(settings: Settings) -> Iterator[Finding]:
    """Can nobody else read the key that seals secrets?"""
    if settings.secret_key:
        yield ok("secrets are sealed with DUTYLINE_SECRET_KEY")
        return
    path = settings.data_dir / KEY_FILE
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        open_vault((), settings.data_dir)
    except FileNotFoundError:
        yield ok(f"{path} is made when the first secret is to be sealed")
    except (OSError, SecretError) as error:
        yield warning(
            f"the key file {path} cannot be used: {getattr(error, 'strerror', None) or error}",
            "give this user the file, or bring it back from a backup: secrets in the database "
            "cannot be opened without it",
        )
    else:
        if mode & 0o077:
            yield warning(
                f"others can read or change the key file {path} (mode {mode:03o})",
                f"`chmod 600 {path}`, and choose new secrets when others use this machine",
            )
        else:
            yield ok(f"the key file {path} is this user's alone")


def check_redis(settings: Settings) -> Iterator[Finding]:
    """Is there a Redis for the jobs of webhooks and notices?"""
    private = not settings.redis_url
    if private:
        try:
            program = find_redis_server(settings.redis_server)
        except PrivateRedisError as error:
            problem, _, advice = str(error).partition(": ")
            yield warning(problem, advice)
            return
        if not private_socket(settings.data_dir).exists():
            yield warning(
                f"the private Redis ({program}) does not run", "start `dutyline run`, which runs it"
            )
            return
    name = "the private Redis" if private else "the Redis of DUTYLINE_REDIS_URL"
    try:
        with open_redis(redis_url(settings.redis_url, settings.data_dir)) as connection:
            connection.ping()
    except (RedisError, OSError, ValueError) as error:
        what = " ".join(str(error).split())[:200]
        advice = (
            "start `dutyline run`, and see its log"
            if private
            else "check DUTYLINE_REDIS_URL, its password, and that the server runs"
        )
        yield warning(f"{name} does not answer: {what}", advice + "; webhooks and mails wait")
    else:
        yield ok(f"{name} answers")


def check_parts(settings: Settings) -> Iterator[Finding]:
    """Did the relay and the workers tell lately that they are well?"""
    try:
        problems = told_problems(settings, _PARTS)
    except (StoreError, Failed):
        return  # what is wrong with the database is told by its own check
    for problem in problems:
        yield warning(problem, "start `dutyline run`, and see its log; webhooks and mails wait")
    if not problems:
        yield ok(f"{', '.join(_PARTS)} run")
