"""Every route of the API."""

from __future__ import annotations

from wnis_api.http.route import Route
from wnis_api.http.routes import admin, auth

ROUTES: tuple[Route, ...] = (*auth.ROUTES, *admin.ROUTES)
