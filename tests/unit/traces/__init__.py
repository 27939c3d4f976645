"""Traces that are off."""
