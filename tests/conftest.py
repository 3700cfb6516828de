# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Imports for all tests: the monitor under its name on a node, the plugins under the collection's name.

Works under plain ``pytest`` and in every worker of pytest-xdist. ``pythonpath`` in pyproject.toml has put
.build/python and tests/support on sys.path already; here the links behind it are made, and ansible learns
where the collection is.
"""

from __future__ import annotations

import importlib
import os

import pytest

from checkout import BUILD, ROOT, make_links

make_links()
# sys.path was searched before the links were there.
importlib.invalidate_caches()
# Before the first import of ansible, which reads its settings once.
os.environ["ANSIBLE_CONFIG"] = str(ROOT / "ansible.cfg")
os.environ["PATH"] = f"{ROOT / '.venv' / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}"


def _install_collection_loader() -> None:
    from ansible.utils.collection_loader import AnsibleCollectionConfig
    from ansible.utils.collection_loader._collection_finder import _AnsibleCollectionFinder

    if AnsibleCollectionConfig.collection_finder is None:
        _AnsibleCollectionFinder(paths=[str(BUILD)])._install()


_install_collection_loader()


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--rewrite``: the scenario files are written anew with what happens now."""
    parser.addoption("--rewrite", action="store_true", help="write tests/scenarios/*.txt anew")
