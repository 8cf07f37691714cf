"""Views: pure functions from state to Block Kit."""
