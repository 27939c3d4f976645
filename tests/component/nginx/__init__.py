"""nginx in front of the API, run for real."""
