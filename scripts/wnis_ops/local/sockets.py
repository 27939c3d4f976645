"""The sockets on which the API listens. They belong to the supervisor: programs come and go behind them."""

from __future__ import annotations

import socket

from wnis_core.errors import Unavailable

_BACKLOG = 2048


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; a `port` of 0 is any free one.

    Raises
    ------
    Unavailable
        the port is taken, or the address is not one of this machine
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        raise Unavailable(
            f"Nothing can listen on {host} port {port}: {error.strerror}.",
            mend="Stop what listens there, or give --port N (and a --host of this machine).",
        ) from error
