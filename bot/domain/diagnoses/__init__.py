"""Findings, changes, diagnoses and the feedback on them."""
