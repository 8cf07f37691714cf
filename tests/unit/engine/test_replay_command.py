"""``pilothouse replay`` and ``regress``: from an exported file or from Redis."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest

from bot.__main__ import main
from bot.adapters.redis.stores.journal import RedisJournal
from bot.commands._archive import journal_of
from bot.commands.regress import mistake_of
from bot.domain.diagnoses.regression import Regression
from bot.domain.runs.journal import export_line
from tests.support.valkeys import fresh_valkey, opened
from tests.unit.diagnosis.stories import NOW, deploy, errors, log_errors, setting, version_errors
from tests.unit.engine.triages import ranking, triaged

CASES = sorted((Path(__file__).parents[2] / "data" / "diagnoses").glob("*.json"))
RELEASE = [
    deploy("web", "1.1"),
    version_errors("web", {"1.0": 0.0, "1.1": 0.4}, failing="1.1"),
    *log_errors("web"),
]


@pytest.fixture
async def exported(world, tmp_path):
    """Two runs in a file: a bad release, and a setting that was put wrong."""
    ranking(world)
    lines = [
        export_line("rel1", await triaged(world, RELEASE, run_id="rel1")),
        export_line(
            "set1",
            await triaged(
                world,
                [errors("web"), setting("web", "pool", 50, 1), *log_errors("web", "pool of 1 is empty")],
                run_id="set1",
            ),
        ),
    ]
    path = tmp_path / "runs.jsonl"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def command(*words: object) -> int:
    return main([str(word) for word in words])


async def call(*words: object) -> int:
    """Run a command in a thread of its own: it has an event loop of its own."""
    return await asyncio.to_thread(command, *words)


async def test_a_run_of_an_exported_file_is_the_same_again(exported, capsys):
    assert await call("replay", "rel1", "--file", exported) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[0].startswith("rel1, diagnosis: identical, ")
    assert told[1].startswith("The ranker has changed since: r1 then, ")


async def test_a_changed_record_comes_out_differently_and_the_exit_code_says_so(exported, capsys):
    text = exported.read_text(encoding="utf-8")
    exported.write_text(text.replace('"verdict": "cause_found"', '"verdict": "no_fault_found"'))
    assert await call("replay", "rel1", "--file", exported) == 1
    told = capsys.readouterr().out
    assert "rel1, diagnosis: the result differs." in told
    assert '- "verdict": "no_fault_found",' in told
    assert '+ "verdict": "cause_found",' in told
    assert await call("replay", "rel1", "--file", exported, "--json") == 1
    assert json.loads(capsys.readouterr().out)["replays"][0]["same"] is False


async def test_todays_word_is_told_beside_the_recorded_one(exported, tmp_path, monkeypatch, capsys):
    catalogue = tmp_path / "catalogue.yaml"
    catalogue.write_text("services:\n  - name: web\n", encoding="utf-8")
    monkeypatch.setenv("PILOTHOUSE_CATALOGUE", str(catalogue))
    assert await call("replay", "rel1", "--file", exported, "--with-current") == 0
    told = capsys.readouterr().out
    assert "As recorded: cause found" in told
    assert "With the current ranker and catalogue: cause found" in told
    catalogue.write_text("services:\n  - name: shop\n", encoding="utf-8")
    assert await call("replay", "rel1", "--file", exported, "--with-current") == 0
    assert "unknown. I know no service called `web`." in capsys.readouterr().out


async def test_a_run_in_redis_is_found_by_the_beginning_of_its_id(world, monkeypatch, capsys):
    async with fresh_valkey() as url, opened(url) as store:
        monkeypatch.setenv("PILOTHOUSE_REDIS_URL", url)
        world.store = RedisJournal(store)
        world.deps = replace(world.deps, stores=replace(world.stores, journal=world.store))
        await triaged(ranking(world), RELEASE, run_id="rel77")
        assert await call("replay", "rel") == 0
        assert "rel77, diagnosis: identical" in capsys.readouterr().out
        assert (await journal_of("rel7", file=None))[0] == "rel77"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["replay"], "Name a run, or a file that `runs export` wrote."),
        (["replay", "--file", "{file}"], "holds 2 runs; name one."),
        (["replay", "x", "--file", "{file}.none"], "cannot be read: FileNotFoundError."),
        (["replay", "zzz", "--file", "{file}"], "No run begins with zzz"),
        (["regress", "rel1", "--file", "{file}", "--cause", "bad_release"], "bad_release needs --service."),
        (
            ["regress", "rel1", "--file", "{file}", "--cause", "none", "--service", "web"],
            "none takes no --service.",
        ),
        (
            ["regress", "rel1", "--file", "{file}", "--cause", "bad_release", "--service", "wep"],
            "The run did not cover the service wep (did you mean `web`?).",
        ),
    ],
)
async def test_what_cannot_be_done_is_said(exported, capsys, words, said):
    assert await call(*(word.format(file=exported) for word in words)) == 2
    assert said in capsys.readouterr().err


async def test_a_wrong_diagnosis_becomes_a_case_that_fails_until_the_ranker_is_mended(
    exported, tmp_path, capsys
):
    into = tmp_path / "cases"
    words = (
        "regress",
        "rel1",
        "--file",
        exported,
        "--into",
        into,
        "--why",
        "It was the pool, xoxb-12345678.",
    )
    assert await call(*words, "--cause", "saturation", "--service", "web", "--component", "pool") == 0
    wrong = "expected saturation of web pool, but the diagnosis was bad_release of web 1.1"
    assert f"The current ranker gets it wrong: {wrong}." in capsys.readouterr().out
    (path,) = into.iterdir()
    assert path.name == "web-saturation-rel1.json"
    text = path.read_text(encoding="utf-8")
    assert "xoxb" not in text
    assert "Ana" not in text
    case = Regression.model_validate_json(text)
    assert (case.inputs.now, case.service, mistake_of(case)) == (NOW, "web", wrong)


async def test_a_right_diagnosis_can_be_held_on_to(exported, tmp_path, capsys):
    words = ("regress", "set1", "--file", exported, "--into", tmp_path / "cases")
    assert await call(*words, "--cause", "bad_configuration", "--service", "web") == 0
    assert "The current ranker gets it right." in capsys.readouterr().out
    assert await call(*words, "--cause", "none") == 0
    assert (
        "there was no fault, but the diagnosis was bad_configuration of web pool" in capsys.readouterr().out
    )
    assert await call(*words, "--cause", "unclear") == 0
    assert (
        "the cause could not be determined, but the diagnosis was bad_configuration of web pool"
        in capsys.readouterr().out
    )


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_every_case_that_was_written_down_comes_out_right(path):
    case = Regression.model_validate_json(path.read_text(encoding="utf-8"))
    assert mistake_of(case) == ""


def test_there_are_cases():
    assert CASES
