"""The ranking of changes, read in this order: evidence, inspection, exclusions, ranking; and its wording."""
