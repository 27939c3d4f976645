"""Grafana's dashboards as data: written by ``make generate``."""
