# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Windows paths on a lab node."""

from __future__ import annotations

from pathlib import Path

import pytest

from holdfast_lab.surface.paths import NOWHERE, Drives, PathError, expand, normal


@pytest.fixture
def drives(tmp_path: Path) -> Drives:
    (tmp_path / "C" / "Program Files" / "Holdfast").mkdir(parents=True)
    (tmp_path / "C" / "Program Files" / "Holdfast" / "Version.TXT").write_text("1")
    return Drives(root=tmp_path)


@pytest.mark.parametrize(
    "path",
    [
        r"C:\Program Files\Holdfast\Version.TXT",
        r"c:\PROGRAM FILES\holdfast\version.txt",
        "C:/program files/Holdfast/version.txt",
        r"C:\Program Files\Other\..\Holdfast\.\version.txt",
    ],
)
def test_an_existing_file_is_found_however_it_is_written(drives: Drives, path: str) -> None:
    assert drives.local(path).read_text() == "1"


def test_a_new_file_keeps_its_case_in_the_folder_that_is_there(drives: Drives) -> None:
    wanted = drives.root / "C" / "Program Files" / "Holdfast" / "New" / "File.txt"
    assert drives.local(r"C:\PROGRAM FILES\HOLDFAST\New\File.txt") == wanted


def test_a_drive_is_its_top_folder(drives: Drives) -> None:
    assert drives.local("C:") == drives.local("c:\\") == drives.root / "C"


def test_a_missing_drive_has_nothing_and_takes_nothing(drives: Drives) -> None:
    path = drives.local(r"X:\shop\index.html")
    assert path.is_relative_to(NOWHERE)
    assert not path.exists()
    with pytest.raises(OSError, match="No such file"):
        path.parent.mkdir(parents=True)


def test_a_letter_that_leads_nowhere_is_a_missing_drive(drives: Drives) -> None:
    (drives.root / "X").symlink_to(drives.root / "gone")
    assert drives.local("X:\\shop").is_relative_to(NOWHERE)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (r"\\server\share\x", "no network shares"),
        (r"Windows\x", "not an absolute path"),
        ("C:x", "not an absolute path"),
        (r"C:\a?b", "cannot contain '\\?'"),
        ("C:\\a:b", "cannot contain ':'"),
        ("", "not an absolute path"),
    ],
)
def test_other_paths_are_refused(path: str, text: str) -> None:
    with pytest.raises(PathError, match=text):
        normal(path)


def test_the_systems_own_variables_are_filled_in() -> None:
    assert expand(r"%SystemDrive%\inetpub") == r"C:\inetpub"
    assert expand(r"%WINDIR%\%NoSuch%") == r"C:\Windows\%NoSuch%"
