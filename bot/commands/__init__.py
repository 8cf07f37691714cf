"""The commands of `pilothouse`, one file each."""
