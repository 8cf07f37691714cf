"""Kills, stops and cuts off real processes at every point that matters, and counts what came of it."""
