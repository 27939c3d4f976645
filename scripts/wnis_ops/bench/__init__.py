"""Measurements of the whole system: real processes, and what counts is a ratio within one run."""
