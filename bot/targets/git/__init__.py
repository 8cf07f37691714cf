"""A Git repository as a deployment's target."""

from bot.targets.git.target import KIND

__all__ = ["KIND"]
