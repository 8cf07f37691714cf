"""The plugins that the crash matrix's runbook names."""
