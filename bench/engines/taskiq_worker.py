"""What a Taskiq worker of the benchmark loads; imported by nobody else."""

from __future__ import annotations

from bench.engines.taskiq_gather import from_environment

broker = from_environment()
