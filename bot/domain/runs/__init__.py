"""Runbooks, plans, approvals, events and the run that they fold into."""
