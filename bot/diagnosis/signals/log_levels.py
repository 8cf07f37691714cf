"""Names the level of a log line: by word, and by the numbers of syslog, pino, Python and others."""

from __future__ import annotations

import re

COLOUR = re.compile(r"\x1b\[[0-9;]*m")
"""What colours a text in a terminal."""
_HUNDREDS, _THOUSANDS = 100, 1000
_NAMES_OF_LEVELS = {
    **dict.fromkeys(("ERR", "EROR", "E", "FAIL", "FAILURE"), "ERROR"),
    **dict.fromkeys(("CRIT", "C", "DPANIC"), "CRITICAL"),
    **dict.fromkeys(("WARNING", "WRN", "W"), "WARN"),
    **dict.fromkeys(("INFORMATION", "INFORMATIONAL", "INF", "I", "DEFAULT"), "INFO"),
    **dict.fromkeys(("DBUG", "DBG", "D", "FINE"), "DEBUG"),
    **dict.fromkeys(("VERBOSE", "TRCE", "TRC", "FINER", "FINEST"), "TRACE"),
    **dict.fromkeys(("F", "FTL", "FATL"), "FATAL"),
}


_SYSLOG = ("EMERG", "ALERT", "CRITICAL", "ERROR", "WARN", "NOTICE", "INFO", "DEBUG")


_TENS = ("TRACE", "TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL")
"""Bunyan's and pino's numbers, 10 to 60."""


_PYTHON = ("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "CRITICAL")


_OPEN_TELEMETRY = ("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL")
"""Four numbers each, from 1."""


_GOOGLE = ("DEFAULT", "DEBUG", "INFO", "NOTICE", "WARN", "ERROR", "CRITICAL", "ALERT", "EMERG")


_MONOLOG = ("DEBUG", "DEBUG", "INFO", "WARN", "ERROR", "CRITICAL", "EMERG")
"""Hundreds, as Google Cloud's and Monolog's."""


_LOGBACK = ("TRACE", "DEBUG", "INFO", "WARN", "ERROR")
"""Ten thousands."""


def level_named(name: str) -> str:
    """Return the one name of a level: ``err`` is ``ERROR``, ``Warning`` is ``WARN``; nothing for nothing."""
    name = COLOUR.sub("", name).strip().upper()
    return _NAMES_OF_LEVELS.get(name, name)


def level_of_number(number: float, name: str) -> str:
    """Return the level that a number means; its size and its field's name show the scale."""
    scale: tuple[str, ...]
    place = int(number)
    if place < 0:
        return "DEBUG"
    if name == "severitynumber":
        scale, place = _OPEN_TELEMETRY, (place - 1) // 4
    elif place < len(_SYSLOG):
        scale = _SYSLOG
    elif name == "levelno":
        scale, place = _PYTHON, place // 10
    elif place < _HUNDREDS:
        scale, place = _TENS, place // 10
    elif place < _THOUSANDS:
        scale, place = (_GOOGLE if name == "severity" else _MONOLOG), place // 100
    else:
        scale, place = _LOGBACK, place // 10_000
    return level_named(scale[max(0, min(place, len(scale) - 1))])
