"""Every route of the API."""

from __future__ import annotations

from wnis_api.http.route import Route
from wnis_api.http.routes import (
    admin,
    assets,
    auth,
    components,
    exports,
    feedback,
    graph,
    incidents,
    isolation,
    jobs,
    maps,
    networks,
    predictions,
    saved,
    simulations,
)

ROUTES: tuple[Route, ...] = (
    *auth.ROUTES,
    *admin.ROUTES,
    *components.ROUTES,
    *networks.ROUTES,
    *maps.ROUTES,
    *exports.ROUTES,
    *isolation.ROUTES,
    *assets.ROUTES,
    *simulations.ROUTES,
    *predictions.ROUTES,
    *incidents.ROUTES,
    *feedback.ROUTES,
    *jobs.ROUTES,
    *graph.ROUTES,
    *saved.ROUTES,
)
