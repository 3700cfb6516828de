# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Compiled modules beside the package: used when they are whole and of this package, and never missed."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import traceback
import zipimport
from collections.abc import Callable
from importlib.util import MAGIC_NUMBER, module_from_spec
from pathlib import Path

import pytest

from ansible_collections.holdfast.iis.plugins.plugin_utils._package import build
from checkout import ROOT
from holdfast import start
from holdfast.cli.package import Package, archive_of
from holdfast.cli.prepare import PrepareError, compiled, prepare

SMALL = {
    "__init__.py": "",
    "cli.py": "import sys\ndef main(words):\n    sys.stdout.write(__file__)\n    return 7\n",
    "start.py": (ROOT / "plugins/module_utils/monitor/start.py").read_text(encoding="utf-8"),
    "wrong.py": "def fail():\n    raise RuntimeError('on line two')\n",
}


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A small package, installed."""
    return install(tmp_path, SMALL)


def test_a_package_that_was_not_prepared_runs_from_its_sources(package: Path) -> None:
    assert start.origin(str(package)) == str(package)
    assert ran_from(package) == f"{package}/holdfast/cli.py"


def test_a_prepared_package_runs_from_its_compiled_modules_and_is_not_prepared_again(package: Path) -> None:
    assert made(package)
    before = compiled_of(package).read_bytes()

    assert not made(package)
    assert compiled_of(package).read_bytes() == before
    assert ran_from(package) == f"{compiled_of(package)}/holdfast/cli.pyc"


def test_check_mode_tells_and_does_nothing(package: Path) -> None:
    assert made(package, check=True)
    assert not compiled_of(package).exists()
    made(package)
    assert not made(package, check=True)


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda content: content[:-1], id="torn at its end"),
        pytest.param(lambda content: content[:64], id="torn at its beginning"),
        pytest.param(lambda content: content[:0], id="empty"),
        pytest.param(lambda content: bytes(len(content)), id="zeros, as after a power cut"),
        pytest.param(lambda content: content.replace(b"wrong", b"WRONG", 1), id="tampered with"),
        pytest.param(lambda content: content + b"x", id="longer"),
    ],
)
def test_what_is_not_whole_is_not_used_and_is_replaced(package: Path, spoil: Callable[[bytes], bytes]) -> None:
    made(package)
    file = compiled_of(package)
    file.write_bytes(spoil(file.read_bytes()))

    assert ran_from(package) == f"{package}/holdfast/cli.py"
    assert made(package)
    assert ran_from(package) == f"{file}/holdfast/cli.pyc"


def test_compiled_modules_of_another_package_are_not_used(package: Path, tmp_path: Path) -> None:
    other = install(tmp_path, {**SMALL, "other.py": ""})
    made(other)
    shutil.copyfile(compiled_of(other), compiled_of(package))

    assert start.origin(str(package)) == str(package)


def test_another_python_uses_modules_of_its_own_or_the_sources(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made(package)
    monkeypatch.setattr(sys.implementation, "cache_tag", "cpython-399")

    assert start.origin(str(package)) == str(package)
    assert start.beside(str(package)) == str(package.with_name("holdfast.cpython-399.pyz"))


def test_a_module_that_this_python_cannot_load_is_compiled_from_the_source_beside_it(package: Path) -> None:
    file = compiled_of(package)
    content = compiled(package)[: -start.SEAL_BYTES].replace(MAGIC_NUMBER, b"\0\0\r\n")
    file.write_bytes(content + start.seal(str(package), content))

    assert ran_from(package) == f"{file}/holdfast/cli.py"


def test_a_traceback_shows_lines_of_the_source(package: Path) -> None:
    file = compiled_of(package)
    file.write_bytes(compiled(package))
    spec = zipimport.zipimporter(str(file / "holdfast")).find_spec("wrong")
    assert spec is not None
    module = module_from_spec(spec)
    assert spec.loader is not None
    spec.loader.exec_module(module)

    with pytest.raises(RuntimeError) as caught:
        module.fail()

    assert "raise RuntimeError('on line two')" in "".join(traceback.format_exception(caught.value))


def test_a_module_knows_its_package_compiled_or_not(package: Path) -> None:
    made(package)
    for file in (package, compiled_of(package)):
        assert archive_of(zipimport.zipimporter(str(file / "holdfast")).find_spec("cli")) == package


def test_a_folder_that_cannot_be_written_is_said(package: Path) -> None:
    compiled_of(package).with_name(f"{compiled_of(package).name}.new").mkdir()

    with pytest.raises(PrepareError, match="the compiled modules cannot be written"):
        made(package)
    with pytest.raises(PrepareError, match="there is no package to prepare"):
        prepare(Package(version="0"), check=False)


def test_the_real_package_prepares_itself_and_still_proves_that_it_is_whole(tmp_path: Path) -> None:
    package = install(tmp_path, None)

    answers = [json.loads(run(package, *words).stdout) for words in (["prepare", "--check"], ["prepare"], ["prepare"])]
    shown = run(package, "version", options=["-v"])

    assert answers == [{"ok": True, "changed": changed} for changed in (True, True, False)]
    assert f"import 'holdfast.cli' # <zipimporter object \"{compiled_of(package)}" in shown.stderr
    assert shown.stdout.startswith(f"Holdfast 0.1.0+{package.parent.name}")
    with package.open("ab") as file:
        file.write(b"x")
    assert "was changed" in run(package, "version").stderr


def install(folder: Path, sources: dict[str, str] | None) -> Path:
    """The package of these sources in the folder of its hash; of the monitor's when there are none."""
    source = folder / f"source-{len(sources or ())}"
    source.mkdir()
    for name, text in (sources or {}).items():
        (source / name).write_text(text)
    built = build(source if sources else None)
    place = folder / built.id / "holdfast.pyz"
    place.parent.mkdir()
    place.write_bytes(built.data)
    return place


def made(package: Path, *, check: bool = False) -> bool:
    return prepare(Package(version="0", archive=package), check=check)


def compiled_of(package: Path) -> Path:
    return Path(start.beside(str(package)))


def ran_from(package: Path) -> str:
    done = run(package)
    assert done.returncode == 7, done.stderr
    return done.stdout


def run(package: Path, *words: str, options: list[str] | None = None) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-I", *(options or []), str(package), *words]
    return subprocess.run(line, capture_output=True, text=True, timeout=30, check=False)
