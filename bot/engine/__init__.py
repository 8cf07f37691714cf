"""The verbs: start, advance, decide, cancel; ports, loader, one function per phase kind."""
