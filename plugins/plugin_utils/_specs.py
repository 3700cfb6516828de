# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Argument specs that several action plugins share; the documentation twins spell them out.

``type: raw`` where people may write one of two forms, and where the rules of the monitor give the better message.
"""

from __future__ import annotations

from typing import Any

PRUNE: dict[str, Any] = {"type": "bool", "default": False}
TIMEOUT: dict[str, Any] = {"type": "int", "default": 60}
PRIORITIES: dict[str, Any] = {"type": "dict", "required": True}

COMM_PATH: dict[str, Any] = {
    "name": {"type": "str", "required": True},
    "addresses": {"type": "dict", "required": True},
    "prefix_length": {"type": "int"},
}
RECOVERY: dict[str, Any] = {
    "local": {"type": "bool", "default": True},
    "shutdown": {"type": "str", "choices": ["switchover", "stay"], "default": "switchover"},
    "switchback": {"type": "str", "choices": ["intelligent", "automatic"], "default": "intelligent"},
    "stable_s": {"type": "float", "default": 600.0},
    "restarts": {"type": "int", "default": 3},
    "failovers": {"type": "int", "default": 3},
    "window_s": {"type": "float", "default": 1800.0},
    "quick_check_s": {"type": "float", "default": 5.0},
    "deep_check_s": {"type": "float", "default": 10.0},
    "guard_resets": {"type": "bool", "default": True},
}
OWN_RECOVERY: dict[str, Any] = {
    key: {name: value for name, value in spec.items() if name != "default"}
    for key, spec in RECOVERY.items()
    if key not in ("shutdown", "guard_resets")
}
CLUSTER: dict[str, Any] = {
    "name": {"type": "str", "required": True},
    "arbiter": {"type": "raw", "default": "manual"},
    "profile": {"type": "str", "choices": ["normal", "fast", "vm"], "default": "normal"},
    "comm_port": {"type": "int", "default": 7430},
    "comm_paths": {"type": "list", "elements": "dict", "required": True, "options": COMM_PATH},
    "recovery": {"type": "dict", "options": RECOVERY},
}
IP: dict[str, Any] = {
    "tag": {"type": "str", "required": True},
    "address": {"type": "str", "required": True},
    "prefix_length": {"type": "int", "required": True},
    "interface": {"type": "raw", "required": True},
    "priorities": PRIORITIES,
    "ping": {"type": "list", "elements": "str"},
    "spare": {"type": "raw"},
}
VOLUME: dict[str, Any] = {
    "tag": {"type": "str", "required": True},
    "drive": {"type": "str", "required": True},
    "driver": {"type": "str", "choices": ["shared_disk"], "default": "shared_disk"},
    "disk": {"type": "str", "required": True},
    "priorities": PRIORITIES,
}
BINDING: dict[str, Any] = {
    "protocol": {"type": "str", "choices": ["http", "https"], "default": "http"},
    "ip": {"type": "str", "required": True},
    "port": {"type": "int", "required": True},
    "host": {"type": "str", "default": ""},
    "certificate": {"type": "str"},
    "sni": {"type": "bool", "default": False},
}
SITE: dict[str, Any] = {
    "name": {"type": "str", "required": True},
    "kind": {"type": "str", "choices": ["web"], "default": "web"},
    "content": {"type": "str", "required": True},
    "app_pool": {"type": "str"},
    "bindings": {"type": "list", "elements": "dict", "required": True, "options": BINDING},
    "tag": {"type": "str"},
    "priorities": {"type": "dict"},
    "drain_s": {"type": "float"},
    "recovery": {"type": "dict", "options": OWN_RECOVERY},
}
HIERARCHY: dict[str, Any] = {
    "site": {"type": "str", "required": True, "aliases": ["name"]},
    "kind": {"type": "str", "choices": ["web"], "default": "web"},
    "tag": {"type": "str"},
    "priorities": PRIORITIES,
    "drain_s": {"type": "float", "default": 0.0},
    "recovery": {"type": "dict", "options": OWN_RECOVERY},
    "content": {"type": "str"},
    "app_pool": {"type": "str"},
    "bindings": {"type": "list", "elements": "dict"},
}
