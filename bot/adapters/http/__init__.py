"""The HTTP surface: webhooks, heartbeats, leases, flags and health."""
