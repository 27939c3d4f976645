"""The system as a person meets it: a real browser on the real services with the demonstration loaded."""
