"""Patterns that people write, matched in a time that grows with the text alone."""

from __future__ import annotations

from typing import Any, Self

from pydantic import GetCoreSchemaHandler
from pydantic_core import SchemaError, SchemaValidator, core_schema


class Pattern:
    """A regular expression without look-around and back references, which no text makes slow.

    Python's own engine tries every way to match: ``(a+)+$`` takes it longer than anyone can wait, and nothing
    else in the process runs meanwhile.  The engine that pydantic brings (Rust's ``regex``) looks at each
    character once, and therefore has neither of the two.

    Raises:
        ValueError: it is invalid, too big, or uses what this engine does not have; the message names it.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        try:
            self._matcher = SchemaValidator(core_schema.str_schema(pattern=text, regex_engine="rust-regex"))
        except SchemaError as error:
            raise ValueError(f"is not a valid regular expression: {_reason(error)}") from None

    @classmethod
    def of_whole(cls, text: str) -> Self:
        """Return a pattern that must match the whole text."""
        cls(text)  # else `a)(b` would be one, in its brackets
        return cls(rf"\A(?:{text})\z")

    def found_in(self, text: str) -> bool:
        """Return whether it matches somewhere in ``text``."""
        # What cannot be written as UTF-8, such as half a character, is not text to the engine.
        return self._matcher.isinstance_python(text.encode(errors="replace").decode())

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: type[Any], handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        """Read it from text, as runbooks and the catalogue have it."""
        return core_schema.no_info_after_validator_function(cls, handler(str))


def _reason(error: SchemaError) -> str:
    """Return the engine's own message, without pydantic's words around it."""
    last = str(error).strip().splitlines()[-1]
    return last.removeprefix("error: ").strip().rstrip(".")
