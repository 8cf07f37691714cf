"""How long a thread is to read: ``python -m bench.reading``."""
