"""A hint is a command that works, about the service, version and option that were typed."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.domain.catalogue import Catalogue, Service
from bot.domain.deployments.strategies import usual_strategy
from bot.domain.errors import UsageError
from bot.engine.plugins import scan
from bot.loader.loader import load_runbooks
from bot.services.parsing.command_line import parse_words
from bot.services.parsing.gates import parse_lock_words, parse_service, parse_version_words
from bot.services.parsing.records import parse_stats_words

ROOT = Path(__file__).parents[3]
CATALOGUE = Catalogue(
    services=(
        Service(name="storefront"),
        Service(name="checkout", target={"haproxy": {"socket": "s"}}),
        Service(name="search", target={"git": {"file": "f"}, "flags": {"flag": "by-taste"}}),
        Service(name="payments"),
    )
)


@pytest.fixture(scope="module")
def library():
    plugins = scan("bot.probes", "bot.actions", third_parties=False)
    return load_runbooks([ROOT / "runbooks"], plugins=plugins)


def hint_of(library, runbook: str, command: str, text: str) -> str:
    with pytest.raises(UsageError) as refused:
        parse_words(library.get(runbook), text, catalogue=CATALOGUE, command=command)
    return refused.value.hint


@pytest.mark.parametrize(
    ("runbook", "command", "text", "told"),
    [
        ("triage", "/triage", "checkout since yesterday", "Try `/triage checkout since 30m`."),
        ("triage", "/triage", "chekout since yesterday", "Try `/triage checkout since 30m`."),
        ("triage", "/triage", "payments sinse 1h", "Try `/triage payments since 30m`."),
        ("triage", "/triage", "", "Try `/triage storefront since 30m`."),
        ("deploy-canary", "/deploy canary", "", "Try `/deploy canary checkout <version>`."),
        ("deploy-canary", "/deploy canary", "checkout", "Try `/deploy canary checkout <version>`."),
        ("deploy-canary", "/deploy canary", "chekout 1.5.0", "Try `/deploy canary checkout 1.5.0`."),
        ("deploy-canary", "/deploy canary", "nosuch 1.5.0", "Try `/deploy canary checkout 1.5.0`."),
        ("deploy-canary", "/deploy canary", "checkout 1.5.0 weights 5,200", "Try `/deploy canary checkout 1.5.0 weights 5,25,50`."),
        ("deploy-canary", "/deploy canary", "checkout 1.5.0 pause soon", "Try `/deploy canary checkout 1.5.0 pause 1m`."),
        ("deploy-gitops", "/deploy gitops", "", "Try `/deploy gitops search <version>`."),
        ("deploy-flag", "/deploy flag", "", "Try `/deploy flag search <version>`."),
        ("rollback", "/rollback", "nosuch", "Try `/rollback checkout`."),
        ("rollback", "/rollback", "search to ../x", "Try `/rollback search to <version>`."),
        ("rollback", "/rollback", "", "Try `/rollback checkout`."),
    ],
)  # fmt: skip
def test_the_hint_fits_what_was_typed(library, runbook: str, command: str, text: str, told: str):
    assert hint_of(library, runbook, command, text).startswith(told)


def test_the_hints_of_commands_about_gates_and_records_name_the_service_that_was_typed():
    cases = (
        (lambda words: parse_lock_words(words, catalogue=CATALOGUE, command="/deploy lock"), ["payments"], "payments the fair"),
        (lambda words: parse_service(words, catalogue=CATALOGUE, command="/deploy why"), ["search", "x"], "why search`"),
        (lambda words: parse_version_words(words, catalogue=CATALOGUE, command="/deploy checklist"), ["search"], "search 1.5.0"),
        (lambda words: parse_stats_words(words, catalogue=CATALOGUE, command="/deploy stats"), ["search", "x"], "stats search 30d"),
    )  # fmt: skip
    for parse, words, told in cases:
        with pytest.raises(UsageError) as refused:
            parse(words)
        assert told in refused.value.hint


@pytest.mark.parametrize(
    ("kinds", "strategy"),
    [
        ({"haproxy"}, "canary"),
        ({"haproxy", "git", "flags"}, "canary"),
        ({"git"}, "gitops"),
        ({"git", "flags"}, "gitops"),
        ({"flags"}, "flag"),
        ({"command"}, "canary"),
        (set(), "canary"),
    ],
)
def test_the_strategy_that_is_suggested_fits_the_target(kinds: set[str], strategy: str):
    assert usual_strategy(kinds) == strategy
