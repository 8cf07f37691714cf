"""Where the trouble began is told from all findings alike, and shown with what can be shown."""

from __future__ import annotations

from bot.diagnosis.ranking.causes import rank_causes
from bot.domain.catalogue import Catalogue
from bot.domain.diagnoses.diagnosis import CauseKind
from bot.domain.diagnoses.finding import FindingKind, Findings
from tests.unit.diagnosis.stories import NOW, calls_fail, errors, finding, lock, rank


def test_the_places_rank_the_deepest_in_trouble_first_and_their_evidence_is_their_own():
    said = rank([errors("web", 0.4), errors("orders", 0.5), calls_fail("web", "orders")])
    assert [place.service for place in said.places[:2]] == ["orders", "web"]
    by_id = {finding.id: finding for finding in said.findings}
    for place in said.places:
        assert {by_id[each].service for each in place.evidence} == {place.service}


def test_a_place_alone_is_less_sure_than_a_lock_that_was_seen_there():
    assert rank([errors("orders"), lock("orders")]).causes[0].kind is CauseKind.DATABASE_LOCK
    alone = rank([errors("orders")]).causes[0]
    assert (alone.kind, alone.service) == (CauseKind.UNKNOWN, "orders")


def test_what_cannot_be_shown_is_no_evidence_and_no_cause():
    faint = finding("metrics", FindingKind.LATENCY_UP, "orders", strength=0.9, telling=False)
    assert rank([faint]).causes == ()


def test_a_service_without_neighbours_may_be_failed_by_anything_that_is_in_trouble():
    catalogue = Catalogue.model_validate({"services": [{"name": "gate", "external": True}, {"name": "cart"}]})
    said = rank_causes(
        service="gate",
        catalogue=catalogue,
        results={"metrics": Findings(items=(errors("cart"),), looked_at="2 series")},
        now=NOW,
        since_s=1800,
    )
    assert said.causes[0].service == "cart"
