"""The nouns: pure models, no input or output."""
