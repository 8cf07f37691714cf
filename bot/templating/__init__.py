"""Templates in runbooks: rendered in a sandbox, with strict bounds."""
