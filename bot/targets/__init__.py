"""The kinds of target that a deployment can change, one file each."""
