"""The image and compose.yaml fit the program: commands, settings, secrets, what is closed."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from telephony.cli import main
from telephony.settings import SETTINGS
from tests.repo.files import ROOT, project, read, tracked

COMPOSE: dict[str, Any] = yaml.safe_load(read("docker/compose.yaml"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: one for name, one in SERVICES.items() if "command" in one and "secrets" in one}
OURS = {name: one for name, one in OURS.items() if "ami_secret" in one["secrets"]}
DOCKERFILE = read("docker/Dockerfile")
# A benchmark uses what RQ needs.
_BROUGHT_ANYWAY = {"python-dateutil"}
# Settings that a container does not have: a program it has not, a port that is mapped.
_NOT_PASSED = {"DUTYLINE_REDIS_SERVER", "DUTYLINE_WEB_PORT"}


def parsed(arguments: list[str]) -> click.Command:
    """Return the command that these arguments call. Raises click.UsageError."""
    command: click.Command = main
    rest = list(arguments)
    while isinstance(command, click.Group):
        name = rest.pop(0)
        assert name in command.commands, f"there is no `dutyline {' '.join(arguments)}`"
        command = command.commands[name]
    command.make_context(arguments[0], rest)
    return command


def test_there_is_a_service_for_each_part() -> None:
    assert set(OURS) == {"migrate", "listener", "relay", "worker-now", "worker-bulk", "web"}
    assert set(SERVICES) - set(OURS) == {"database", "redis"}


@pytest.mark.parametrize("name", OURS)
def test_each_service_runs_a_command_that_exists(name: str) -> None:
    parsed(OURS[name]["command"])


@pytest.mark.parametrize("name", sorted(set(OURS) - {"migrate"}))
def test_each_part_looks_after_itself(name: str) -> None:
    kind, program, *arguments = OURS[name]["healthcheck"]["test"]
    assert (kind, program) == ("CMD", "dutyline")
    assert arguments == ["healthcheck", name]
    parsed(arguments)


@pytest.mark.parametrize("name", OURS)
def test_every_setting_is_passed_and_secrets_by_file(name: str) -> None:
    service = OURS[name]
    environment = service["environment"]
    expected = set()
    for setting in SETTINGS:
        if setting.secret:
            expected.add(f"{setting.name}_FILE")
            path = Path(environment[f"{setting.name}_FILE"])
            assert path.parent == Path("/run/secrets")
            assert path.name in service["secrets"]
        elif setting.name not in _NOT_PASSED:
            expected.add(setting.name)
    assert set(environment) == expected


def test_every_secret_is_a_file_that_the_script_makes() -> None:
    used = {secret for one in SERVICES.values() for secret in one.get("secrets", [])}
    assert used == set(COMPOSE["secrets"])
    made = set(re.findall(r"^ *make (\w+) ", read("docker/secrets.sh"), re.M))
    assert made == used
    for name, secret in COMPOSE["secrets"].items():
        assert secret == {"file": f"./secrets/{name}"}
    ignored = read(".gitignore").splitlines()
    assert {"/docker/secrets/", "/docker/.env"} <= set(ignored)


def test_the_secrets_are_made_once_and_fit_their_settings(tmp_path: Path) -> None:
    script = tmp_path / "secrets.sh"
    script.write_text(read("docker/secrets.sh"))
    subprocess.run(["sh", str(script)], check=True, capture_output=True)
    folder = tmp_path / "secrets"
    first = {path.name: path.read_text() for path in folder.iterdir()}
    subprocess.run(["sh", str(script)], check=True, capture_output=True)
    assert {path.name: path.read_text() for path in folder.iterdir()} == first
    assert folder.stat().st_mode & 0o777 == 0o700
    for setting in SETTINGS:
        if setting.secret:
            setting.parse(first[setting.name.removeprefix("DUTYLINE_").lower()].strip())
    assert first["database_password"].strip() in first["database_url"]
    assert first["redis_config"].split()[1] in first["redis_url"]


def test_the_example_names_each_variable_of_compose() -> None:
    wanted = set(re.findall(r"\$\{(\w+)", read("docker/compose.yaml")))
    named = set(re.findall(r"^(\w+)=", read("docker/.env.example"), re.M))
    assert named == wanted


@pytest.mark.parametrize("name", ["database", "redis"])
def test_the_database_and_redis_are_not_reachable_from_outside(name: str) -> None:
    assert "ports" not in SERVICES[name]
    assert "network_mode" not in SERVICES[name]
    assert SERVICES[name]["networks"] == ["inside"]
    assert COMPOSE["networks"]["inside"]["internal"] is True


def test_only_the_panel_is_published_and_on_this_machine_only() -> None:
    published = {name: one["ports"] for name, one in SERVICES.items() if "ports" in one}
    assert list(published) == ["web"]
    (port,) = published["web"]
    assert ":-127.0.0.1:" in port


def test_redis_keeps_its_jobs() -> None:
    command = SERVICES["redis"]["command"]
    options = dict(zip(command[2::2], command[3::2], strict=True))
    assert options["--appendonly"] == "yes"
    assert options["--maxmemory-policy"] == "noeviction"


@pytest.mark.parametrize("name", SERVICES)
def test_each_service_may_do_little(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    limits = service["deploy"]["resources"]["limits"]
    assert set(limits) == {"cpus", "memory", "pids"}
    assert "privileged" not in service
    assert (name == "migrate") is (service["restart"] == "no")
    if name in OURS:
        assert "cap_add" not in service
        assert service["init"] is True
    if name != "migrate":
        assert "test" in service["healthcheck"]


def test_parts_wait_for_what_they_need() -> None:
    for name, service in OURS.items():
        needs = {other: how["condition"] for other, how in service["depends_on"].items()}
        assert needs["database"] == "service_healthy", name
        if name != "migrate":
            assert needs["redis"] == "service_healthy"
            assert needs["migrate"] == "service_completed_successfully"


def _blocks(name: str) -> dict[str, str]:
    found = re.split(r"\n(?=\S)", read(name).strip())
    return {block.partition("==")[0]: block.strip() for block in found}


@pytest.mark.parametrize("name", ["docker/run.lock", "docker/build.lock"])
def test_the_images_locks_are_parts_of_the_one_lock(name: str) -> None:
    whole = _blocks("requirements.lock")
    for package, block in _blocks(name).items():
        assert whole.get(package) == block, f"{package}: run `make lock`"


def test_the_image_has_what_is_needed_at_run_time_and_nothing_else() -> None:
    declared = project()["project"]
    locked = _blocks("docker/run.lock")
    for pin in declared["dependencies"]:
        name, _, version = pin.partition("==")
        block = locked[name.partition("[")[0].lower() if name not in locked else name]
        assert f"=={version}" in block
    for pin in declared["optional-dependencies"]["dev"]:
        name, _, version = pin.partition("==")
        if name in _BROUGHT_ANYWAY:
            assert f"=={version}" in locked[name]
        else:
            assert name not in locked


def test_the_image_does_not_run_as_root() -> None:
    instructions = re.findall(r"^([A-Z]+) (.*)$", DOCKERFILE, re.M)
    users = [value for name, value in instructions if name == "USER"]
    assert users
    assert all(re.fullmatch(r"[1-9]\d*:[1-9]\d*", user) for user in users)
    exec_form = dict(instructions)
    assert exec_form["ENTRYPOINT"] == '["dutyline"]'
    parsed([*yaml.safe_load(exec_form["CMD"])])
    (check,) = re.findall(r"^HEALTHCHECK .*\\\n +CMD (.*)$", DOCKERFILE, re.M)
    program, *arguments = yaml.safe_load(check)
    assert program == "dutyline"
    parsed(arguments)


def test_what_the_image_is_made_from_reaches_the_build() -> None:
    let_in = re.findall(r"^!(.+)$", read("docker/Dockerfile.dockerignore"), re.M)
    for line in re.findall(r"^COPY (?!--from)(.*)$", DOCKERFILE, re.M):
        *sources, _ = line.split()
        for source in sources:
            assert source in let_in
            assert (ROOT / source).exists()


def test_the_wheel_has_templates_translations_migrations_and_made_files(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    packed = set(zipfile.ZipFile(wheel).namelist())
    wanted = {str(path.relative_to(ROOT)) for path in tracked()}
    wanted = {name for name in wanted if name.startswith(("telephony/", "web/"))}
    made = [*(ROOT / "web/static/vendor").glob("*"), *(ROOT / "web/translations").rglob("*.mo")]
    assert wanted | {str(path.relative_to(ROOT)) for path in made} <= packed
    assert not [name for name in packed if name.startswith(("tests/", "docker/"))]
