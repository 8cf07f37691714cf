"""What changes the world: one file per system changed."""
