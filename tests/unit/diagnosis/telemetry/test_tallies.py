"""What is missed and what is new, by how much was heard before."""

from bot.diagnosis.offline import tallies
from bot.diagnosis.offline.case import CaseLogLine
from bot.diagnosis.offline.tallies import BIN_S, TalliedThing, Tallies


def test_a_line_that_was_hardly_heard_before_is_hardly_missed():
    def strength(bins_before: int) -> float:
        lines = [
            CaseLogLine(time_s=BIN_S * place, service="cart", level="INFO", message="empty basket")
            for place in range(-bins_before, 0)
        ]
        heard = tallies.of_lines(lines)
        heard.recorded.update(range(20))
        return tallies.turns(heard, onset_s=0.0)[0].strength

    assert strength(2) < strength(20) * 0.9


def test_an_error_that_is_new_says_less_when_little_was_heard_before():
    def strength(bins_before: int) -> float:
        heard = Tallies(recorded=set(range(-bins_before, 20)))
        for place in range(20):
            heard.add(TalliedThing(service="cart", name="refused", is_error=True), time_s=BIN_S * place)
        return tallies.turns(heard, onset_s=0.0)[0].strength

    assert strength(2) < strength(20)
