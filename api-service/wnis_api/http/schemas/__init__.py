"""Pydantic models of requests and answers, one module per resource."""
