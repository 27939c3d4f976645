"""Backup, restore and drill: one consistent set of graph, SQL, jobs, objects and configuration."""
