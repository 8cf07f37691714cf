"""HAProxy as a deployment's target."""

from bot.targets.haproxy.target import KIND

__all__ = ["KIND"]
