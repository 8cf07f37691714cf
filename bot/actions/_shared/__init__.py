"""What several actions use to reach what they change."""
