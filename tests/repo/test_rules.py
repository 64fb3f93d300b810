"""The rules that CONTRIBUTING.md states, held against the files."""

from __future__ import annotations

import ast
import os
import re
from pathlib import Path

import pytest

from tests.repo.files import ROOT, project, python, read, tracked

_LONGEST_FILE = 400
_LATER = re.compile(r"\b(?:TO" + "DO|FIX" + r"ME)\b")
_SKIPS = {"skip", "skipif", "xfail", "skipUnless", "skipIf", "skipTest", "importorskip", "SkipTest"}
# Written in pieces, so that this file does not hold what it looks for.
_MACHINE = re.compile(
    r"(?<![\w.$}-])/(?:home|root|Users|work|workspace|builds)/\w"
    r"|\b(?:pypi\.|pythonhosted\.|npmjs\.|crates\.|artifactory|proxy\.golang)"
)


def _contracts() -> list[dict[str, object]]:
    found: list[dict[str, object]] = project()["tool"]["importlinter"]["contracts"]
    return found


@pytest.mark.parametrize("package", ["telephony", "web"])
def test_every_part_has_its_layer(package: str) -> None:
    (layers,) = [one for one in _contracts() if one.get("containers") == [package]]
    assert layers["exhaustive"] is True
    named = layers["layers"]
    ignored = layers["exhaustive_ignores"]
    assert isinstance(named, list)
    assert isinstance(ignored, list)
    parts = [part.strip() for line in named for part in line.split("|")]
    there = {
        path.relative_to(ROOT / package).parts[0].removesuffix(".py") for path in python(package)
    }
    assert len(parts) == len(set(parts))
    assert {*parts, *ignored, "__init__"} == there


def test_modules_of_the_other_contracts_exist() -> None:
    for contract in _contracts():
        if contract["type"] != "forbidden":
            continue
        for kind in ("source_modules", "forbidden_modules"):
            modules = contract[kind]
            assert isinstance(modules, list)
            for module in modules:
                if module.partition(".")[0] == "telephony":
                    place = ROOT / module.replace(".", "/")
                    assert place.is_dir() or place.with_suffix(".py").is_file(), module


def test_no_file_is_too_long() -> None:
    files = (*python("telephony"), *python("web"))
    lengths = {str(path.relative_to(ROOT)): path.read_text().count("\n") for path in files}
    assert {name: count for name, count in lengths.items() if count > _LONGEST_FILE} == {}


def test_nothing_is_left_for_later() -> None:
    suffixes = {".py", ".sh", ".toml", ".xml", ".conf", ""}
    for path in tracked():
        if path.suffix in suffixes:
            assert not _LATER.search(path.read_text(encoding="utf-8")), path


def test_no_test_is_skipped() -> None:
    for path in python("tests"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute):
                assert node.attr not in _SKIPS, f"{path.name}:{node.lineno}"
            elif isinstance(node, ast.ImportFrom):
                assert not _SKIPS & {alias.name for alias in node.names}, path.name


def _name(requirement: str) -> str:
    return re.sub(r"[-_.]+", "-", requirement.partition("[")[0]).lower()


def test_the_lock_names_no_host_and_has_every_pin() -> None:
    lines = read("requirements.lock").splitlines()
    starts = [line for line in lines if not line.startswith((" ", "#")) and line]
    assert not [line for line in lines if "://" in line or "index" in line]
    assert not [line for line in starts if line.startswith("-")]
    locked = {}
    for line in starts:
        match = re.match(r"([A-Za-z0-9._\[\]-]+)==([^\s;]+)", line)
        assert match, line
        locked[_name(match[1])] = match[2]
    declared = project()
    pins = [
        *declared["build-system"]["requires"],
        *declared["project"]["dependencies"],
        *declared["project"]["optional-dependencies"]["dev"],
    ]
    for pin in pins:
        name, equal, version = pin.partition("==")
        assert equal, f"{pin} is not pinned"
        assert locked.get(_name(name)) == version, pin


def test_every_package_of_the_lock_has_a_hash() -> None:
    for block in re.split(r"\n(?=\S)", read("requirements.lock").strip()):
        assert "--hash=sha256:" in block, block.splitlines()[0]


def test_make_test_runs_every_tier() -> None:
    makefile = read("Makefile")
    recipes = dict(re.findall(r"^([a-z-]+):.*\n((?:\t.*\n)+)", makefile, re.M))
    assert re.search(r"^test: check ##", makefile, re.M)
    run, waiting = "", ["test"]
    while waiting:  # a target may make others
        recipe = recipes.pop(waiting.pop(), "")
        run += recipe
        waiting += [each for each in recipe.split() if each in recipes]
    tiers = {
        path.relative_to(ROOT).parts[1] for path in python("tests") if path.name[:5] == "test_"
    }
    assert {tier for tier in tiers if not re.search(rf"tests/{tier}\b", run)} == set()


def test_the_build_server_runs_the_test_command_of_the_readme() -> None:
    assert re.search(r"^exec make test$", read(".ci/run"), re.M)
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
    assert "make test" in read("README.md")


def test_no_machine_and_no_registry_is_named() -> None:
    binary = {".pcap", ".wav", ".gsm", ".png"}
    for path in tracked():
        if path.suffix in binary or path == Path(__file__).resolve():
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            found = _MACHINE.search(line)
            assert not found, f"{path.relative_to(ROOT)}:{number}: {found[0] if found else ''}"
