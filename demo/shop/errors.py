"""Failures the shop expects: prose for people, and what to do about it."""

from __future__ import annotations


class ShopError(Exception):
    """The shop cannot carry out a request; ``hint`` is what would help."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(f"{message} {hint}".strip())
        self.hint = hint


class RefusedError(Exception):
    """A request to the control API that is refused; ``code`` is stable."""

    def __init__(self, status: int, code: str, message: str, **fields: object) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.fields = fields
