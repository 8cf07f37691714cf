"""Service level objectives and how fast their error budgets burn."""

from __future__ import annotations

import math
from typing import Annotated, Self

from pydantic import Field, model_validator

from bot.domain.model import Model, Name

WINDOW = "$window"
"""The placeholder in a query for the window it is asked over, as in ``rate(errors_total[$window])``."""

_DAY_S = 86_400


class Slo(Model):
    """A promise: of all that is asked within ``window_days`` days, the share ``objective`` goes well.

    Measured by one query, ``error_ratio``, or by two, ``good`` and ``total``; each holds ``$window``.
    """

    name: Name
    objective: Annotated[float, Field(gt=0, lt=1)]
    window_days: Annotated[float, Field(gt=0)] = 30
    error_ratio: str = ""
    good: str = ""
    total: str = ""

    @model_validator(mode="after")
    def _check(self) -> Self:
        given = {"error_ratio": self.error_ratio, "good": self.good, "total": self.total}
        if {name for name, query in given.items() if query} not in ({"error_ratio"}, {"good", "total"}):
            raise ValueError("needs either `error_ratio`, or `good` and `total`")
        without = [f"`{name}`" for name, query in given.items() if query and WINDOW not in query]
        if without:
            raise ValueError(
                f"{' and '.join(without)} must contain `{WINDOW}`, as in `rate(x_total[{WINDOW}])`"
            )
        return self

    def queries(self, *, window_s: float) -> dict[str, str]:
        """Return the queries over a window, by field."""
        fields = {"error_ratio": self.error_ratio, "good": self.good, "total": self.total}
        window = f"{math.ceil(window_s)}s"
        return {name: query.replace(WINDOW, window) for name, query in fields.items() if query}

    def question(self, *, window_s: float) -> str:
        """Return the error ratio over a window as one query, for people to paste."""
        asked = self.queries(window_s=window_s)
        return asked.get("error_ratio") or f"1 - ({asked['good']}) / ({asked['total']})"

    def ratio_of(
        self, *, error_ratio: float = math.nan, good: float = math.nan, total: float = math.nan
    ) -> float | None:
        """Return the error ratio, 0 to 1, from the queries' answers; NaN means no data, none no traffic.

        Where there is traffic and no series of good answers, nothing went well.
        """
        if self.total and total > 0:
            error_ratio = 1 - (0.0 if math.isnan(good) else good) / total
        # Rates are extrapolated, so that a ratio can lie a little outside.
        return None if math.isnan(error_ratio) else min(max(error_ratio, 0.0), 1.0)

    def burn(self, error_ratio: float) -> float:
        """Return how many times faster than allowed the budget burns (Site Reliability Workbook, ch. 5)."""
        return error_ratio / (1 - self.objective)

    def spent_in_s(self, burn: float) -> float | None:
        """Return in how many seconds a whole budget is spent at this rate; never at 0."""
        return self.window_days * _DAY_S / burn if burn > 0 else None
