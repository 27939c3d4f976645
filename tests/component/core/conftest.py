"""A real PostgreSQL for the tests of durable jobs."""

from tests.component.api.conftest import postgresql

__all__ = ["postgresql"]
