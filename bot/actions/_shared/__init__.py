"""Helpers that several actions use to reach their targets."""
