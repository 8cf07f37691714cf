"""Weighs changes as causes: evidence, exclusions, score, wording."""
