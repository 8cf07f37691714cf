"""Ranks the service to blame from alerts alone: no raw series, no labels, no names; all pure."""
