"""Reads runbooks and checks every rule, with file and line for each problem."""
