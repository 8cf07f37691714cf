"""Reads the heartbeats that jobs have sent."""

from __future__ import annotations

from bot.domain.diagnoses.finding import Measurement
from bot.domain.errors import ProbeNotConfiguredError, ProbeUnavailableError
from bot.domain.formatting import duration
from bot.domain.model import JsonObject
from bot.domain.monitoring.heartbeat import JobState
from bot.domain.nearest import did_you_mean
from bot.engine.plugins import Context, probe


@probe(specialist="jobs")
async def age(ctx: Context, *, service: str, job: str) -> Measurement:
    """Seconds since a job last reported, success or failure; ``heartbeat.failures`` distinguishes them.

    ``data`` holds the last report's ``status``, ``text`` and ``duration_s``, the number of ``failures`` in a
    row, and ``ok_age_s``, the seconds since the job last succeeded (null if it never did).

    Raises:
        ProbeNotConfiguredError: the catalogue lists heartbeats of the service, and this job is not one.
        ProbeUnavailableError: the job never reported, or heartbeats cannot be read; that is not an age of 0.
    """
    pulse = await _pulse(ctx, service, job)
    data = _data(ctx, pulse)
    age_s = _age_s(ctx, pulse)
    how = "" if pulse.last.status == "ok" else ", a failure"
    return Measurement(
        value=age_s,
        unit="s",
        at=ctx.clock.now(),
        text=f"{service}: {job} last reported {duration(age_s)} ago{how}",
        data=data,
    )


@probe(specialist="jobs")
async def failures(ctx: Context, *, service: str, job: str) -> Measurement:
    """How many times in a row a job has reported a failure; 0 if it last succeeded.

    A silent job adds no failure: ``heartbeat.age`` measures the silence.  ``data`` is as for
    ``heartbeat.age``.

    Raises:
        ProbeNotConfiguredError: the catalogue lists heartbeats of the service, and this job is not one.
        ProbeUnavailableError: the job has never reported, or heartbeats cannot be read; neither is success.
    """
    pulse = await _pulse(ctx, service, job)
    why = f": {pulse.last.text}" if pulse.last.text else ""
    outcome = f"failed {pulse.failures} times in a row" if pulse.failures else "succeeded"
    return Measurement(
        value=float(pulse.failures),
        unit="failures",
        at=ctx.clock.now(),
        text=f"{service}: {job} {outcome}, last {duration(_age_s(ctx, pulse))} ago{why}",
        data=_data(ctx, pulse),
    )


async def _pulse(ctx: Context, service: str, job: str) -> JobState:
    listed = ctx.service(service).heartbeats
    if listed and job not in listed:
        raise ProbeNotConfiguredError(
            f"{service} has no job called `{job}`{did_you_mean(job, listed)}.",
            hint="Add it to the service's `heartbeats:` in the catalogue.",
        )
    pulse = await ctx.pulses.pulse(service=service, job=job)
    if pulse is None:
        raise ProbeUnavailableError(
            f"{job} of {service} has never reported.",
            hint=f"Make the job send `POST /heartbeats/{service}/{job}` to the bot when it ends.",
        )
    return pulse


def _age_s(ctx: Context, pulse: JobState) -> float:
    # The clocks of two machines may differ a little, so a report can seem to be from the future.
    return max(0.0, (ctx.clock.now() - pulse.last.at).total_seconds())


def _data(ctx: Context, pulse: JobState) -> JsonObject:
    ok_age_s = None if pulse.ok_at is None else max(0.0, (ctx.clock.now() - pulse.ok_at).total_seconds())
    return {
        "status": pulse.last.status,
        "text": pulse.last.text,
        "duration_s": pulse.last.duration_s,
        "failures": pulse.failures,
        "ok_age_s": ok_age_s,
    }
