"""Grafana's dashboards as data: written by ``make generate``, asked one by one of a real Prometheus in the tests."""
