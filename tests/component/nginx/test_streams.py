"""Answers that come bit by bit reach the client bit by bit."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests

from tests.front import Front
from tests.live import Answer, LiveStack

pytestmark = pytest.mark.system


class Teller(ThreadingHTTPServer):
    """Tells its second word only after somebody has heard the first one."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), TellerHandler)
        self.heard = threading.Event()


class TellerHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        assert isinstance(self.server, Teller)
        self.server.heard.clear()
        self.send_response(200)
        self.send_header("Content-Type", "text/csv" if "export" in self.path else "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        if "export" in self.path:
            self.send_header("X-Accel-Buffering", "no")
        self.end_headers()
        self._tell(b"data: first\n\n")
        self._tell(b"data: second\n\n" if self.server.heard.wait(5) else b"data: nobody heard the first\n\n")
        self._tell(b"")

    def _tell(self, words: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(words), words))
        self.wfile.flush()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def teller() -> Iterator[Teller]:
    """A server with something to tell."""
    with Teller() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.mark.parametrize(
    ("path", "accept", "encoding"),
    [
        ("/api/v1/events", "text/event-stream", "gzip"),
        ("/api/v1/export", "*/*", "identity"),
        ("/api/v1/export", "*/*", "gzip"),
    ],
)
def test_each_part_of_a_stream_arrives_before_the_next_is_made(
    teller: Teller, path: str, accept: str, encoding: str
) -> None:
    headers = {"Accept": accept, "Accept-Encoding": encoding}
    with Front(f"127.0.0.1:{teller.server_port}") as front, front.session() as client:
        with client.get(front.url + path, headers=headers, stream=True, timeout=15) as answer:
            parts = answer.iter_content(None)
            assert next(parts) == b"data: first\n\n"
            teller.heard.set()
            assert b"".join(parts) == b"data: second\n\n"
        assert "X-Accel-Buffering" not in answer.headers


def test_an_export_of_the_api_asks_not_to_be_kept_back(stack: LiveStack, admin: Answer) -> None:
    url = f"{stack.url}/api/v1/components"
    streamed = requests.get(url, params={"format": "csv"}, headers=admin.headers, timeout=20)
    assert streamed.headers["X-Accel-Buffering"] == "no"
    # everything else is better kept by nginx while a slow client takes it
    assert "X-Accel-Buffering" not in requests.get(url, headers=admin.headers, timeout=20).headers
