# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The documents hold together: links, the index of decisions, the terms and their sources."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from checkout import ROOT, tracked_files

DECISIONS = ROOT / "docs" / "decisions"
DECISION_SECTIONS = ["Context", "Decision", "Rejected", "Consequences"]
MEANING_WORDS_MIN = 5


def test_a_link_between_documents_leads_to_a_file() -> None:
    broken = [
        f"{path}: {target}"
        for path in tracked_files()
        if path.suffix == ".md"
        for target in links(without_code(text(path)))
        if not (ROOT / path.parent / target).exists()
    ]

    assert not broken, "\n".join(broken)


def test_every_decision_is_in_the_index_under_its_title() -> None:
    pages = sorted(page for page in DECISIONS.glob("*.md") if page.name != "README.md")
    row = re.compile(r"^\| \[(\d{4})\]\((\S+\.md)\) \| (.+?) \| (.+?) \|$", re.MULTILINE)
    index = {
        name: (number, title, status) for number, name, title, status in row.findall(text(DECISIONS / "README.md"))
    }

    assert [page.name for page in pages] == list(index), "index and pages differ, or the order of the index is wrong"
    for page in pages:
        number, title, status = index[page.name]
        assert page.name.startswith(f"{number}-")
        assert f"\n# {number}. {title}\n" in text(page), f"{page.name}: its title is not the one in the index"
        assert f"\nStatus: {status}" in text(page), f"{page.name}: its status is not the one in the index"


def test_the_numbers_of_decisions_have_no_gap() -> None:
    numbers = [int(page.name[:4]) for page in sorted(DECISIONS.glob("[0-9]*.md"))]

    assert numbers == list(range(1, len(numbers) + 1))
    assert numbers


def test_a_decision_says_why_and_what_was_rejected() -> None:
    for page in DECISIONS.glob("[0-9]*.md"):
        sections = re.findall(r"^## (.+)$", text(page), re.MULTILINE)
        assert [name for name in sections if name in DECISION_SECTIONS] == DECISION_SECTIONS, page.name
        assert re.search(r"^Status: \w[\w ]*, \d{4}-\d{2}-\d{2}$", text(page), re.MULTILINE), page.name


def test_terms_are_sorted_and_unique() -> None:
    terms = [term for term, _meaning in glossary()]

    assert terms == sorted(set(terms))


def test_every_term_has_a_meaning_and_a_source() -> None:
    for term, entry in glossary():
        meaning, found, source = " ".join(entry.split()).partition("Source: ")
        assert found, f"{term}: no source"
        assert len(meaning.split()) >= MEANING_WORDS_MIN, f"{term}: no meaning"
        assert source.endswith("."), f"{term}: the source is not a sentence"


def text(path: Path) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def glossary() -> Sequence[tuple[str, str]]:
    parts = re.split(r"^### (.+)$", text(ROOT / "docs" / "glossary.md"), flags=re.MULTILINE)[1:]
    return list(zip(parts[::2], parts[1::2], strict=True))


def links(markdown: str) -> Sequence[str]:
    """The targets of relative links and pictures, without their fragments."""
    targets = re.findall(r"\]\(([^)\s]+)\)", markdown)
    relative = [target.partition("#")[0] for target in targets if not re.match(r"[a-z]+:", target)]
    return [target for target in relative if target]


def without_code(markdown: str) -> str:
    return re.sub(r"^```.*?^```", "", markdown, flags=re.MULTILINE | re.DOTALL)
