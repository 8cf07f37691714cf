"""A Git repository as a deployment target."""

from bot.targets.git.target import KIND

__all__ = ["KIND"]
