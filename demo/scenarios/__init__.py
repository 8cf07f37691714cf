"""The demonstration: everything a newcomer lacks, started here, and people who act by script."""
