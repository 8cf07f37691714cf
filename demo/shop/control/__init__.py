"""The control API: the shop's state, its settings and faults, and a page to see and press them."""
