"""The log probe on real files: errors, new messages, what they mention, and files that are not as they should be."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.domain.diagnoses.finding import FindingKind, Findings
from bot.domain.errors import ProbeGarbageError, ProbeNotConfiguredError, ProbeUnavailableError
from bot.domain.pattern import Pattern
from bot.probes.logs.probes import errors, matches

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


class Stopped:
    def now(self) -> datetime:
        return NOW


def line(seconds_ago: float, message: str, level: str = "INFO", **more: Any) -> str:
    at = (NOW - timedelta(seconds=seconds_ago)).isoformat(timespec="milliseconds")
    return json.dumps({"ts": at, "level": level, "message": message, "version": "1.4.1", **more})


def ordinary(count: int = 300, *, until_s: float = 0) -> list[str]:
    """One harmless line a second, up to ``until_s`` seconds ago."""
    return [line(until_s + count - n, f"order {n} placed for {n * 7} EUR") for n in range(count)]


def write(path: Path, lines: list[str]) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def service(name: str, path: str = "", **more: Any) -> dict[str, Any]:
    return {"name": name, "sources": {"logs": {"path": path}} if path else {}, **more}


async def look(context, folder: Path, **more: Any) -> Findings:
    ctx = context(
        service("shop", f"{folder}/shop*.jsonl", depends_on=["pay"]),
        service("pay", f"{folder}/pay*.jsonl"),
        clock=Stopped(),
        timeout_s=5,
    )
    return await errors(ctx, service="shop", **more)


async def test_a_quiet_log_gives_no_finding(context, tmp_path):
    write(tmp_path / "shop.jsonl", ordinary())
    write(tmp_path / "pay.jsonl", ordinary())
    found = await look(context, tmp_path)
    assert found.items == ()
    assert "600 log lines of shop and pay" in found.looked_at
    assert len(found.normal) == 2


async def test_new_errors_carry_onset_exception_mentions_and_version(context, tmp_path):
    failing = [
        line(
            20 - n,
            f"order {n}: pay answered 502",
            "ERROR",
            error="PayError: 'declined'\n  at x",
            version="1.4.2",
        )
        for n in range(20)
    ]
    write(tmp_path / "shop.jsonl", sorted(ordinary() + failing))
    write(tmp_path / "pay.jsonl", ordinary())
    found = await look(context, tmp_path)
    kinds = [f.kind for f in found.items]
    assert kinds == [FindingKind.LOG_ERRORS, FindingKind.LOG_TEMPLATE_NEW]
    total = found.items[0]
    assert total.service == "shop"
    assert total.began_at == NOW - timedelta(seconds=20)
    assert total.data["count"] == 20
    assert total.data["mentions"] == {"pay": 1.0}
    assert total.data["exceptions"] == ["PayError"]
    assert total.data["versions"]["1.4.2"] == {"these": 20, "all": 20, "all_before": 0}
    assert total.data["versions"]["1.4.1"]["these"] == 0
    assert "PayError" in found.items[1].evidence[0].text


async def test_a_storm_of_warnings_is_found_and_marked_as_harmless(context, tmp_path):
    storm = [
        line(30 - n / 20, f"client Bot/{n} sends the deprecated header X-{n}", "WARN") for n in range(600)
    ]
    write(tmp_path / "shop.jsonl", sorted(ordinary() + storm))
    write(tmp_path / "pay.jsonl", ordinary())
    [finding] = (await look(context, tmp_path)).items
    assert finding.kind is FindingKind.LOG_TEMPLATE_NEW
    assert finding.data["level"] == "WARN"


async def test_errors_that_always_were_there_are_no_finding(context, tmp_path):
    steady = [line(300 - n * 3, f"could not reach cache {n}", "ERROR") for n in range(100)]
    write(tmp_path / "shop.jsonl", sorted(ordinary() + steady))
    write(tmp_path / "pay.jsonl", ordinary())
    assert (await look(context, tmp_path)).items == ()


async def test_errors_that_have_ended_are_said_to_have_ended(context, tmp_path):
    burst = [line(150 - n / 10, "could not reach cache", "ERROR") for n in range(50)]
    write(tmp_path / "shop.jsonl", sorted(ordinary() + burst))
    write(tmp_path / "pay.jsonl", ordinary())
    found = await look(context, tmp_path)
    assert found.items
    assert all(f.data["ended"] for f in found.items)
    assert all(f.strength <= 0.5 for f in found.items)


async def test_without_neighbours_only_the_service_itself_is_read(context, tmp_path):
    write(tmp_path / "shop.jsonl", ordinary())
    write(tmp_path / "pay.jsonl", ordinary())
    found = await look(context, tmp_path, neighbours=False)
    assert "300 log lines of shop" in found.looked_at


async def test_broken_lines_are_counted_and_not_fatal(context, tmp_path):
    write(tmp_path / "shop.jsonl", [*ordinary(), "Traceback (most recent call last):", "[1]", '{"half": '])
    write(tmp_path / "pay.jsonl", ordinary())
    found = await look(context, tmp_path)
    assert found.gaps == ("shop: 3 of 303 lines could not be read (no JSON with a time and a message)",)


async def test_files_of_something_else_are_garbage(context, tmp_path):
    write(tmp_path / "shop.jsonl", ["plain text of another kind"] * 50)
    write(tmp_path / "pay.jsonl", ["plain text of another kind"] * 50)
    with pytest.raises(ProbeGarbageError, match="100 of 100"):
        await look(context, tmp_path)


async def test_one_missing_file_is_a_gap(context, tmp_path):
    write(tmp_path / "shop.jsonl", ordinary())
    assert (await look(context, tmp_path)).gaps == ("pay: there is no such log file",)


async def test_all_files_missing_is_unavailable_and_not_quiet(context, tmp_path):
    with pytest.raises(ProbeUnavailableError, match="no such log file"):
        await look(context, tmp_path)


async def test_a_directory_in_place_of_a_file_is_unavailable(context, tmp_path):
    (tmp_path / "shop.jsonl").mkdir()
    (tmp_path / "pay.jsonl").mkdir()
    with pytest.raises(ProbeUnavailableError, match="cannot be read"):
        await look(context, tmp_path)


async def test_without_a_path_the_probe_is_not_configured(context):
    with pytest.raises(ProbeNotConfiguredError):
        await errors(context(service("shop")), service="shop")


async def test_lines_before_the_window_do_not_count(context, tmp_path):
    old = [line(7200 - n, "could not reach cache", "ERROR") for n in range(500)]
    write(tmp_path / "shop.jsonl", [*old, *ordinary()])
    write(tmp_path / "pay.jsonl", ordinary())
    found = await look(context, tmp_path, since_s=600)
    assert "600 log lines" in found.looked_at
    assert found.items == ()


async def test_a_log_of_200_mb_is_read_from_the_end_only(context, tmp_path):
    path = tmp_path / "shop.jsonl"
    filler = line(80_000, "an order of long ago", trace="x" * 150)
    block = ((filler + "\n") * 4000).encode()
    with path.open("wb") as file:
        while file.tell() < 200_000_000:
            file.write(block)
        recent = [*ordinary(), *(line(9 - n / 2, "boom", "ERROR") for n in range(18))]
        file.write(("\n".join(sorted(recent)) + "\n").encode())
    write(tmp_path / "pay.jsonl", ordinary())
    before = time.process_time()
    found = await look(context, tmp_path)
    spent_s = time.process_time() - before
    path.unlink()
    assert FindingKind.LOG_ERRORS in {f.kind for f in found.items}
    assert "618 log lines" in found.looked_at
    assert found.gaps == ()
    # Processor time, not the clock: reading it all costs several seconds.
    assert spent_s < 1.0


async def test_a_window_larger_than_the_budget_is_cut_and_that_is_said(context, tmp_path):
    many = [line(1000 - n / 100, f"order {n} placed", pad="x" * 200) for n in range(100_000)]
    path = write(tmp_path / "shop.jsonl", many)
    write(tmp_path / "pay.jsonl", ordinary())
    assert path.stat().st_size > 20_000_000
    found = await look(context, tmp_path)
    assert found.gaps[0].startswith("shop: only the last 5 MB were read, since ")
    assert found.items == ()


async def count(context, path: Path, pattern: str, **more: Any) -> Any:
    ctx = context(service("shop", str(path)), clock=Stopped(), timeout_s=5)
    return await matches(ctx, service="shop", pattern=Pattern(pattern), **more)


async def test_lines_that_match_are_counted_a_minute_within_the_window(context, tmp_path):
    lines = [line(700 - n, f"pay answered 502 for order {n}", "ERROR") for n in range(690)]
    lines += [line(9, "pay is slow", "WARN", error="PayTimeout: answered 502 too late")]
    path = write(tmp_path / "shop.jsonl", sorted([*lines, *ordinary(600)]))
    seen = await count(context, path, r"answered 50\d", window_s=120)
    assert (seen.data["matches"], seen.value, seen.unit) == (111, pytest.approx(111 / 2), "lines/min")
    assert seen.data["lines"] == 111 + 120
    assert seen.data["last"] == "pay is slow"
    errors_only = await count(context, path, r"answered 50\d", window_s=120, levels=("error",))
    assert errors_only.data["matches"] == 110


async def test_no_match_in_a_log_that_can_be_read_is_a_rate_of_0(context, tmp_path):
    seen = await count(context, write(tmp_path / "shop.jsonl", ordinary()), "boom")
    assert (seen.value, seen.data["lines"], seen.data["last"]) == (0, 300, "")


async def test_the_rate_of_a_window_that_is_cut_is_that_of_the_part_which_was_read(context, tmp_path):
    many = [line(1000 - n / 100, "order placed", pad="x" * 200) for n in range(100_000)]
    seen = await count(context, write(tmp_path / "shop.jsonl", many), "placed", window_s=1000)
    assert seen.data["lines"] < 50_000
    assert seen.data["read_s"] < 500
    assert seen.value == pytest.approx(6000, rel=0.01)


async def test_a_log_that_is_missing_of_another_kind_or_not_named_is_no_rate_of_0(context, tmp_path):
    with pytest.raises(ProbeUnavailableError, match="no such log file"):
        await count(context, tmp_path / "none.jsonl", "x")
    with pytest.raises(ProbeGarbageError, match="50 of 50"):
        await count(context, write(tmp_path / "text.log", ["plain text"] * 50), "x")
    with pytest.raises(ProbeNotConfiguredError):
        await matches(context(service("shop")), service="shop", pattern=Pattern("x"))


async def test_lines_with_a_time_and_nothing_that_is_known_are_no_quiet_log(context, tmp_path):
    at = NOW - timedelta(seconds=9)
    unknown = [json.dumps({"ts": at.isoformat(), "what": f"refused {n}"}) for n in range(30)]
    write(tmp_path / "shop.jsonl", [*ordinary(), *unknown])
    write(tmp_path / "pay.jsonl", ordinary())
    found = await look(context, tmp_path)
    assert found.gaps == ("shop: 30 of 330 lines could not be read (no JSON with a time and a message)",)
    with pytest.raises(ProbeUnavailableError, match="30 of 330 lines could not be read"):
        await count(context, tmp_path / "shop.jsonl", "refused")
    seen = await count(context, tmp_path / "shop.jsonl", "placed", window_s=1800)
    assert (seen.data["matches"], seen.data["unread"]) == (300, 30)
    assert "30 of 330 lines could not be read" in seen.text


async def test_unreadable_lines_of_before_the_window_are_not_counted(context, tmp_path):
    write(tmp_path / "shop.jsonl", ["nonsense", line(9000, "old"), *ordinary()])
    write(tmp_path / "pay.jsonl", ordinary())
    assert (await look(context, tmp_path)).gaps == ()


async def test_what_a_caller_logs_is_read_and_is_no_answer_about_the_service(context, tmp_path):
    write(tmp_path / "web.jsonl", ordinary())
    write(tmp_path / "shop.jsonl", ordinary())
    web = service("web", f"{tmp_path}/web.jsonl", depends_on=["shop"])
    found = await errors(
        context(web, service("shop", f"{tmp_path}/shop.jsonl"), clock=Stopped()), service="shop"
    )
    assert "log lines of shop and web" in found.looked_at
    alone = await errors(
        context(web, service("shop", f"{tmp_path}/shop.jsonl"), clock=Stopped()),
        service="shop",
        neighbours=False,
    )
    assert "log lines of shop over" in alone.looked_at
    with pytest.raises(ProbeUnavailableError, match="No log of shop"):
        await errors(context(web, service("shop", f"{tmp_path}/none.jsonl"), clock=Stopped()), service="shop")
