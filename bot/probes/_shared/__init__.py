"""What several probes use to open connections."""
