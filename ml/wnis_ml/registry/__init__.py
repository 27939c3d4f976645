"""Model files: signed, hashed, and never able to run code."""
