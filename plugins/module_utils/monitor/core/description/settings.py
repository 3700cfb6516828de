# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""From what people write (and from the stored form) to the values of ``model``, all problems at once.

Each element is judged by itself here; what concerns several of them is in ``rules``. The reading itself is in
``cluster_settings``, ``resource_settings`` and ``site_settings``; their ``draft_`` functions give every
element with its place, broken ones included, for the checks of ``rules``.
"""

from __future__ import annotations

from collections.abc import Mapping

from ...errors import StateError
from ..values.model import Cluster, Config, Hierarchy, Ip, Site, Volume
from ..values.problems import Problem
from .cluster_settings import draft_cluster
from .reading import Reader, shown, sound_values
from .resource_settings import draft_ips, draft_volumes
from .site_settings import draft_hierarchies, draft_sites


def read_cluster(data: object, path: str) -> tuple[Cluster | None, list[Problem]]:
    """The cluster, or None with every problem of it."""
    problems: list[Problem] = []
    draft = draft_cluster(data, path, problems)
    return (draft.value if draft and draft.sound else None), problems


def read_ips(data: object, path: str) -> tuple[tuple[Ip, ...], list[Problem]]:
    """The switchable addresses without a problem, and every problem of the others."""
    problems: list[Problem] = []
    return sound_values(draft_ips(data, path, problems)), problems


def read_volumes(data: object, path: str) -> tuple[tuple[Volume, ...], list[Problem]]:
    """The volumes without a problem, and every problem of the others."""
    problems: list[Problem] = []
    return sound_values(draft_volumes(data, path, problems)), problems


def read_sites(data: object, path: str) -> tuple[tuple[Site, ...], list[Problem]]:
    """The sites without a problem, and every problem of the others.

    An element may also have the keys of its protection (site_settings.PROTECTION_KEYS), as in the inventory; they
    are left to ``read_hierarchies``.
    """
    problems: list[Problem] = []
    return sound_values(draft_sites(data, path, problems)), problems


def read_hierarchies(data: object, path: str) -> tuple[tuple[Hierarchy, ...], list[Problem]]:
    """The hierarchies without a problem, and every problem of the others.

    ``depends_on`` is empty: people do not write it, it is read from IIS (``rules.dependencies``).
    """
    problems: list[Problem] = []
    return sound_values(draft_hierarchies(data, path, problems)), problems


def read_config(data: object) -> Config:
    """The configuration from its stored form (``model.as_data``), equal to what was stored.

    Raises:
        StateError: something in it is missing, unknown or broken; the first problem is quoted.
    """
    if not isinstance(data, Mapping):
        raise StateError(f"the configuration is {shown(data)}, not a mapping")
    problems: list[Problem] = []
    reader = Reader(data, path="", known=("cluster", "ips", "volumes", "hierarchies"), problems=problems)
    cluster = draft_cluster(reader.raw("cluster"), "cluster", problems, stored=True)
    ips = draft_ips(_renamed(reader.raw("ips"), "interfaces", "interface"), "ips", problems)
    volumes = draft_volumes(reader.raw("volumes"), "volumes", problems)
    hierarchies = draft_hierarchies(reader.raw("hierarchies"), "hierarchies", problems, form="stored")
    if problems or cluster is None:
        raise StateError(f"the stored configuration is not valid: {problems[0].line if problems else 'no cluster'}")
    return Config(
        cluster=cluster.value,
        ips=sound_values(ips),
        volumes=sound_values(volumes),
        hierarchies=sound_values(hierarchies),
    )


def _renamed(elements: object, old: str, new: str) -> object:
    """The list with one key of each element renamed: the stored form names it as the model does."""
    if not isinstance(elements, (list, tuple)):
        return elements
    return [
        {new if key == old else key: value for key, value in element.items()}
        if isinstance(element, Mapping)
        else element
        for element in elements
    ]
