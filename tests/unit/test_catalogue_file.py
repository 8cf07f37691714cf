"""The catalogue's file is read whole or refused with every problem, its line and what was meant."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.adapters.files.catalogue_file import CatalogueError, load_catalogue
from bot.domain.catalogue import Catalogue, Failover

GOOD = """\
groups:
  oncall: {usergroup: oncall, members: [U0ANA]}
services:
  - name: checkout
    owner: shop
    depends_on: [bank]
    sources:
      prometheus: {url: "${PROM}/api", selector: 'service="checkout"'}
  - name: bank
    external: true
    failover: {service: checkout, key: bank, value: backup}
"""


@pytest.fixture
def load(tmp_path, monkeypatch):
    """Load a text as the file ``catalogue.yaml``."""
    monkeypatch.chdir(tmp_path)

    def loaded(text: str, **env: str) -> Catalogue:
        path = tmp_path / "catalogue.yaml"
        path.write_text(text, encoding="utf-8")
        return load_catalogue(path, env)

    return loaded


def problems(load, text: str, **env: str) -> list[str]:
    with pytest.raises(CatalogueError) as caught:
        load(text, **env)
    assert caught.value.code == "catalogue_invalid"
    assert str(caught.value).splitlines() == [str(problem) for problem in caught.value.problems]
    return [str(problem) for problem in caught.value.problems]


def test_a_good_file_becomes_a_catalogue(load):
    catalogue = load(GOOD, PROM="http://prom")
    assert catalogue.names == ("checkout", "bank")
    assert catalogue.get("checkout").sources["prometheus"]["url"] == "http://prom/api"
    assert catalogue.get("bank").failover == Failover(service="checkout", key="bank", value="backup")
    assert catalogue.group("oncall").members == {"U0ANA"}


def test_a_variable_that_is_not_set_is_named_with_its_line(load):
    (found,) = problems(load, GOOD, PROMM="x")
    assert found.startswith("catalogue.yaml:8: services[0].sources.prometheus.url: ")
    assert found.endswith("the environment variable PROM is not set (did you mean `PROMM`?)")


def test_a_variable_that_is_empty_counts_as_not_set(load):
    assert "PROM is not set" in problems(load, GOOD, PROM="")[0]


@pytest.mark.parametrize("given", [{}, {"PROM": ""}])
def test_a_variable_that_says_so_may_be_empty(load, given):
    catalogue = load(GOOD.replace("${PROM}", "${PROM:-}"), **given)
    assert catalogue.get("checkout").sources["prometheus"]["url"] == "/api"


def test_a_placeholder_without_a_name_is_refused(load):
    found = problems(load, GOOD.replace("${PROM}", "${}"), PROM="x")
    assert found == [
        "catalogue.yaml:8: services[0].sources.prometheus.url: `${}` names no environment variable"
    ]


def test_a_value_of_the_environment_cannot_add_to_the_structure(load):
    sources = load(GOOD, PROM='x", evil: "y').get("checkout").sources["prometheus"]
    assert sources["url"] == 'x", evil: "y/api'
    assert set(sources) == {"url", "selector"}


def test_a_dollar_elsewhere_is_left_alone(load):
    text = GOOD.replace("'service=\"checkout\"'", "'path=~\"/a$\"'")
    assert load(text, PROM="p").get("checkout").sources["prometheus"]["selector"] == 'path=~"/a$"'


def test_all_problems_come_at_once_each_with_its_line(load):
    text = """\
services:
  - name: Checkout
    ownner: shop
    sources:
      postgres: {port: 5432}
  - name: payments
    depends_on: [bnk, checkout2]
    failover: {service: payment, key: a, value: b}
  - name: bank
  - name: bank
  - summary: nameless
extra: 1
"""
    found = problems(load, text)
    assert [line.split(": ")[0] for line in found] == [
        f"catalogue.yaml:{line}" for line in (2, 3, 5, 7, 7, 8, 10, 11, 12)
    ]
    said = "\n".join(found)
    for part in (
        "services[0].name: must be lower-case letters",
        "services[0].ownner: unknown field (did you mean `owner`?)",
        "services[0].sources.postgres.port: must be text",
        "services[1].depends_on[0]: unknown service `bnk` (did you mean `bank`?)",
        "services[1].failover.service: unknown service `payment` (did you mean `payments`?)",
        "services[3].name: two services are called `bank`",
        "services[4].name: is missing",
        "extra: unknown field",
    ):
        assert part in said


def test_the_jobs_that_report_are_read_and_their_names_checked(load):
    text = "services:\n  - name: a\n    heartbeats: [backup, Nightly]\n"
    assert problems(load, text)[0].startswith(
        "catalogue.yaml:3: services[0].heartbeats[1]: must be lower-case"
    )
    assert load(text.replace("N", "n")).get("a").heartbeats == ("backup", "nightly")


SLOS = """\
services:
  - name: checkout
    slos:
      - {name: availability, objective: 0.999, good: "g[$window]", total: "t[$window]"}
      - {name: latency, objective: 0.99, error_ratio: "e[$window]", window_days: 7}
"""


def test_the_slos_of_a_service_are_read(load):
    availability, latency = load(SLOS).get("checkout").slos
    assert (availability.objective, availability.window_days) == (0.999, 30)
    assert latency.question(window_s=300) == "e[300s]"


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("0.999", "1", "4: services[0].slos[0].objective: must be less than 1"),
        ("0.999", "99.9", "4: services[0].slos[0].objective: must be less than 1"),
        (
            'good: "g[$window]", ',
            "",
            "4: services[0].slos[0]: needs either `error_ratio`, or `good` and `total`",
        ),
        ("window_days: 7", 'good: "g[$window]"', "5: services[0].slos[1]: needs either `error_ratio`, or"),
        ("e[$window]", "e[5m]", "5: services[0].slos[1]: `error_ratio` must contain `$window`"),
        ("window_days", "windowdays", "5: services[0].slos[1].windowdays: unknown field (did"),
        ("name: latency", "name: availability", "5: services[0].slos[1].name: two SLOs are called"),
    ],
)
def test_an_slo_that_cannot_be_measured_is_told_with_its_line(load, before, after, said):
    (found,) = problems(load, SLOS.replace(before, after))
    assert found.startswith(f"catalogue.yaml:{said}")


def test_an_unknown_field_of_a_group_or_a_failover_is_told_with_what_was_meant(load):
    text = (
        "groups:\n  a: {memberz: [x]}\nservices:\n  - name: a\n    failover: {service: a, kee: k, value: v}\n"
    )
    said = "\n".join(problems(load, text))
    assert "(did you mean `members`?)" in said
    assert "(did you mean `key`?)" in said


def test_an_unknown_field_of_an_environment_or_a_monitor_is_told_with_what_was_meant(load):
    text = (
        "services:\n  - name: a\n    environments:\n      staging: {targett: {}}\n"
        "    monitors:\n      - {id: m, probe: http.check, every: 10s, expect: 'true', severityy: critical}\n"
    )
    found = problems(load, text)
    assert [problem.partition(": ")[0] for problem in found] == ["catalogue.yaml:4", "catalogue.yaml:6"]
    assert "(did you mean `target`?)" in found[0]
    assert "(did you mean `severity`?)" in found[1]


def test_what_a_service_or_an_environment_stands_on_may_be_an_address_and_must_be_there(load):
    good = (
        "services:\n  - name: a\n    environments:\n      staging:\n        depends_on: [b@staging]\n"
        "  - name: b\n    depends_on: [a@staging]\n    environments: {staging: {}}\n"
    )
    assert load(good).get("a@staging").depends_on == ("b@staging",)
    (found,) = problems(load, good.replace("[b@staging]", "[b@stagin]"))
    assert found.startswith("catalogue.yaml:5: ")
    assert "unknown service `b@stagin` (did you mean `b@staging`?)" in found


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("services: [\n", "catalogue.yaml:2"),
        ("services:\n\t- a", "catalogue.yaml:2"),
        ("- a\n", "catalogue.yaml:1"),
    ],
)
def test_a_file_of_the_wrong_form_is_refused_with_a_line(load, text, line):
    assert problems(load, text)[0].startswith(f"{line}: ")


def test_a_key_that_is_there_twice_is_refused(load):
    assert problems(load, "services:\n  - name: a\n    name: b\n")[0].startswith("catalogue.yaml:3: ")


def test_a_missing_file_is_refused_by_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CatalogueError, match=r"nowhere\.yaml.*No such file"):
        load_catalogue(tmp_path / "nowhere.yaml", {})


def test_a_rejected_value_is_not_printed(load):
    text = 'services:\n  - name: a\n    owner: {dsn: "${DSN}"}\n    summary: ["${DSN}"]\n    external: "${DSN}"\n'
    found = problems(load, text, DSN="postgresql://bot:hunter2@db")
    assert len(found) == 3
    assert "hunter2" not in "\n".join(found)


_SCALARS = st.none() | st.booleans() | st.integers() | st.text()
_WORDS = st.sampled_from(
    [
        "services",
        "groups",
        "name",
        "depends_on",
        "slos",
        "heartbeats",
        "failover",
        "sources",
        "service",
        "members",
        "a",
    ]
)
_TREES = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_WORDS, inner, max_size=5),
    max_leaves=20,
)


@settings(deadline=None)
@given(tree=_TREES | st.fixed_dictionaries({"services": st.lists(_TREES, max_size=3)}))
def test_any_document_gives_a_catalogue_or_a_catalogue_error(tree, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_text(json.dumps(tree), encoding="utf-8")
    found, refusal = None, ""
    try:
        found = load_catalogue(path, {})
    except CatalogueError as error:
        refusal = str(error)
    if refusal:
        assert "any.yaml" in refusal
    else:
        assert found is not None
        assert [service.name for service in found.services] == [
            one["name"] for one in tree.get("services", ())
        ]


FREEZE = "id: night, reason: quiet, time_zone: UTC, from: '22:00', until: '06:00'"


@pytest.mark.parametrize(
    ("text", "where", "said"),
    [
        (f"freezes: [{{{FREEZE}, resaon: x}}]", "freezes[0].resaon", "did you mean `reason`?"),
        (f"freezes: [{{{FREEZE}, form: x}}]", "freezes[0].form", "did you mean `from`?"),
        (f"services: [{{name: a, freezes: [{{{FREEZE}, day: x}}]}}]", "services[0].freezes[0].day", "`days`"),
        ("services: [{name: a, gates: {waivabel: []}}]", "services[0].gates.waivabel", "`waivable`"),
        ("services: [{name: a, environments: {staging: {}}, gates: {staging_first: stagin}}]", "services[0].gates.staging_first", "did you mean `staging`?"),
        ("services: [{name: a, gates: {checklist: {tests: {prob: x.y}}}}]", "services[0].gates.checklist.tests.prob", "did you mean `probe`?"),
        ("services: [{name: a, gates: {soak: soon}}]", "services[0].gates.soak", "is not a valid duration"),
        (f"freezes: [{{{FREEZE.replace(chr(39) + '22:00' + chr(39), '22:00')}}}]", "freezes[0].from", "in quotes"),
    ],
)  # fmt: skip
def test_a_misspelt_freeze_or_gate_is_told_with_its_place(load, text, where, said):
    (found,) = problems(load, text)
    assert where in found
    assert said in found


TARGETS = """\
services:
  - name: checkout
    target:
      haproxy:
        socket: "${SOCKET}"
        backend: checkout
        stable: blue
        candidate: canary
        max_unavailable: "0"
        lunch: http://launcher
      supervisor: {anything: goes}
    environments:
      staging:
        target:
          git:
            remote: shop.git
            file: ""
            key: image.tag
            clone: /var/lib/clone
"""


def test_a_target_is_checked_by_its_kind_with_the_line_of_what_is_wrong(load):
    assert problems(load, TARGETS, SOCKET="/run/s") == [
        "catalogue.yaml:9: services[0].target.haproxy.max_unavailable: must be greater than or equal to 1",
        "catalogue.yaml:10: services[0].target.haproxy.lunch: unknown field (did you mean `launch`?)",
        "catalogue.yaml:17: services[0].environments.staging.target.git.file: is missing",
    ]


def test_a_variable_that_is_not_set_is_reported_once_for_a_target(load):
    said = [text for text in problems(load, TARGETS) if "socket" in text]
    assert said == [
        "catalogue.yaml:5: services[0].target.haproxy.socket: the environment variable SOCKET is not set"
    ]
