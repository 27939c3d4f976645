"""Logs of the whole live system."""
