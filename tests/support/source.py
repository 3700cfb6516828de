# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads the project's own Python source: imports, functions, comments."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from checkout import MONITOR, ROOT, tracked_files

PACKAGE = "holdfast"
"""The monitor's name where it runs; its files' dotted names start with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """One imported module, by its absolute dotted name, and where; or one that only a type checker sees."""

    module: str
    line: int
    relative: bool
    at_run_time: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """A comment with the line of code it stands on."""

    text: str
    line: int


@cache
def python_files() -> Sequence[Path]:
    """Every Python file of the project, relative to ROOT."""
    return [path for path in tracked_files() if path.suffix == ".py"]


@cache
def monitor_files() -> Mapping[str, Path]:
    """Dotted name -> file, for every module of the monitor."""
    files = sorted(MONITOR.rglob("*.py"))
    return {_dotted(path): path for path in files}


@cache
def parsed(path: Path) -> ast.Module:
    """The syntax tree of a file, given absolute or relative to ROOT."""
    return ast.parse((ROOT / path).read_text(encoding="utf-8"), filename=str(path))


@cache
def imports(name: str) -> Sequence[Import]:
    """Everything a module of the monitor imports, at the top or inside a function."""
    return list(_imports(name))


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function and method of a file."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def comments(path: Path) -> Iterator[Comment]:
    """Every comment of a Python file (no strings that only look like one)."""
    text = (ROOT / path).read_text(encoding="utf-8")
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield Comment(text=token.string, line=token.start[0])


def _dotted(path: Path) -> str:
    parts = path.relative_to(MONITOR).with_suffix("").parts
    return ".".join((PACKAGE, *(part for part in parts if part != "__init__")))


def _imports(name: str) -> Iterator[Import]:
    path = monitor_files()[name]
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    typing_only = {node for block in _typing_blocks(parsed(path)) for node in ast.walk(block)}
    for node in ast.walk(parsed(path)):
        at_run_time = node not in typing_only
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(module=alias.name, line=node.lineno, relative=False, at_run_time=at_run_time)
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(package, node)
            for alias in node.names:
                # `from . import model` names a module, `from .model import Site` something in it
                whole = f"{base}.{alias.name}"
                module = whole if whole in monitor_files() else base
                yield Import(module=module, line=node.lineno, relative=node.level > 0, at_run_time=at_run_time)


def _typing_blocks(tree: ast.Module) -> Iterator[ast.If]:
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) in {"TYPE_CHECKING", "typing.TYPE_CHECKING"}:
            yield node


def _absolute(package: str, node: ast.ImportFrom) -> str:
    if node.level == 0:
        return node.module or ""
    base = package.split(".")[: len(package.split(".")) - node.level + 1]
    return ".".join((*base, *([node.module] if node.module else [])))
