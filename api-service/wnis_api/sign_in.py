"""Signing in and what follows from it: sessions, refresh, another utility, another password."""

from __future__ import annotations

from dataclasses import dataclass

from wnis_core.errors import FieldProblem, Forbidden, InvalidValue, NotAuthenticated, TooMany
from wnis_core.metrics import LOGIN_FAILURES

from wnis_api import passwords
from wnis_api.credentials import Account, Credentials
from wnis_api.directory import Directory
from wnis_api.sessions import Session, Sessions
from wnis_api.throttle import SignInThrottle
from wnis_api.user_tokens import Identity, UserTokens


@dataclass(frozen=True)
class SignedIn:
    """An identity with its two tokens."""

    identity: Identity
    token: str
    refresh_token: str


class SignIn:
    """The ways to tokens."""

    def __init__(
        self,
        credentials: Credentials,
        sessions: Sessions,
        throttle: SignInThrottle,
        directory: Directory,
        tokens: UserTokens,
    ) -> None:
        self._credentials = credentials
        self._sessions = sessions
        self._throttle = throttle
        self._directory = directory
        self._tokens = tokens

    def with_password(self, username: str, password: str, utility: str | None, address: str) -> SignedIn:
        """Tokens for a user name and password.

        Raises
        ------
        NotAuthenticated
            wrong, unknown or disabled: the same words after the same time
        TooMany
            too many failures before
        Forbidden
            the person does not belong to `utility`
        """
        try:
            self._throttle.begin(username, address)
        except TooMany:
            LOGIN_FAILURES.inc()
            raise
        account = self._credentials.by_username(username)
        right = passwords.matches(account.password_hash if account else None, password)
        if account is None or not right or not account.active:
            LOGIN_FAILURES.inc()
            raise NotAuthenticated("The user name or the password is wrong.")
        self._throttle.succeeded(username, address)
        if passwords.outdated(account.password_hash):
            self._credentials.renew_hash(account.user_id, password)
        return self._begin(account, self._directory.choose_utility(account.user_id, utility))

    def refresh(self, refresh_token: str) -> SignedIn:
        """The next pair of tokens; raises `NotAuthenticated`."""
        session, fresh = self._sessions.rotate(refresh_token)
        account = self._credentials.by_id(session.user_id)
        if account is None or not account.active:
            self._sessions.end(session.id)
            raise NotAuthenticated("The account is disabled.")
        return self._issued(account, session, fresh)

    def switch(self, identity: Identity, utility: str) -> SignedIn:
        """Tokens for another utility of the same person; the present session ends."""
        account = self._credentials.by_id(identity.user_id)
        if account is None:
            raise NotAuthenticated("The account is gone.")
        signed_in = self._begin(account, self._directory.choose_utility(account.user_id, utility))
        if identity.session:
            self._sessions.end(identity.session)
        return signed_in

    def sign_out(self, identity: Identity) -> None:
        """End the session that the token belongs to."""
        if identity.session:
            self._sessions.end(identity.session)

    def change_password(self, identity: Identity, current: str, new: str, address: str) -> None:
        """Another password; every session and key of the account ends.

        Raises
        ------
        InvalidValue
            `current` is wrong, or `new` is against the policy
        """
        self._throttle.begin(identity.username, address)
        account = self._credentials.by_id(identity.user_id)
        if not passwords.matches(account.password_hash if account else None, current):
            raise InvalidValue("The current password is wrong.", fields=[FieldProblem("current_password", "is wrong")])
        self._throttle.succeeded(identity.username, address)
        self._credentials.set_password(identity.user_id, identity.username, new, field="new_password")

    def _begin(self, account: Account, utility: str) -> SignedIn:
        session, fresh = self._sessions.start(account.user_id, utility)
        self._credentials.note_seen(account.user_id)
        return self._issued(account, session, fresh)

    def _issued(self, account: Account, session: Session, fresh: str) -> SignedIn:
        roles = self._directory.roles_in(account.user_id, session.utility)
        if not roles:
            self._sessions.end(session.id)
            raise Forbidden(f"You no longer belong to the utility {session.utility!r}.", mend="Sign in to another.")
        identity = Identity(account.user_id, account.username, session.utility, roles, session.id, account.epoch)
        return SignedIn(identity, self._tokens.issue(identity), fresh)
