"""State in, Block Kit out; pure."""
