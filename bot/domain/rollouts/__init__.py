"""Rollouts: what a canary's judge reads and decides."""
