"""The switches that make this Slack misbehave the way the real one sometimes does."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from localslack.errors import ActError
from localslack.shapes import Json


class FaultSwitches(BaseModel):
    """What is switched on. Each use lowers a count by 1; ``-1`` means until switched off.

    Delays are in seconds.
    """

    model_config = ConfigDict(extra="forbid", validate_assignment=True)

    double_click: bool = Field(default=False, description="a click or command happens twice, as two clicks")
    double_delivery: bool = Field(default=False, description="one click or command reaches the app twice")
    redeliver_events: bool = Field(default=False, description="an acknowledged event is sent once more")
    delay_delivery_s: float = Field(default=0, ge=0, le=60, description="payloads reach the app later")
    delay_acks_s: float = Field(default=0, ge=0, le=60, description="acknowledgements come back later")
    lose_acks: int = Field(default=0, ge=-1, description="how many acknowledgements are lost")
    drop_after: dict[str, int] = Field(
        default_factory=dict, description="method: how many calls are carried out with their answer lost"
    )
    rate_limit: dict[str, int] = Field(
        default_factory=dict, description="method: how many calls are answered 429"
    )
    retry_after_s: int = Field(default=1, ge=0, le=600, description="the Retry-After of forced 429s")
    api_down: bool = Field(default=False, description="every Web API call is answered 503")
    slow_api_s: float = Field(default=0, ge=0, le=60, description="how much longer Web API calls take")
    unready_files: int = Field(
        default=0,
        ge=0,
        le=100,
        description="how often a new picture is refused in blocks before it is accepted",
    )
    fail: dict[str, str] = Field(default_factory=dict, description="method: the error that it answers")

    def change(self, wanted: Json) -> None:
        """Set some switches.

        Raises:
            ActError: ``unknown_fault`` or ``invalid_fault``; nothing is changed then.
        """
        unknown = set(wanted) - set(type(self).model_fields)
        if unknown:
            raise ActError("unknown_fault", f"Unknown switch: {', '.join(sorted(unknown))}.")
        try:
            checked = FaultSwitches.model_validate({**self.model_dump(), **wanted})
        except ValueError as exc:
            raise ActError("invalid_fault", str(exc)) from exc
        for name in wanted:
            setattr(self, name, getattr(checked, name))

    def clear(self) -> None:
        """Switch everything off."""
        fresh = FaultSwitches()
        for name in type(self).model_fields:
            setattr(self, name, getattr(fresh, name))

    def takes(self, switch: dict[str, int], method: str) -> bool:
        """Return whether a counted switch applies to a call of ``method`` (or ``*``); count it down."""
        for key in (method, "*"):
            left = switch.get(key, 0)
            if left:
                if left > 0:
                    switch[key] = left - 1
                return True
        return False

    def loses_ack(self) -> bool:
        """Return whether this acknowledgement is lost, and count it down."""
        if self.lose_acks > 0:
            self.lose_acks -= 1
            return True
        return self.lose_acks < 0
