"""Names the commit that broke something, or *none of them*; pure, without a language model."""
