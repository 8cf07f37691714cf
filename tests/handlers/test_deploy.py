"""`/deploy`, `/rollback` and the buttons of a rollout: parsed completely or refused, and stored before any answer."""

from __future__ import annotations

import html
from pathlib import Path

import pytest

from bot.adapters.slack.client import open_client
from bot.domain.intent import StartRun, SteerRun
from bot.domain.runs.runbook import Runbook
from bot.loader.yaml_positions import read_yaml
from bot.views import ids
from tests.handlers.fronts import ANA, ONCALL, Front

FOLDER = Path(__file__).parents[2] / "runbooks" / "deploy"


@pytest.fixture
def deploys(front: Front) -> Front:
    """A front whose library has the strategies that ship."""
    for path in FOLDER.glob("*.yaml"):
        document = read_yaml(path)
        runbook = Runbook.model_validate(document.data)
        front.desk.library.runbooks[runbook.name] = runbook
    return front


async def said(front: Front, command: str) -> str:
    done = await front.people.slash(command, user="ana", channel="checkout-oncall")
    assert done.ok
    return html.unescape("\n".join(str(item["text"]) for item in done.ephemerals))


@pytest.mark.parametrize(
    ("typed", "runbook", "params"),
    [
        ("/deploy canary checkout 1.5.0", "deploy-canary", {"service": "checkout", "version": "1.5.0", "weights": "5,25,50"}),
        ("/deploy Canary checkout 1.5.0 production weights 10,50", "deploy-canary", {"service": "checkout", "weights": "10,50"}),
        ("/deploy plan blue-green checkout 1.5.0", "deploy-blue-green", {"service": "checkout", "dry_run": True}),
        ('/deploy rolling checkout 1.5.0 emergency "orders are lost"', "deploy-rolling", {"emergency": "orders are lost"}),
        ("/rollback checkout", "rollback", {"service": "checkout", "to": None}),
        ("/rollback checkout production to 1.4.1", "rollback", {"service": "checkout", "to": "1.4.1"}),
    ],
)  # fmt: skip
async def test_what_is_typed_is_written_down(deploys: Front, typed, runbook, params):
    assert await said(deploys, typed) == ""
    (intent,) = deploys.inbox.intents
    assert isinstance(intent, StartRun)
    assert (intent.runbook, intent.by.id, intent.origin.channel) == (runbook, ANA, ONCALL)
    assert {name: intent.params[name] for name in params} == params


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("/deploy canry checkout 1.5.0", "Unknown strategy `canry` (did you mean `canary`?)"),
        ("/deploy canary checkout", "`version` is missing.\nTry `/deploy canary checkout <version>"),
        ("/deploy canary chekout 1.5.0", "Unknown service `chekout` (did you mean `checkout`?)"),
        ("/deploy canary checkout 1.5.0;rm", "`1.5.0;rm` is not a valid version"),
        ("/deploy canary checkout 1.5.0 weights 5,200", "`weights` must be something such as `5,25,50`, not `5,200`"),
        ("/deploy canary checkout 1.5.0 moon", "I do not understand `moon`"),
        ("/deploy checkout 1.5.0", "`checkout` is a service: how do you want to deploy it?\nTry `/deploy canary checkout 1.5.0`."),
        ("/deploy plan checkout", "Try `/deploy plan canary checkout <version>`."),
        ("/deploy plan", "Unknown strategy"),
        ("/rollback", "/rollback <service>"),
        ("/deploy help", "/deploy canary <service> <version> [environment]"),
        ("/deploy", "/deploy why <service> [version]"),
    ],
)  # fmt: skip
async def test_what_is_not_understood_says_what_to_type_and_starts_nothing(deploys: Front, typed, told):
    assert told in await said(deploys, typed)
    assert deploys.inbox.intents == []


HOSTILE = (
    '"1.4.2\nx"', "1.4.2:x", "1.4.2'x", "$(id)", "--force", "../1.4.2", "1..2", "1" * 65, "1" * 1500, "1/2", "x;y", "1.4.2.lock",
)  # fmt: skip


@pytest.mark.parametrize("version", HOSTILE)
@pytest.mark.parametrize(
    "command",
    [
        "/deploy canary checkout {}",
        "/deploy plan blue-green checkout {}",
        "/deploy rolling checkout {}",
        "/deploy gitops checkout {}",
        "/deploy migrate checkout {}",
        "/deploy flag checkout {}",
        "/rollback checkout to {}",
        "/deploy why checkout {}",
        "/deploy diff checkout {}",
        "/deploy checklist checkout {}",
    ],
)
async def test_what_is_more_than_a_version_is_refused_by_every_command(
    deploys: Front, command: str, version: str
):
    answer = await said(deploys, command.format(version))
    assert answer
    assert len(answer) < 500, "it repeats no more than a piece of what was typed"
    assert "\n1.4.2" not in answer
    assert deploys.inbox.intents == []


@pytest.mark.parametrize(
    ("action", "word"),
    [(ids.PROMOTE, "promote"), (ids.PAUSE, "pause"), (ids.RESUME, "resume"), (ids.ABORT, "abort")],
)
async def test_a_click_on_a_rollout_is_a_word_that_is_written_down(front: Front, action, word):
    button = {
        "type": "button",
        "text": {"type": "plain_text", "text": word},
        "action_id": action,
        "value": "r1",
    }
    blocks = [{"type": "actions", "elements": [button]}]
    async with open_client(token=front.slack.bot_token, api_url=front.slack.api_url) as client:
        answer = await client.chat_postMessage(channel=ONCALL, text="x", blocks=blocks)
    done = await front.people.click(
        user="ana", channel="checkout-oncall", ts=str(answer["ts"]), action_id=action
    )
    assert done.ok, done.json
    await front.settled()
    (intent,) = front.inbox.intents
    assert isinstance(intent, SteerRun)
    assert (intent.run_id, intent.word, intent.by.id) == ("r1", word, ANA)
