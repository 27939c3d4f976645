"""HTTP: routes as data, their schemas, and what they have in common."""
