"""Alerts, monitors, heartbeats and service level objectives."""
