"""A release is judged by what its commits do: named with the one that fits, or ruled out for good reason."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from bot.domain.catalogue import Catalogue
from bot.domain.diagnoses.diagnosis import CauseKind, Diagnosis
from bot.domain.diagnoses.finding import Finding, FindingKind
from tests.unit.diagnosis.commits.faults import CULPRITS, HARD, MORE, causeless
from tests.unit.diagnosis.commits.incidents import BUMP, REFACTOR
from tests.unit.diagnosis.stories import (
    SHOP,
    deploy,
    errors,
    finding,
    log_errors,
    propagated,
    rank,
    setting,
    version_errors,
)

POOL = "-const maxConns = 50\n+const maxConns = 5\n"
EXHAUSTED = "pool exhausted: no connection after 5 s"
DECOYS = [
    {"sha": "d3c0ade", "message": "Refactor", "files": ["orders/total.go"], "diff": REFACTOR},
    {"sha": "b0a7b0a", "message": "Bump", "files": ["go.mod", "go.sum"], "diff": BUMP},
]


def brought(
    *files: str, diff: str = POOL, sha: str = "c0ffee1234", message: str = "Tidy up"
) -> dict[str, Any]:
    return {"sha": sha, "message": message, "files": list(files), "diff": diff}


def release(
    *commits: dict[str, Any], version: str = "1.1", previous: str = "1.0", before_s: float = 5, **data: Any
) -> Finding:
    known = {
        "commits": list(commits),
        "commits_total": len(commits),
        "commits_removed": 0,
        "commits_complete": True,
    }
    found = deploy("orders", version, previous=previous, before_s=before_s)
    return found.model_copy(update={"data": {**found.data, **known, **data}})


def complaints(*texts: str) -> list[Finding]:
    found = [*propagated("web", "orders"), *log_errors("orders", texts[0])]
    return [
        f.model_copy(update={"data": {**f.data, "samples": list(texts)}})
        if f.service == "orders" and f.source == "logs"
        else f
        for f in found
    ]


def ruled_out(diagnosis: Diagnosis) -> dict[str, str]:
    return {each.what: each.why for each in diagnosis.ruled_out}


@pytest.mark.parametrize("fault", sorted(CULPRITS | MORE))
def test_the_commit_that_fits_what_is_complained_of_is_named_and_makes_its_release_surer(fault):
    file, diff, texts = (CULPRITS | MORE)[fault]
    known = release(DECOYS[0], brought(file, diff=diff), DECOYS[1])

    cause = rank([*complaints(*texts), known]).causes[0]

    assert (cause.kind, cause.data["commit"]) == (CauseKind.BAD_RELEASE, "c0ffee1")
    assert "with commit c0ffee1 (“Tidy up”), which " in cause.summary
    assert cause.confidence > rank([*complaints(*texts), deploy("orders", "1.1")]).causes[0].confidence


@pytest.mark.parametrize("fault", sorted(HARD))
def test_where_no_commit_stands_out_none_is_named_and_the_release_is_no_less_sure(fault):
    file, diff, texts = HARD[fault]
    known = release(DECOYS[0], brought(file, diff=diff), DECOYS[1])

    cause = rank([*complaints(*texts), known]).causes[0]

    assert "commit" not in cause.data
    assert cause.confidence == rank([*complaints(*texts), deploy("orders", "1.1")]).causes[0].confidence


@pytest.mark.parametrize("name", sorted(causeless()))
def test_no_commit_is_named_for_what_comes_from_outside(name):
    case = causeless()[name]
    texts = list(dict.fromkeys(x.text for x in case.lines if x.level == "ERROR" and x.service == "orders"))
    commits = [brought(*c.files, diff=c.diff, sha=f"{n:07x}") for n, c in enumerate(case.commits)]

    cause = rank([*complaints(*texts), release(*commits)]).causes[0]

    assert "commit" not in cause.data


def test_the_summary_says_what_the_commit_does_and_which_words_of_the_lines_hold_it():
    known = release(*DECOYS, brought("orders/bank.yaml", diff="-bank_timeout_ms: 300\n+bank_timeout_ms: 5\n"))

    cause = rank([*complaints("bank did not answer within 5 ms"), known]).causes[0]

    assert cause.summary == (
        "orders 1.1 fails 50 % of its requests; it was released 5 s before the trouble began with commit c0ffee1 "
        "(“Tidy up”), which lowers bank_timeout_ms from 300 to 5; the log lines contain “within 5 ms”."
    )
    assert cause.data["does"] == "lowers bank_timeout_ms from 300 to 5"
    assert known.id in cause.evidence


SILENT = [brought("docs/pool.md"), brought("orders/pool_test.go")]


@pytest.mark.parametrize(
    ("commits", "why"),
    [
        (SILENT, "it contains only documentation, tests, styles or builds"),
        ([], "it contains nothing that touches orders"),
    ],
)
def test_a_release_that_brought_nothing_that_runs_is_ruled_out_and_says_so(commits, why):
    diagnosis = rank([*complaints(EXHAUSTED), release(*commits)])

    assert ruled_out(diagnosis)["deploy of orders 1.1"] == why
    assert diagnosis.causes
    assert all(cause.kind is not CauseKind.BAD_RELEASE for cause in diagnosis.causes)


@pytest.mark.parametrize("missing", [{"commits_complete": False}, {"commits_removed": 2}])
def test_a_release_of_which_not_all_is_known_is_not_ruled_out_by_what_is(missing):
    diagnosis = rank([*complaints(EXHAUSTED), release(*SILENT, **missing)])

    assert diagnosis.causes[0].kind is CauseKind.BAD_RELEASE


@pytest.mark.parametrize("beside", [True, False])
def test_a_release_is_not_ruled_out_for_its_commits_if_failures_keep_to_it_beside_another_version(beside):
    split = version_errors("orders", {"1.0": 0.0, "1.1": 0.5}, failing="1.1", beside=beside)

    diagnosis = rank([*complaints(EXHAUSTED), split, release(*SILENT)])

    assert (diagnosis.causes[0].kind is CauseKind.BAD_RELEASE) is beside
    assert ("deploy of orders 1.1" in ruled_out(diagnosis)) is not beside


def in_repositories(**repositories: str) -> Catalogue:
    services = [
        entry.model_copy(update={"sources": {**entry.sources, "git": {"path": repositories[entry.name]}}})
        if entry.name in repositories
        else entry
        for entry in SHOP.services
    ]
    return SHOP.model_copy(update={"services": tuple(services)})


ELSEWHERE = [brought("services/pay/pool.go"), brought("pay/wait.go", sha="1234567")]


def test_a_release_with_only_another_service_s_changes_of_the_same_repository_is_ruled_out():
    shared = in_repositories(orders="shop.git", pay="shop.git")

    diagnosis = rank([*complaints(EXHAUSTED), release(*ELSEWHERE)], catalogue=shared)

    assert ruled_out(diagnosis)["deploy of orders 1.1"] == (
        "it contains only changes to pay, from the same repository"
    )


@pytest.mark.parametrize(
    ("catalogue", "commits"),
    [
        (in_repositories(orders="orders.git", pay="pay.git"), ELSEWHERE),
        (in_repositories(orders="shop.git", pay="shop.git"), [*ELSEWHERE, brought("orders/pool.go", sha="7654321")]),
        (in_repositories(orders="shop.git", pay="shop.git"), [brought("lib/db/pay/pool.go")]),
    ],
)  # fmt: skip
def test_a_folder_called_like_another_service_is_no_alibi_where_it_may_be_the_service_s_own(
    catalogue, commits
):
    diagnosis = rank([*complaints(EXHAUSTED), release(*commits)], catalogue=catalogue)

    assert diagnosis.causes[0].kind is CauseKind.BAD_RELEASE


def test_an_earlier_release_stays_suspected_if_the_later_one_brought_nothing_that_runs():
    culprit = release(brought("orders/pool.go"), before_s=60)
    later = release(*SILENT, version="1.2", previous="1.1", before_s=30)

    diagnosis = rank([*complaints(EXHAUSTED), culprit, later])

    assert (diagnosis.causes[0].component, diagnosis.causes[0].data["commit"]) == ("1.1", "c0ffee1")
    assert "deploy of orders 1.2" in ruled_out(diagnosis)


def test_a_release_with_nothing_that_is_apt_to_break_is_doubted():
    cause = rank([*complaints(EXHAUSTED), release(DECOYS[0])]).causes[0]

    assert "nothing in it is likely to break anything" in cause.against
    assert cause.confidence < rank([*complaints(EXHAUSTED), deploy("orders", "1.1")]).causes[0].confidence


def test_a_setting_of_the_same_service_that_fits_better_takes_from_a_release():
    harmless = release(brought("orders/ui.yaml", diff="-page_size: 100\n+page_size: 25\n"))
    lowered = setting("orders", "pool_size", 50, 5)

    diagnosis = rank([*complaints(EXHAUSTED), harmless, lowered])

    assert [cause.kind for cause in diagnosis.causes[:2]] == [
        CauseKind.BAD_CONFIGURATION,
        CauseKind.BAD_RELEASE,
    ]
    alone = rank([*complaints(EXHAUSTED), setting("orders", "greeting", "hello", "hi")])
    assert diagnosis.causes[0].confidence > alone.causes[0].confidence


@pytest.mark.parametrize("odd", [7, "none", [{"id": 1}], [{"sha": ""}], None])
def test_what_a_feed_calls_commits_and_is_something_else_changes_nothing(odd: object):
    plain = deploy("orders", "1.1")
    told = plain.model_copy(update={"data": {**plain.data, "commits": odd}})

    assert _causes([*complaints(EXHAUSTED), told]) == _causes([*complaints(EXHAUSTED), plain])


def _causes(found: Sequence[Finding]) -> list[tuple[str, float]]:
    return [(cause.summary, cause.confidence) for cause in rank(found).causes]


def test_a_release_is_not_blamed_for_its_commits_while_nothing_fails():
    assert rank([errors("web"), release(brought("orders/pool.go"))]).causes[0].service == "web"


def test_a_diagnosis_goes_on_without_the_diffs_that_it_was_made_from():
    known = release(brought("orders/pool.go"))

    diagnosis = rank([*complaints(EXHAUSTED), known])

    (kept,) = [finding for finding in diagnosis.findings if finding.id == known.id]
    assert "commits" not in kept.data
    assert kept.data["commits_total"] == 1


def test_an_ordinary_line_that_is_missing_speaks_for_the_commit_that_took_it_out():
    gone = finding(
        "logs",
        FindingKind.LOG_TEMPLATE_VANISHED,
        "orders",
        template="invoice archived to cold storage",
        level="INFO",
    )
    dropped = brought("orders/close.go", diff="-    archive.Invoice(ctx, invoice)\n     return nil\n")
    said = complaints("boom")

    with_it = rank([*said, gone, release(DECOYS[0], dropped)]).causes[0]
    without = rank([*said, release(DECOYS[0], dropped)]).causes[0]

    assert with_it.data.get("commit") == "c0ffee1"
    assert "commit" not in without.data


def test_the_name_of_an_alert_is_a_complaint_like_others():
    known = release(*DECOYS, brought("orders/pool.go"))
    alert = finding("alerts", FindingKind.ALERT, "orders", "OrdersConnPoolExhausted")

    with_it = rank([*complaints("boom"), alert, known]).causes[0]

    assert with_it.data.get("commit") == "c0ffee1"
    assert "commit" not in rank([*complaints("boom"), known]).causes[0].data


def test_a_commit_that_fits_is_named_under_a_later_release_that_stands_on_it_and_no_way_back_is_offered():
    culprit = release(brought("orders/pool.go"), before_s=900)
    later = release(DECOYS[0], version="1.2", previous="1.1", before_s=30)

    diagnosis = rank([*complaints(EXHAUSTED), culprit, later])

    cause = diagnosis.causes[0]
    assert (cause.component, cause.data["commit"], cause.data["previous_version"]) == ("1.1", "c0ffee1", "")
    assert cause.summary.startswith(
        "orders fails 50 % of its requests; 1.1, which 1.2 builds on, was released 15 min before the trouble "
        "began with commit c0ffee1"
    )
    (other,) = [each for each in diagnosis.causes if each.component == "1.2"]
    assert "the content of 1.1 fits the symptoms; the content of this one does not" in other.against


@pytest.mark.parametrize("unknown", [{"commits_removed": 1}, {"commits_removed": None}])
def test_a_release_that_a_later_one_may_have_taken_away_is_no_longer_in_force(unknown):
    culprit = release(brought("orders/pool.go"), before_s=900)
    later = release(DECOYS[0], version="1.2", previous="1.1", before_s=30, **unknown)

    diagnosis = rank([*complaints(EXHAUSTED), culprit, later])

    assert ruled_out(diagnosis)["deploy of orders 1.1"] == (
        "it was no longer in force: the deploy of orders 1.2 replaced it"
    )


def test_an_earlier_release_of_which_nothing_fits_is_no_longer_in_force_either():
    earlier = release(DECOYS[0], before_s=900)
    later = release(DECOYS[1], version="1.2", previous="1.1", before_s=30)

    assert "deploy of orders 1.1" in ruled_out(rank([*complaints("boom"), earlier, later]))
