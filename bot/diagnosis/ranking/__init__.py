"""Ranks the causes of an incident and decides what may be concluded."""
