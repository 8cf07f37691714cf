"""What people ask for, one file a family of commands."""
