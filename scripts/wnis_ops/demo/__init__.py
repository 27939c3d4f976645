"""The demonstration: a synthetic history on a published network, loaded the way a user's data is.

`hazard` is the documented model, `register` and `history` draw from it by a seed, `files` writes the CSV files,
`load` sends them through the public HTTP API, and ``python -m wnis_ops.demo.describe`` states what came out.
"""
