"""Whether the client of a request is still there, for work that is done for nobody else."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable

_TLS_ALERT = 21


def hung_up(connection: socket.socket | None) -> Callable[[], bool]:
    """A question to ask as often as one likes; the answer is no when there is no `connection` to look at."""
    if connection is None:
        return lambda: False
    number = connection.fileno()

    def ask() -> bool:
        # a socket of our own on the same connection: the one of TLS does not let anybody look ahead
        try:
            look = socket.socket(fileno=os.dup(number))
        except OSError:
            return True
        with look:
            try:
                waiting = look.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
            except BlockingIOError:
                return False
            except OSError:
                return True
        # after the request nothing comes but the end, which TLS announces
        return not waiting or waiting[0] == _TLS_ALERT

    return ask
