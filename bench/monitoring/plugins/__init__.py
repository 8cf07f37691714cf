"""The plugin that the bench's monitors name."""
