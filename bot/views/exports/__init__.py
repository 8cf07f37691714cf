"""A run outside of Slack: as a timeline in the terminal, as text, and as spans of a trace."""
