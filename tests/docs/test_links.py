"""Every link within the docs leads somewhere."""

from __future__ import annotations

import pytest

from tests.docs.pages import ROOT, anchors_of, links_of, pages


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_every_relative_link_of_a_page_leads_to_a_file_and_a_heading(page):
    text = page.read_text(encoding="utf-8")
    lost = []
    for link in links_of(text):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if (
            not target.is_relative_to(ROOT)
            or not target.exists()
            or (
                anchor
                and target.suffix == ".md"
                and anchor not in anchors_of(target.read_text(encoding="utf-8"))
            )
        ):
            lost.append(link)
    assert lost == []


def test_a_lost_link_would_be_found():
    assert list(links_of("see [this](no/where.md#at-all) and <https://example.com> and `[a](b)`")) == [
        "no/where.md#at-all"
    ]
    assert anchors_of("# The `make` *tasks*: all\n```\n# not this\n```\n") == {"the-make-tasks-all"}
