"""COMPONENT arguments: an id, or a source name where it is unambiguous."""

from __future__ import annotations

from wnis_core.errors import InvalidValue, NotFound

from wnis_ops.client import ApiClient, part


def component_id(client: ApiClient, given: str, network: str | None = None) -> str:
    """The id that a person means by `given`.

    Raises
    ------
    NotFound
        neither an id nor a name
    InvalidValue
        a name that several components bear, with the candidates
    """
    try:
        found: str = client.get(f"/components/{part(given)}")["id"]
        return found
    except (NotFound, InvalidValue):
        pass
    named = [c for c in client.pages("/components", q=given, network=network) if c["name"] == given]
    if not named:
        raise NotFound(f"There is no component with the id or name {given!r}.", mend="Look it up with wnis query.")
    if len(named) > 1:
        candidates = ", ".join(f"{c['id']} ({c['type']})" for c in named)
        raise InvalidValue(f"{given!r} may be any of: {candidates}.", mend="Give the id.")
    return str(named[0]["id"])
