"""Names the commit that broke something, or says that none did; pure, without a language model."""
