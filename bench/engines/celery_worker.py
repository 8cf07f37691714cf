"""What a Celery worker of the benchmark loads; imported by nobody else."""

from __future__ import annotations

from bench.engines.celery_chord import from_environment

app = from_environment()
