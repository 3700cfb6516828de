# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""May this group come into service on this node? Every rule is judged before anything stops.

Source: guide chapter 2 ("Identical Primary/Backup Web Sites", "Document Content Location") and chapter 5; a move that
cannot succeed is refused while the site still runs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..description.rules import differences
from ..values.facts import Facts, IpFacts, VolumeFacts, WebFacts
from ..values.graph import Group
from ..values.model import Hierarchy, Ip, Volume
from ..values.problems import Problem, Rule, found

ALIVE = Rule(id="HF601", text="The node's monitor answers on a comm path.", source="guide ch. 2, comm paths")
AGREED = Rule(id="HF602", text="All nodes have the same configuration.", source="guide ch. 3, identical sites")
LISTED = Rule(id="HF603", text="The node has a priority for the group.", source="guide ch. 4, extend")
SITE = Rule(id="HF604", text="The site exists on the node.", source="guide ch. 3, identical sites")
CERTIFICATE = Rule(
    id="HF606", text="Each https binding's certificate is there with its key.", source="guide ch. 3, secure servers"
)
CONTENT = Rule(id="HF607", text="The content folder exists.", source="guide ch. 3, document content location")
DISK = Rule(id="HF608", text="The volume's disk can be seen.", source="guide ch. 3, shared storage")
LETTER = Rule(id="HF609", text="The volume's drive letter is free.", source="guide ch. 3, identical sites")
CARD = Rule(id="HF610", text="The address's network card is up.", source="guide ch. 1, NIC failures")
STRANGER = Rule(id="HF611", text="No stranger answers for the address.", source="RFC 5227, section 2.1")
REACHED = Rule(
    id="HF616",
    text="Where a group is served, it moves only to a node at which an address of ping answers.",
    source="guide ch. 1, NIC failures",
)
SERVICES = Rule(id="HF612", text="IIS is running.", source="guide ch. 2, installation checklist")
CLEAN = Rule(id="HF613", text="A standby has no address of the group.", source="guide ch. 2, stop the backup sites")
CONFLICT = Rule(id="HF614", text="A group's resources are on one node.", source="guide ch. 3, shared resources")
LOOKED = Rule(id="HF615", text="The node can look at its own resources.", source="guide ch. 5")
RULES = (
    ALIVE,
    AGREED,
    LISTED,
    SITE,
    CERTIFICATE,
    CONTENT,
    DISK,
    LETTER,
    CARD,
    STRANGER,
    SERVICES,
    CLEAN,
    CONFLICT,
    LOOKED,
    REACHED,
)


def judge(
    group: Group, *, node: str, facts: Mapping[str, Facts], source: str | None, theirs: Mapping[str, Facts]
) -> list[Problem]:
    """What keeps the group from coming into service on ``node``.

    ``source`` is the node that serves it now and ``theirs`` what it found; None when nobody serves.
    """
    return [problem for r in group.resources for problem in _judge(r, node, facts, source, theirs)]


def silence(facts: Mapping[str, Facts]) -> str:
    """Why no client would reach an address here although its card has a link; empty when one would."""
    return "; ".join(found.silent for found in facts.values() if isinstance(found, IpFacts) and found.silent)


def _judge(
    resource: Ip | Volume | Hierarchy,
    node: str,
    facts: Mapping[str, Facts],
    source: str | None,
    theirs: Mapping[str, Facts],
) -> Iterator[Problem]:
    mine = facts.get(resource.tag)
    if isinstance(resource, Ip) and isinstance(mine, IpFacts):
        yield from _ip(resource, node, mine, source)
    elif isinstance(resource, Volume) and isinstance(mine, VolumeFacts):
        yield from _volume(resource, node, mine)
    elif isinstance(resource, Hierarchy) and isinstance(mine, WebFacts):
        yield from _web(resource, node, mine)
        yield from _identical(node, mine, source, theirs.get(resource.tag))
    else:
        yield found(
            LOOKED,
            path=f"{resource.tag} on {node}",
            value=None,
            message=f"{node} could not look at {resource.tag}.",
            cure=f"See {node}'s log, and try again.",
        )


def _ip(ip: Ip, node: str, mine: IpFacts, source: str | None) -> Iterator[Problem]:
    where = f"{ip.tag} on {node}"
    if not mine.interface_up:
        yield found(
            CARD,
            path=where,
            value=ip.interfaces.get(node),
            message=f"network card {ip.interfaces.get(node)!r} of {node} is down or missing.",
            cure="Connect the card, or correct 'interface' of this address.",
        )
    elif source is not None and mine.silent:
        yield found(
            REACHED,
            path=where,
            value=list(ip.ping),
            message=f"no client would reach {ip.address} on {node}: {mine.silent}.",
            cure="Mend the network, or correct 'ping' of this address.",
        )
    if mine.state != "down":
        yield found(
            CLEAN,
            path=where,
            value=ip.address,
            message=f"{ip.address} is configured on {node} although {node} is not to serve it.",
            cure=f"Remove {ip.address} from {node}; Holdfast adds it when the group comes into service.",
        )
    elif source is None and mine.answered_by is not None:
        yield found(
            STRANGER,
            path=where,
            value=mine.answered_by,
            message=f"{ip.address} is answered by {mine.answered_by}, and no node of the cluster serves it.",
            cure="Find that machine and take the address away from it.",
        )


def _volume(volume: Volume, node: str, mine: VolumeFacts) -> Iterator[Problem]:
    where = f"{volume.tag} on {node}"
    if not mine.visible:
        yield found(
            DISK,
            path=where,
            value=volume.disk,
            message=f"{node} does not see disk {volume.disk}.",
            cure="Restore the path to the disk, or correct 'disk' of this volume.",
        )
    if mine.letter_used_by is not None:
        yield found(
            LETTER,
            path=where,
            value=volume.drive,
            message=f"drive {volume.drive} of {node} is in use by {mine.letter_used_by}.",
            cure=f"Free drive letter {volume.drive} on {node}.",
        )


def _web(hierarchy: Hierarchy, node: str, mine: WebFacts) -> Iterator[Problem]:
    where = f"{hierarchy.tag} on {node}"
    if mine.site is None:
        yield found(
            SITE,
            path=where,
            value=hierarchy.site,
            message=f"IIS on {node} has no site named {hierarchy.site!r}.",
            cure="Run the site role for this node; names must be equal, letter case included.",
        )
    for name, state in mine.services.items():
        if state != "running":
            yield found(
                SERVICES,
                path=where,
                value=state,
                message=f"service {name} of {node} is {state}.",
                cure=f"Start service {name} on {node}.",
            )
    for thumbprint, state in mine.certificates.items():
        if state != "ok":
            yield found(
                CERTIFICATE,
                path=where,
                value=thumbprint,
                message=f"certificate {thumbprint} of {node}: {state}.",
                cure=f"Install the certificate with its private key in the machine store MY of {node}.",
            )
    if mine.content_present is False:
        yield found(
            CONTENT,
            path=where,
            value=mine.site.content if mine.site else "",
            message=f"the content folder of {hierarchy.site} does not exist on {node}.",
            cure="Copy the content there, or put it on a protected volume.",
        )


def _identical(node: str, mine: WebFacts, source: str | None, other: Facts | None) -> Iterator[Problem]:
    if source is None or not isinstance(other, WebFacts) or mine.site is None or other.site is None:
        return
    if any(state != "running" for state in other.services.values()):
        return  # A source whose IIS is off cannot tell its certificates, and is what the group is to be saved from.
    yield from differences(mine.site, other.site, of_a=node, of_b=source)
