"""The gate: from a presented credential to an identity, and whether it still holds at this moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wnis_core.errors import NotAuthenticated

from wnis_api.api_keys import PREFIX, ApiKeys, KeyHolder
from wnis_api.credentials import Credentials
from wnis_api.user_tokens import Identity, UserTokens

if TYPE_CHECKING:
    from wnis_api.directory import Directory

_KEPT = 2_000


class Gate:
    """Reads access tokens and API keys."""

    def __init__(self, tokens: UserTokens, credentials: Credentials, keys: ApiKeys, directory: Directory) -> None:
        self._tokens = tokens
        self._credentials = credentials
        self._keys = keys
        self._directory = directory
        self._roles: dict[tuple[str, str, int], frozenset[str]] = {}

    def identify(self, authorization: str | None, api_key: str | None) -> Identity:
        """Whom the headers ``Authorization`` or ``X-API-Key`` name.

        Raises
        ------
        NotAuthenticated
            no credential, or one that is not ours
        """
        if api_key is not None and authorization is None:
            return self._holder(api_key)
        kind, _, credential = (authorization or "").partition(" ")
        if kind.lower() != "bearer" or not credential:
            raise NotAuthenticated(
                "This needs a token.", mend="Sign in with POST /auth/login and send Authorization: Bearer TOKEN."
            )
        if credential.startswith(PREFIX):
            return self._holder(credential)
        return self._tokens.read(credential)

    def check_in_force(self, identity: Identity) -> None:
        """Refuse what was disabled, signed out or given another role since the credential was issued.

        Raises
        ------
        NotAuthenticated
            the credential no longer holds
        """
        # a key was read together with its account a moment ago
        if identity.session is not None:
            state = self._credentials.state(identity.user_id, identity.session)
            if state is None or not state.active or not state.session_in_force or state.epoch != identity.epoch:
                raise NotAuthenticated("The token no longer holds.", mend="Refresh it or sign in again.")
        self._credentials.note_seen(identity.user_id)

    def _holder(self, text: str) -> Identity:
        holder = self._keys.holder(text)
        roles = self._roles_of(holder)
        return Identity(holder.user_id, holder.username, holder.utility, roles, None, holder.epoch)

    def _roles_of(self, holder: KeyHolder) -> frozenset[str]:
        # roles live in the graph; a change of them ends the account's epoch, so they hold as long as it lasts
        key = (holder.user_id, holder.utility, holder.epoch)
        known = self._roles.get(key)
        if known is None:
            known = self._directory.roles_in(holder.user_id, holder.utility)
            if len(self._roles) >= _KEPT:
                self._roles.clear()
            self._roles[key] = known
        return known
