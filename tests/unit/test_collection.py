# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The collection is whole: every module in its group, documented as it is coded, usable on its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from collection import (
    COLLECTION,
    actions,
    ansible,
    argument_spec,
    documented,
    documents,
    load,
    modules,
    playbooks,
    roles,
    specified,
    survivors_below,
)

from checkout import ROOT


@pytest.fixture(scope="session")
def docs() -> dict[str, dict[str, Any]]:
    """What ansible-doc says of all modules."""
    return documents(modules())


@pytest.fixture(scope="session")
def survivors(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a collection that lost everything but four directories."""
    return survivors_below(tmp_path_factory.mktemp("survivors"))


# --- modules --------------------------------------------------------------------------------------


def test_every_module_is_in_the_action_group() -> None:
    assert load(ROOT / "meta/runtime.yml")["action_groups"]["holdfast"] == modules()


def test_every_module_has_an_action_plugin_and_the_other_way_round() -> None:
    assert modules() == actions()


@pytest.mark.parametrize("module", modules())
def test_the_documentation_names_the_options_that_the_code_takes(module: str, docs: dict[str, Any]) -> None:
    written = documented(docs[module]["doc"].get("options", {}))
    coded = specified(argument_spec(module))

    assert written.keys() == coded.keys()
    for option, expected in coded.items():
        assert written[option] == expected, f"{module}: option {option} is documented differently"


@pytest.mark.parametrize("module", modules())
def test_the_documentation_says_what_comes_back_and_since_when(module: str, docs: dict[str, Any]) -> None:
    assert docs[module]["return"], "no RETURN"
    assert docs[module]["doc"]["version_added"], "no version_added"
    assert f"{COLLECTION}.holdfast" in str(docs[module]["doc"].get("attributes")), "not said to be in the group"


@pytest.mark.parametrize("module", modules())
def test_the_examples_are_accepted_by_the_argument_spec(module: str, docs: dict[str, Any]) -> None:
    tasks = yaml.safe_load(docs[module]["examples"])
    calls = [arguments for task in tasks for name, arguments in task.items() if name == f"{COLLECTION}.{module}"]

    assert calls, f"no example calls {COLLECTION}.{module}"
    for arguments in calls:
        result = ArgumentSpecValidator(dict(argument_spec(module))).validate(untemplated(arguments or {}))
        assert not result.error_messages, result.error_messages


# --- roles ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", roles())
def test_a_role_declares_what_it_takes(role: str) -> None:
    spec = load(ROOT / "roles" / role / "meta/argument_specs.yml")["argument_specs"]["main"]

    assert spec["short_description"]
    assert (ROOT / "roles" / role / "tasks/main.yml").is_file()


@pytest.mark.parametrize("role", roles())
def test_the_defaults_of_a_role_are_those_it_declares(role: str) -> None:
    options = load(ROOT / "roles" / role / "meta/argument_specs.yml")["argument_specs"]["main"].get("options", {})
    file = ROOT / "roles" / role / "defaults/main.yml"
    defaults = (load(file) if file.is_file() else None) or {}

    declared = {name: option["default"] for name, option in options.items() if "default" in option}
    literal = {name: value for name, value in defaults.items() if "{{" not in str(value)}
    assert defaults.keys() <= options.keys(), "a default for something the role does not declare"
    assert {name: declared.get(name) for name in literal} == literal
    assert declared.keys() <= defaults.keys(), "declared with a default that defaults/main.yml does not give"


# --- on its own -----------------------------------------------------------------------------------


def test_with_four_directories_left_every_module_is_documented(survivors: dict[str, str]) -> None:
    assert sorted(documents(modules(), survivors)) == modules()


def test_with_four_directories_left_every_plugin_can_be_imported(survivors: dict[str, str]) -> None:
    names = [f"ansible_collections.{COLLECTION}.plugins.action.{name}" for name in actions()]
    code = (
        "import importlib, os\n"
        "from ansible.utils.collection_loader._collection_finder import _AnsibleCollectionFinder\n"
        "_AnsibleCollectionFinder(paths=[os.environ['ANSIBLE_COLLECTIONS_PATH']])._install()\n"
        f"for name in {names!r}: print(importlib.import_module(name).__file__)"
    )
    files = ansible("python", "-c", code, env=survivors).split()

    assert len(files) == len(names)
    assert all(Path(file).is_relative_to(survivors["ANSIBLE_COLLECTIONS_PATH"]) for file in files)


def test_with_four_directories_left_every_playbook_is_understood(survivors: dict[str, str]) -> None:
    names = [f"{COLLECTION}.{name}" for name in playbooks()]
    assert names, "no playbooks"

    ansible("ansible-playbook", "--syntax-check", "-i", "localhost,", *names, env=survivors)


def test_from_the_checkout_every_playbook_is_understood_as_a_file() -> None:
    files = [f"playbooks/{name}.yml" for name in playbooks()]
    assert files, "no playbooks"

    ansible("ansible-playbook", "--syntax-check", "-i", "localhost,", *files)


# --- reading --------------------------------------------------------------------------------------


def untemplated(value: Any) -> Any:
    """Arguments of an example; a template becomes a value no type refuses."""
    if isinstance(value, dict):
        return {key: untemplated(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [untemplated(inner) for inner in value]
    return [] if isinstance(value, str) and value.startswith("{{") else value
