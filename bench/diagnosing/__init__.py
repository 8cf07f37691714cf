"""Figures of the diagnosis on public cases with known causes, one file a track."""
