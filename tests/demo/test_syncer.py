"""What is synced from Git says so when it does not come up."""

from __future__ import annotations

from pathlib import Path

from demo.shop.change_ledger import ShopChangeLedger
from demo.shop.errors import ShopError
from demo.shop.repository import BareRepository
from demo.shop.syncer import Syncer
from tests.support.waiting import until


async def test_a_version_that_git_asks_for_and_that_does_not_come_up_leaves_the_old_one(
    tmp_path: Path,
) -> None:
    class Stubborn:
        """A fleet in which only the old version comes up."""

        def unit_version(self, _: str) -> str:
            return "1"

        def halted(self, _: str) -> bool:
            return False

        async def roll(self, _: str, version: str) -> None:
            raise ShopError(f"{version} did not come up.")

    repository = BareRepository(tmp_path / "environments.git")
    await repository.create({"environments/production/search.yaml": "2"})
    files = {"search": "environments/production/search.yaml"}
    syncer = Syncer(repository, Stubborn(), ShopChangeLedger("http://x"), files)  # type: ignore[arg-type]  # all it needs
    syncer.start()

    async def looked() -> bool:
        return bool(syncer.to_json()["syncs"])

    await until(looked, what="it has synced")
    await syncer.stop()
    told = syncer.to_json()
    assert (told["state"], told["wanted"], told["running"]) == ("degraded", {"search": "2"}, {"search": "1"})
