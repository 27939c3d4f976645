"""Load on a running API: which requests, how many clients, what came back, and how it compares with an earlier run."""
