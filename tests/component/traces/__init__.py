"""Traces of the whole live system."""
