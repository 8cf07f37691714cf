"""The stores in Redis, one file a port."""
