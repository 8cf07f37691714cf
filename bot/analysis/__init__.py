"""Pure numerics: anomalies, log templates, the ranking of causes."""
