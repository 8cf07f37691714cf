"""What runs a five-way fan-out and a reduce: this engine, its floor and its peers, a file each."""
