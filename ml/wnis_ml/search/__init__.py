"""Has this happened before? Incidents found by meaning and by words."""
