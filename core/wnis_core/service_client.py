"""HTTP calls from one of our services to another: always with a token, a request id and a time limit."""

from __future__ import annotations

from typing import Any

import requests
from requests.adapters import HTTPAdapter

from wnis_core import traces
from wnis_core.errors import Unavailable
from wnis_core.problem import error_from_document
from wnis_core.tokens import Caller, issue_internal_token

_CONNECT_TIMEOUT_S = 2.0


class ServiceClient:
    """Client of one internal service; safe for threads."""

    def __init__(self, name: str, base_url: str, secret: str, *, timeout_s: float = 30.0) -> None:
        self.name = name
        self._base_url = base_url
        self._secret = secret
        self._timeout_s = timeout_s
        self._session = requests.Session()
        self._session.mount("http://", HTTPAdapter(pool_connections=4, pool_maxsize=32))

    def call(
        self,
        caller: Caller,
        method: str,
        path: str,
        *,
        json: Any = None,
        params: dict[str, Any] | None = None,
        files: dict[str, Any] | None = None,
        data: dict[str, Any] | None = None,
        timeout_s: float | None = None,
    ) -> Any:
        """The JSON answer of `path`.

        Raises
        ------
        Unavailable
            the service does not answer in time
        WnisError
            what the service itself answered
        """
        headers = {
            "Authorization": f"Bearer {issue_internal_token(self._secret, self.name, caller)}",
            "X-Request-Id": caller.request_id,
        }
        try:
            with traces.call(self.name, method, self._base_url + path) as span:
                traces.add_traceparent(headers)
                response = self._session.request(
                    method,
                    self._base_url + path,
                    headers=headers,
                    json=json,
                    params=params,
                    files=files,
                    data=data,
                    timeout=(_CONNECT_TIMEOUT_S, timeout_s or self._timeout_s),
                )
                if span is not None:
                    span.set_attribute("http.response.status_code", response.status_code)
        except requests.RequestException as error:
            raise Unavailable(
                f"The {self.name} service does not answer ({type(error).__name__}).",
                mend="Try again in a few seconds; see /ready for which part is down.",
                retry_after_s=5,
            ) from error
        try:
            document = response.json()
        except requests.JSONDecodeError as error:
            raise Unavailable(
                f"The {self.name} service answered with something that is not JSON.", retry_after_s=5
            ) from error
        if response.status_code >= 400:
            raise error_from_document(document)
        return document

    def answers(self) -> bool:
        """Whether the service says that it is healthy, within two seconds."""
        try:
            return bool(self._session.get(self._base_url + "/health", timeout=2).status_code == 200)
        except requests.RequestException:
            return False
