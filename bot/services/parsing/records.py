"""Parses the words about the record of deployments: which service, over how many days."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.domain.catalogue import Catalogue
from bot.domain.deployments.delivery import MOST_DAYS
from bot.domain.errors import UsageError
from bot.engine.params import echo, find_service
from bot.services.parsing.suggestions import service_for

DEFAULT_DAYS = 30
_DAYS = re.compile(r"([0-9]{1,4})(d|w)", re.IGNORECASE)
_WEEK = 7


def parse_stats_words(words: Sequence[str], *, catalogue: Catalogue, command: str) -> tuple[str, int]:
    """Parse ``[checkout] [30d]`` into the service, empty for all, and the number of days.

    Raises:
        UsageError: there is more, or the period is not valid; ``hint`` shows what to type.
        UnknownServiceError: the catalogue has no such service.
    """
    hint = f"Try `{command} {service_for(words, catalogue)} {DEFAULT_DAYS}d`."
    rest, days = list(words), DEFAULT_DAYS
    if rest and (found := _DAYS.fullmatch(rest[-1])):
        days = int(found[1]) * (_WEEK if found[2].lower() == "w" else 1)
        rest.pop()
    if not 1 <= days <= MOST_DAYS:
        raise UsageError(f"The period must be 1 to {MOST_DAYS} days.", hint=hint)
    if len(rest) > 1:
        raise UsageError(f"I do not understand `{echo(rest[1])}`.", hint=hint)
    return (find_service(rest[0], catalogue) if rest else ""), days
