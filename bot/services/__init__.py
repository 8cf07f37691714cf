"""Use cases behind the commands, one file per family of commands."""
