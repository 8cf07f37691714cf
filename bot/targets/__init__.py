"""What a deployment changes: a module or package for each kind of target, found by its `KIND`."""
