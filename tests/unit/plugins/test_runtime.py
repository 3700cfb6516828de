# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Windows runtime, made of an embeddable package and wheels (both made up here)."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from collection import ansible

from ansible_collections.holdfast.iis.plugins.plugin_utils._runtime import RuntimeFault, assemble

PTH = "python314.zip\r\n.\r\n\r\n# Uncomment to run site.main() automatically\r\n#import site\r\n"
WHEEL = "pywin32-312-cp314-cp314-win_amd64.whl"


@pytest.fixture
def embeddable(tmp_path: Path) -> Path:
    files = {"python.exe": "exe", "python314.dll": "dll", "python314.zip": "library", "python314._pth": PTH}
    return zip_file(tmp_path / "python-3.14.7-embed-amd64.zip", files)


def wheel(folder: Path, name: str = WHEEL) -> Path:
    files = {
        "win32/win32api.pyd": "api",
        "pywin32.pth": "win32",
        "pywin32-312.data/platlib/pywin32_system32/pywintypes314.dll": "types",
        "pywin32-312.data/scripts/pywin32_postinstall.py": "script",
        "pywin32-312.dist-info/METADATA": "Name: pywin32",
    }
    return zip_file(folder / name, files)


def test_the_runtime_has_python_at_its_top_and_the_wheels_where_site_finds_them(
    embeddable: Path, tmp_path: Path
) -> None:
    files = unpacked(assemble(embeddable, [wheel(tmp_path)]))

    assert files["python.exe"] == "exe"
    assert files["Lib/site-packages/win32/win32api.pyd"] == "api"
    assert files["Lib/site-packages/pywin32.pth"] == "win32"
    assert files["Lib/site-packages/pywin32_system32/pywintypes314.dll"] == "types"
    assert not any("postinstall" in name for name in files)
    assert files["holdfast-runtime.txt"].split() == [embeddable.name, WHEEL]


def test_site_is_switched_on_once(embeddable: Path) -> None:
    lines = unpacked(assemble(embeddable, []))["python314._pth"].split()

    assert lines[:2] == ["python314.zip", "."]
    assert lines[-2:] == ["import", "site"]
    assert "#import" not in lines


def test_the_same_inputs_give_the_same_bytes(embeddable: Path, tmp_path: Path) -> None:
    wheels = [wheel(tmp_path)]

    assert assemble(embeddable, wheels) == assemble(embeddable, wheels)


@pytest.mark.parametrize(
    "name",
    [
        "pywin32-312-cp313-cp313-win_amd64.whl",
        "pywin32-312-cp314-cp314-win32.whl",
        "pywin32-312-cp314-cp314-manylinux_2_17_x86_64.whl",
        "other-1-cp315-abi3-win_amd64.whl",
    ],
)
def test_a_wheel_for_another_python_or_system_is_refused(embeddable: Path, tmp_path: Path, name: str) -> None:
    with pytest.raises(RuntimeFault, match=r"--python-version 3\.14"):
        assemble(embeddable, [wheel(tmp_path, name)])


@pytest.mark.parametrize(
    "name",
    ["a-1-py3-none-any.whl", "a-1-py2.py3-none-any.whl", "a-1-cp36-abi3-win_amd64.whl", "a-1-1build-py3-none-any.whl"],
)
def test_a_wheel_for_every_python_is_taken(embeddable: Path, tmp_path: Path, name: str) -> None:
    assert "Lib/site-packages/pywin32.pth" in unpacked(assemble(embeddable, [wheel(tmp_path, name)]))


def test_a_file_that_is_no_wheel_is_refused(embeddable: Path, tmp_path: Path) -> None:
    with pytest.raises(RuntimeFault, match="no name that a wheel has"):
        assemble(embeddable, [wheel(tmp_path, "pywin32.whl")])


def test_a_zip_file_without_python_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RuntimeFault, match="is not an embeddable package"):
        assemble(zip_file(tmp_path / "x.zip", {"readme.txt": "x"}), [])


def test_a_name_that_leads_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    files = {"python.exe": "exe", "python314._pth": PTH, "../evil": "x"}

    with pytest.raises(RuntimeFault, match="leads out of it"):
        assemble(zip_file(tmp_path / "x.zip", files), [])


def test_a_file_that_is_no_zip_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_text("<html>not found</html>")

    with pytest.raises(RuntimeFault, match="cannot be read as a zip file"):
        assemble(tmp_path / "x.zip", [])


def test_the_module_makes_the_file_once(embeddable: Path, tmp_path: Path) -> None:
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    wheel(wheels)
    dest = tmp_path / "runtime.zip"
    arguments = f"embeddable={embeddable} wheels={wheels} dest={dest}"

    check = made(arguments, "--check")
    assert not dest.exists()
    first, again = made(arguments), made(arguments)

    assert [run["changed"] for run in (check, first, again)] == [True, True, False]
    assert check["sha256"] == first["sha256"] == hashlib.sha256(dest.read_bytes()).hexdigest()


def test_the_playbook_uses_what_was_fetched_before(embeddable: Path, tmp_path: Path) -> None:
    """Nothing is fetched where the downloads are there and have the hash that is asked for."""
    dest = tmp_path / "runtime.zip"
    downloads = tmp_path / "runtime.zip.downloads"
    (downloads / "wheels").mkdir(parents=True)
    wheel(downloads / "wheels")
    fetched = embeddable.rename(downloads / embeddable.name)
    variables = {
        "dest": str(dest),
        "holdfast_runtime_sha256": hashlib.sha256(fetched.read_bytes()).hexdigest(),
        "holdfast_runtime_requirements": ["pywin32==312"],
    }

    shown = ansible("ansible-playbook", "-i", "localhost,", "playbooks/runtime.yml", "-e", json.dumps(variables))

    assert f"holdfast_monitor_runtime: {dest}" in shown
    assert "python.exe" in unpacked(dest.read_bytes())


def made(arguments: str, *options: str) -> dict[str, Any]:
    """What the module returned on the control host."""
    shown = ansible(
        *("ansible", "localhost", "-i", "localhost,", "-m", "holdfast.iis.runtime", "-a", arguments, "-o", *options)
    )
    result: dict[str, Any] = json.loads(shown.partition("=> ")[2].partition("\n")[0])
    return result


def zip_file(path: Path, files: dict[str, str]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return path


def unpacked(data: bytes) -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}
