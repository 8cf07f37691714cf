"""What measurements become, whatever their order and gaps."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.monitoring.watching import MonitorHistory, MonitorSample, WatchLimits, fold

LIMITS = WatchLimits(gap_s=150, for_s=120, unknown_for_s=300, calm_s=600)

samples = st.lists(
    st.tuples(st.sampled_from([1, 1, 1, 2, 3, 10]), st.sampled_from([True, False, None])), max_size=60
).map(
    lambda steps: [
        MonitorSample(slot_s=60.0 * sum(step for step, _ in steps[: index + 1]), ok=ok)
        for index, (_, ok) in enumerate(steps)
    ]
)


def after(*told: MonitorSample, limits: WatchLimits = LIMITS) -> MonitorHistory:
    watched = MonitorHistory()
    for sample in told:
        watched = fold(watched, sample, limits)
    return watched


def minutes(pattern: str) -> list[MonitorSample]:
    """``+`` well, ``-`` breached, ``?`` unmeasured, a blank is a minute without a look."""
    meaning = {"+": True, "-": False, "?": None}
    return [
        MonitorSample(slot_s=60.0 * (at + 1), ok=meaning[sign])
        for at, sign in enumerate(pattern)
        if sign != " "
    ]


@given(told=samples, data=st.data())
def test_a_sample_that_is_late_or_comes_twice_changes_nothing(told, data):
    repeated = [
        again
        for at, sample in enumerate(told)
        for again in (sample, data.draw(st.sampled_from(told[: at + 1])))
    ]
    assert after(*repeated) == after(*told)


@given(told=samples)
def test_an_episode_is_opened_by_trouble_and_ended_by_a_good_measurement_only(told):
    watched = MonitorHistory()
    for sample in told:
        before, watched = watched, fold(watched, sample, LIMITS)
        if watched.firing and not before.firing:
            assert sample.ok is not True
        if before.firing and not watched.firing:
            assert sample.ok is True


@given(told=samples)
def test_what_is_not_measured_is_never_well(told):
    watched = after(*told)
    if told and told[-1].ok is not True:
        assert watched.health != "ok"


@given(told=samples)
def test_an_episode_is_flapping_exactly_if_it_is_the_third_within_the_window(told):
    begins: list[float] = []
    watched = MonitorHistory()
    eager = LIMITS.model_copy(update={"for_s": 0, "unknown_for_s": 0})
    for sample in told:
        watched = fold(watched, sample, eager)
        episode = watched.episode
        if episode is not None and episode.began_s not in begins:
            begins.append(episode.began_s)
            recent = [at for at in begins if sample.slot_s - at < eager.flap_window_s]
            assert episode.flapping == (len(recent) >= eager.flap_episodes)


@given(told=samples)
def test_state_survives_being_written_down(told):
    watched = after(*told)
    assert MonitorHistory.model_validate_json(watched.model_dump_json()) == watched


def test_a_breach_fires_when_it_has_lasted():
    assert after(*minutes("+--")).health == "breaching"
    fired = after(*minutes("+---"))
    assert fired.health == "firing"
    assert fired.episode.began_s == 240
    assert after(*minutes("+---+")).episode.ended_s == 300


def test_a_missed_measurement_neither_ends_a_breach_nor_an_episode():
    assert after(*minutes("-?-")).health == "firing"
    assert after(*minutes("---?")).health == "firing"


def test_nothing_measured_for_long_enough_is_an_alert_of_its_own():
    assert after(*minutes("+?????")).health == "unmeasured"
    unknown = after(*minutes("+??????"))
    assert unknown.health == "unknown"
    assert after(*minutes("+??????+")).episode.ended_s is not None


def test_a_gap_before_an_unmeasured_look_counts_as_unmeasured():
    assert after(*minutes("+     ?")).health == "unknown"
    assert after(*minutes("+     +")).health == "ok"


def test_unknown_that_turns_into_a_breach_is_the_same_episode():
    before, now = after(*minutes("+???????")), after(*minutes("+???????-"))
    assert before.episode.unknown
    assert not now.episode.unknown
    assert now.episode.began_s == before.episode.began_s


def test_flapping_is_folded_into_one_episode_until_it_is_calm():
    eager = LIMITS.model_copy(update={"for_s": 0})
    third = after(*minutes("-+-+-"), limits=eager).episode
    later = after(*minutes("-+-+-+-+-"), limits=eager).episode
    assert third.flapping
    assert (later.began_s, later.times, later.ended_s) == (third.began_s, 3, None)
    assert after(*minutes("-+-+-" + "+" * 10), limits=eager).firing
    assert not after(*minutes("-+-+-" + "+" * 11), limits=eager).firing


def test_a_gap_is_not_calm():
    eager = LIMITS.model_copy(update={"for_s": 0})
    assert after(*minutes("-+-+-++           +"), limits=eager).firing
