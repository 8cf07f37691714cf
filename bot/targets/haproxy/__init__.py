"""HAProxy as a deployment target."""

from bot.targets.haproxy.target import KIND

__all__ = ["KIND"]
