"""The shop: real services, load and faults for the demo to operate."""
