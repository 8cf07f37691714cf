"""The outside, one file per technology, and their memory twins."""
