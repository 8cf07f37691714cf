"""Deployments: records, gates, locks, freezes, checklists and delivery metrics."""
