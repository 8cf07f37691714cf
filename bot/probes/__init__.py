"""The probes: read-only plugins, one file or folder for each data source."""
