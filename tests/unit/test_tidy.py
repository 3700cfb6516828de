# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rules of the house that no other tool checks.

The first table is the map of the monitor: a room (a folder or a file at its top) may import the rooms named
beside it and nothing else of the monitor. Lower rooms come first.
"""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

from source import comments, functions, imports, monitor_files, parsed, python_files

from checkout import MONITOR, ROOT, tracked_files

ROOMS = {
    "errors": "",
    "paths": "",
    "start": "",
    "core": "errors",
    "surface": "errors",
    "surface_win32": "errors paths surface",
    "windows": "errors paths core surface",
    "kits": "errors paths core surface windows",
    "transport": "errors paths core surface",
    "store": "errors paths core surface",
    "guard": "errors paths core surface windows kits store",
    "arbiter": "errors paths core surface transport store",
    "service": "errors paths core surface windows kits transport store guard arbiter",
    "witness": "errors paths core surface transport store service",
    "selftest": "errors paths core surface windows kits",
    "cli": "errors paths start core surface transport store service selftest guard witness",
    "__main__": "errors cli",
}

# What the core may use: nothing here reads a clock, a file, the network, chance or the environment.
PURE = {
    *("__future__", "abc", "bisect", "collections", "copy", "dataclasses", "decimal", "difflib", "enum"),
    *("fractions", "functools", "hashlib", "heapq", "ipaddress", "itertools", "json", "math", "operator"),
    *("re", "string", "struct", "textwrap", "types", "typing", "zlib"),
}
IMPURE_CALLS = {"open", "print", "input", "exec", "eval", "__import__", "id", "hash"}

# What a node has besides the standard library.
ON_A_NODE = {"aiohttp", "prometheus_client", "psutil"}
ON_WINDOWS = {"msvcrt", "pythoncom", "pywintypes", "servicemanager", "winreg", "winerror", "_winapi"}

FUNCTION_LINES_MAX = 60
MONITOR_FILE_LINES_MAX = 350
HEADER_LINES = 10
WITH_HEADER = {".cfg", ".j2", ".md", ".py", ".sh", ".toml", ".yaml", ".yml"}
GENERATED = {Path("CHANGELOG.md"), Path("changelogs/changelog.yaml")}
LICENCE = "SPDX-License-" + "Identifier"  # in two parts, or reuse takes this line for one
SKIP = re.compile(r"pytest\.(mark\.)?(skip|skipif|importorskip|xfail)")
GPL_NOTICE = "GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or"

# --- the map --------------------------------------------------------------------------------------


def test_the_map_itself_points_down_only() -> None:
    rooms = list(ROOMS)
    for room, allowed in ROOMS.items():
        for lower in allowed.split():
            assert rooms.index(lower) < rooms.index(room), f"{room} stands above {lower} and may not import it"


def test_every_file_of_the_monitor_is_in_a_room_of_the_map() -> None:
    strangers = sorted({room_of(name) for name in monitor_files()} - set(ROOMS) - {""})

    assert not strangers, f"give these a line in ROOMS: {strangers}"


def test_an_import_points_down_only() -> None:
    wrong = [
        f"{name}:{found.line} imports {found.module}; its room may import: {ROOMS.get(room_of(name), '')}"
        for name in monitor_files()
        for found in imports(name)
        if found.relative and not allowed(room_of(name), room_of(found.module))
    ]

    assert not wrong, "\n".join(wrong)


def test_no_file_of_the_monitor_imports_itself_through_others() -> None:
    graph = {
        name: {found.module for found in imports(name) if found.module in monitor_files() and found.at_run_time}
        for name in monitor_files()
    }
    assert not cycle(graph), f"a circle of imports: {' -> '.join(cycle(graph))}"


def test_a_circle_of_imports_would_be_found() -> None:
    assert cycle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c", "b"]


def test_the_monitor_names_itself_relatively_and_knows_nothing_of_ansible() -> None:
    known = set(sys.stdlib_module_names) | ON_A_NODE | ON_WINDOWS
    wrong = [
        f"{name}:{found.line} imports {found.module}"
        for name in monitor_files()
        for found in imports(name)
        if not found.relative and not (top(found.module) in known or found.module.startswith("win32"))
    ]

    assert not wrong, "only the standard library and what a node has:\n" + "\n".join(wrong)


def test_the_core_reads_no_clock_file_network_or_chance() -> None:
    wrong = [
        f"{name}:{found.line} imports {found.module}"
        for name in monitor_files()
        if room_of(name) == "core"
        for found in imports(name)
        if not found.relative and top(found.module) not in PURE
    ]
    wrong += [
        f"{name}:{node.lineno} calls {node.func.id}()"
        for name, path in monitor_files().items()
        if room_of(name) == "core"
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in IMPURE_CALLS
    ]

    assert not wrong, "the core is pure:\n" + "\n".join(wrong)


# --- sizes and texts ------------------------------------------------------------------------------


def test_a_function_fits_a_screen() -> None:
    long = [
        f"{path}:{node.lineno} {node.name} has {length} lines"
        for path in python_files()
        for node in functions(path)
        if (length := (node.end_lineno or node.lineno) - node.lineno + 1) > FUNCTION_LINES_MAX
    ]

    assert not long, f"more than {FUNCTION_LINES_MAX} lines:\n" + "\n".join(long)


def test_a_file_of_the_monitor_has_one_job() -> None:
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines())
        for path in monitor_files().values()
    }
    long = {path: lines for path, lines in lengths.items() if lines > MONITOR_FILE_LINES_MAX}

    assert not long, f"more than {MONITOR_FILE_LINES_MAX} lines: {long}"


def test_everything_public_in_the_monitor_says_what_it_is() -> None:
    silent = [
        f"{path.relative_to(ROOT)}:{line} {name}"
        for path in monitor_files().values()
        for name, line in without_docstring(parsed(path))
    ]

    assert not silent, "no docstring:\n" + "\n".join(silent)


# --- licences and leftovers -----------------------------------------------------------------------


def test_a_file_carries_the_licence_of_its_place() -> None:
    wrong = [f"{path}: {complaint}" for path in tracked_files() for complaint in header_complaints(path)]

    assert not wrong, "\n".join(wrong)


def test_the_text_of_each_licence_is_there_and_of_no_other() -> None:
    used = {f"{licence_of(path)}.txt" for path in tracked_files()}

    assert {path.name for path in (ROOT / "LICENSES").iterdir()} == used


def test_no_file_names_a_path_of_the_machine_it_was_written_on() -> None:
    foreign = re.compile(r"/(?:work|root)/")
    found = [
        f"{path}:{number} {line.strip()[:100]}"
        for path in tracked_files()
        for number, line in enumerate(readable(path).splitlines(), 1)
        if foreign.search(line)
    ]

    assert not found, "\n".join(found)


def test_a_check_is_switched_off_only_with_its_reason_beside_it() -> None:
    switch = re.compile(r"#\s*(?:type:\s*ignore\S*|noqa\S*(?:\s+[A-Z]+\d+,?)*|pylint:\s*disable=\S+)(.*)")
    found = [
        f"{path}:{comment.line} {comment.text}"
        for path in python_files()
        for comment in comments(path)
        if (off := switch.search(comment.text)) and len(re.findall(r"\w+", off[1])) < 3
    ]

    assert not found, "say why, on the same line:\n" + "\n".join(found)


def test_nothing_is_left_for_later() -> None:
    later = re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|X" + r"XX)\b")
    found = [
        f"{path}:{number}"
        for path in tracked_files()
        for number, line in enumerate(readable(path).splitlines(), 1)
        if later.search(line)
    ]

    assert not found, "\n".join(found)


def test_mypy_reads_every_python_file() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    read = [(ROOT / name).resolve() for name in settings["tool"]["mypy"]["files"]]
    unread = [str(path) for path in python_files() if not any((ROOT / path).is_relative_to(name) for name in read)]

    assert not unread, "add their folder to [tool.mypy] files in pyproject.toml: " + ", ".join(unread)


def test_no_test_is_skipped_without_a_reason() -> None:
    tests = [path for path in python_files() if path.parts[0] == "tests"]
    silent = [f"{path}:{line}" for path in tests for line in skips_without_reason(parsed(path))]

    assert not silent, "give a reason of at least three words:\n" + "\n".join(silent)


def test_a_skip_without_a_reason_would_be_found() -> None:
    silent = ["@pytest.mark.skip\ndef f(): 0", "pytest.skip()", "pytest.skip('later')", "pytest.importorskip('a')"]
    silent += ["@pytest.mark.skipif(linux)\ndef f(): 0", "@pytest.mark.xfail(reason='flaky')\ndef f(): 0"]
    spoken = ["pytest.skip('no namespaces: needs root')", "pytest.skip(str(error))"]
    spoken += ["@pytest.mark.skipif(linux, reason='the real one is on Windows')\ndef f(): 0"]

    assert [code for code in [*silent, *spoken] if list(skips_without_reason(ast.parse(code)))] == silent


# --- reading --------------------------------------------------------------------------------------


def room_of(module: str) -> str:
    """The room of a module of the monitor; empty for the package itself."""
    return module.split(".")[1] if "." in module else ""


def allowed(room: str, imported: str) -> bool:
    """Whether a room may import another; the package itself (its version) belongs to all."""
    return imported in {"", room} or imported in ROOMS.get(room, "").split()


def top(module: str) -> str:
    """The first part of a dotted name."""
    return module.split(".", maxsplit=1)[0]


def cycle(graph: dict[str, set[str]]) -> list[str]:
    """A path that ends where it begins; empty when there is none."""
    done: set[str] = set()

    def visit(name: str, way: list[str]) -> list[str]:
        if name in way:
            return [*way[way.index(name) :], name]
        if name in done:
            return []
        done.add(name)
        ways = (visit(below, [*way, name]) for below in sorted(graph.get(name, ())))
        return next((found for found in ways if found), [])

    return next((found for name in sorted(graph) if (found := visit(name, []))), [])


def without_docstring(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """The module, and its public classes, functions and methods, where they have no docstring."""
    if tree.body and not ast.get_docstring(tree):
        yield "the module", 1
    yield from _silent(tree)


def _silent(owner: ast.Module | ast.ClassDef) -> Iterator[tuple[str, int]]:
    for node in owner.body:
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        overload = any("overload" in ast.dump(decorator) for decorator in node.decorator_list)
        if node.name.startswith("_") or overload:
            continue
        if not ast.get_docstring(node):
            yield node.name, node.lineno
        if isinstance(node, ast.ClassDef):
            yield from _silent(node)


def skips_without_reason(tree: ast.Module) -> Iterator[int]:
    """The lines of every skip (call or mark) that gives no reason of three words or more."""
    calls = {node.func: node for node in ast.walk(tree) if isinstance(node, ast.Call)}
    for node in ast.walk(tree):
        skips = isinstance(node, ast.Attribute) and SKIP.fullmatch(ast.unparse(node))
        if skips and isinstance(node, ast.expr) and not gives_reason(calls.get(node)):
            yield node.lineno


def gives_reason(call: ast.Call | None) -> bool:
    """Whether a call has a reason: a text of three words, or one that is put together when the test runs."""
    if call is None:
        return False
    reasons = [keyword.value for keyword in call.keywords if keyword.arg == "reason"]
    if ast.unparse(call.func) in {"pytest.skip", "pytest.mark.skip"}:
        reasons += call.args
    return any(not isinstance(text, ast.Constant) or len(str(text.value).split()) >= 3 for text in reasons)


def header_complaints(path: Path) -> Iterator[str]:
    """What the first lines of a file should say and do not."""
    text = readable(path)
    head = "\n".join(text.splitlines()[:HEADER_LINES])
    licences = re.findall(LICENCE + r":\s*(\S+)", head)
    if path.suffix in WITH_HEADER and path not in GENERATED and not licences:
        yield f"no {LICENCE} in its first lines"
    if licences and licences != [licence_of(path)]:
        yield f"{licences} instead of {licence_of(path)}"
    if licences and "SPDX-FileCopyrightText: 2026 Holdfast contributors" not in head:
        yield "no SPDX-FileCopyrightText: 2026 Holdfast contributors"
    if path.suffix != ".py" or path.parts[0] != "plugins":
        return
    if licence_of(path) == "GPL-3.0-or-later" and GPL_NOTICE not in head:
        yield f"no line with {GPL_NOTICE}"
    if len(parsed(path).body) > 1 and "from __future__ import annotations" not in text:
        yield "no from __future__ import annotations"


def licence_of(path: Path) -> str:
    """The licence that the place of a file asks for."""
    return "BSD-2-Clause" if (ROOT / path).is_relative_to(MONITOR) else "GPL-3.0-or-later"


def readable(path: Path) -> str:
    """The text of a file; what is no text reads as empty."""
    try:
        return (ROOT / path).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""
