# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A site that listens on all addresses answers for a protected one that is stopped: people are warned of it."""

from __future__ import annotations

from holdfast.core.description.site_rules import overheard
from holdfast.core.values.model import Binding, Site


def _site(name: str, ip: str, port: int) -> Site:
    binding = Binding(protocol="http", ip=ip, port=port)
    return Site(name=name, kind="web", content=r"C:\sites", app_pool=name, bindings=(binding,))


def test_a_site_on_all_addresses_at_the_same_port_is_named_with_the_cure() -> None:
    warnings = overheard([_site("shop", "192.0.2.113", 80)], [_site("Default Web Site", "*", 80)])
    assert len(warnings) == 1
    assert "'Default Web Site' listens on all addresses at port 80" in warnings[0]
    assert "when 'shop' is stopped" in warnings[0]
    assert "Give 'Default Web Site' an address of its own, or stop it" in warnings[0]


def test_another_port_or_an_address_of_its_own_is_no_reason_to_warn() -> None:
    others = [_site("admin", "*", 8080), _site("intranet", "192.0.2.7", 80)]
    assert overheard([_site("shop", "192.0.2.113", 80)], others) == []
