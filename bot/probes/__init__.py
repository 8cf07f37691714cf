"""What reads the world: one file per data source."""
