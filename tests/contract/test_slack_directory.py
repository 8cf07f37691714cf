"""Who people are and which groups they are in; nobody passes whom Slack cannot vouch for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from bot.adapters.slack.client import Identity, open_client
from bot.adapters.slack.directory import SlackDirectory
from bot.domain.catalogue import ApproverGroup, Catalogue
from bot.domain.errors import NotAllowedError
from localslack import LocalSlack, LocalSlackClient

ANA, BEN, CHIKA, DEV = "U0ANA00001", "U0BEN00001", "U0CHIKA001", "U0DEV00001"
GUEST, OUTSIDER, BOT = "U0GIL00001", "U0OLGA0001", "U0APP00001"
CATALOGUE = Catalogue(
    groups={
        "by-id": ApproverGroup(usergroup="S0ONCALL01"),
        "listed": ApproverGroup(members=frozenset({DEV})),
        "both": ApproverGroup(usergroup="oncall", members=frozenset({ANA, DEV})),
        "nobody": ApproverGroup(),
        "misspelt": ApproverGroup(usergroup="on-call"),
        "deleted": ApproverGroup(usergroup="S0GONE0001"),
    }
)


@dataclass
class Office:
    """A directory in front of a Slack on this machine."""

    slack: LocalSlack
    people: LocalSlackClient
    directory: SlackDirectory

    async def calls(self, method: str) -> int:
        return int((await self.people.stats())["calls"].get(method, 0))


@pytest.fixture(params=[30.0])
async def office(request: pytest.FixtureRequest) -> AsyncIterator[Office]:
    async with (
        LocalSlack() as slack,
        LocalSlackClient(slack.url) as people,
        open_client(token=slack.bot_token, api_url=slack.api_url) as client,
    ):
        directory = SlackDirectory(
            client, identity=Identity(client), catalogue=CATALOGUE, remember_s=request.param
        )
        yield Office(slack=slack, people=people, directory=directory)


live = pytest.mark.parametrize("office", [0.0], indirect=True)


async def test_a_full_member_is_one(office: Office):
    profile = await office.directory.profile(ANA)
    assert profile.is_member
    assert profile.name == "ana"
    assert profile.why_not == ""


@pytest.mark.parametrize(
    ("user", "why"),
    [
        (GUEST, "you are a guest"),
        (OUTSIDER, "you belong to another workspace"),
        (BOT, "you are a bot"),
        ("U0NOBODY01", "no account with your id"),
    ],
)
async def test_anybody_else_is_none_and_is_told_why(office: Office, user: str, why: str):
    profile = await office.directory.profile(user)
    assert not profile.is_member
    assert why in profile.why_not


async def test_a_deactivated_account_counts_no_more_at_once(office: Office):
    assert (await office.directory.profile(BEN)).is_member
    await office.people.deactivate(BEN)
    assert "deactivated" in (await office.directory.profile(BEN)).why_not


@pytest.mark.parametrize(
    ("user", "groups"),
    [
        (ANA, {"oncall", "by-id", "both"}),
        (BEN, {"oncall", "by-id"}),
        (DEV, {"listed"}),
        (GUEST, set()),
    ],
)
async def test_groups_are_user_groups_lists_or_both(office: Office, user: str, groups: set[str]):
    among = ["oncall", "by-id", "listed", "both", "nobody", "misspelt", "deleted"]
    assert await office.directory.groups_of(user, among=among) == groups


async def test_a_group_that_does_not_exist_holds_nobody_and_is_logged(office: Office, caplog):
    assert await office.directory.groups_of(ANA, among=["misspelt", "deleted"]) == frozenset()
    assert caplog.text.count("usergroup_unknown") == 2


@live
async def test_somebody_who_left_a_group_is_in_it_no_more(office: Office):
    assert await office.directory.groups_of(BEN, among=["oncall"])
    await office.people.change_group("oncall", remove=("ben",))
    assert not await office.directory.groups_of(BEN, among=["oncall"])


async def test_many_questions_at_once_are_one_call(office: Office):
    await asyncio.gather(*(office.directory.groups_of(ANA, among=["oncall", "both"]) for _ in range(30)))
    assert await office.calls("usergroups.list") == 1
    assert await office.calls("usergroups.users.list") == 1


@live
@pytest.mark.parametrize("method", ["usergroups.list", "usergroups.users.list"])
async def test_groups_that_cannot_be_read_let_nobody_pass(office: Office, method: str):
    for switches in ({"fail": {method: "internal_error"}}, {"rate_limit": {method: -1}}, {"api_down": True}):
        async with office.people.faulty(**switches):
            with pytest.raises(NotAllowedError) as refused:
                await office.directory.groups_of(ANA, among=["oncall"])
        assert refused.value.code == "identity_unknown"
        assert "Try again" in refused.value.hint


async def test_a_list_needs_no_slack(office: Office):
    async with office.people.faulty(api_down=True):
        assert await office.directory.groups_of(DEV, among=["listed"]) == {"listed"}
        assert await office.directory.groups_of(BEN, among=["both"]) == frozenset()


async def test_a_profile_that_cannot_be_read_lets_nobody_pass(office: Office):
    for switches in ({"fail": {"users.info": "internal_error"}}, {"api_down": True}):
        async with office.people.faulty(**switches):
            with pytest.raises(NotAllowedError) as refused:
                await office.directory.profile(ANA)
        assert refused.value.code == "identity_unknown"
