"""Where the trouble began: one score for every service, from whatever was found, wherever it was read."""
