"""What nginx adds to the API, and what it leaves alone."""

from __future__ import annotations

import os
import secrets
import socket
import ssl
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests
from wnis_api.http.pages import SECURITY_HEADERS
from wnis_core.log_fields import FIELDS

from tests.front import Front
from tests.live import Answer, LiveStack, free_ports

pytestmark = pytest.mark.system

PROBLEM_FIELDS = {"error", "code", "status", "request_id", "errors"}


def handshake(front: Front, version: ssl.TLSVersion, ciphers: str = "ALL:@SECLEVEL=0") -> tuple[str | None, str]:
    context = ssl.create_default_context(cafile=front.certificate)
    # a client that would accept anything
    context.minimum_version = context.maximum_version = version
    context.set_ciphers(ciphers)
    with (
        socket.create_connection(("127.0.0.1", front.https_port), timeout=5) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as secured,
    ):
        cipher = secured.cipher()
        return secured.version(), cipher[0] if cipher else ""


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_modern_tls_is_spoken(front: Front, version: ssl.TLSVersion) -> None:
    name, cipher = handshake(front, version)
    assert name == {"TLSv1_2": "TLSv1.2", "TLSv1_3": "TLSv1.3"}[version.name]
    assert "GCM" in cipher or "CHACHA20" in cipher


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_old_tls_is_refused(front: Front, version: ssl.TLSVersion) -> None:
    with pytest.raises(ssl.SSLError, match=r"alert protocol version|UNSUPPORTED_PROTOCOL"):
        handshake(front, version)


@pytest.mark.parametrize("ciphers", ["ECDHE-ECDSA-AES128-SHA", "AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-SHA384"])
def test_ciphers_without_forward_secrecy_or_authentication_are_refused(front: Front, ciphers: str) -> None:
    with pytest.raises(ssl.SSLError, match="handshake failure"):
        handshake(front, ssl.TLSVersion.TLSv1_2, ciphers + ":@SECLEVEL=0")


def test_plain_http_is_sent_to_https_with_path_and_query(front: Front) -> None:
    answer = requests.post(f"{front.plain_url}/api/v1/incidents/search?x=%2F", allow_redirects=False, timeout=5)
    assert answer.status_code == 308
    assert answer.headers["Location"] == f"{front.url}/api/v1/incidents/search?x=%2F"
    assert "Strict-Transport-Security" not in answer.headers


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/", 200), ("/components", 200), ("/assets/worker-abc123.mjs", 200), ("/assets/none.js", 404),
        ("/favicon.ico", 404), ("/metrics", 404), ("/api/v1/nothing", 404), ("/health", 200),
        ("/api/openapi.json", 200),
    ],
)  # fmt: skip
def test_every_answer_has_each_security_header_once(
    front: Front, client: requests.Session, path: str, status: int
) -> None:
    answer = client.get(front.url + path, timeout=20)
    assert answer.status_code == status
    given = answer.raw.headers
    for name, value in {**SECURITY_HEADERS, "Strict-Transport-Security": "max-age=31536000"}.items():
        assert given.getlist(name) == [value], name
    assert given.getlist("Server") in (["nginx"], [])
    if status == 404:
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.json().keys() >= PROBLEM_FIELDS
        assert answer.json()["request_id"] == answer.headers["X-Request-Id"]


def test_the_page_is_served_as_the_api_serves_it(front: Front, client: requests.Session) -> None:
    for path in ("/", "/map", "/components/net:pipe:1", "/administration"):
        answer = client.get(front.url + path, timeout=5)
        assert answer.text.strip() == "<title>WNIS</title>"
        assert (answer.headers["Cache-Control"], answer.headers["Content-Type"]) == ("no-cache", "text/html")
    script = client.get(front.url + "/assets/worker-abc123.mjs", timeout=5)
    assert script.headers["Content-Type"] == "text/javascript"
    assert script.headers["Cache-Control"] == "public, max-age=31536000, immutable"


@pytest.mark.parametrize(
    "path", ["/metrics", "/%6detrics", "/api/../metrics", "/assets/..%2fmetrics", "/metrics#/../api"]
)
def test_the_metrics_stay_inside(front: Front, path: str) -> None:
    context = ssl.create_default_context(cafile=front.certificate)
    with (
        socket.create_connection(("127.0.0.1", front.https_port), timeout=5) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as secured,
    ):
        secured.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        said = b"".join(iter(lambda: secured.recv(65536), b""))
    assert said.startswith(b"HTTP/1.1 404")
    assert b"python_info" not in said


def test_large_answers_are_compressed(front: Front, client: requests.Session) -> None:
    answer = client.get(front.url + "/api/openapi.json", headers={"Accept-Encoding": "gzip"}, stream=True, timeout=20)
    packed = answer.raw.read(decode_content=False)
    assert answer.headers["Content-Encoding"] == "gzip"
    assert len(packed) < 100_000 < len(client.get(front.url + "/api/openapi.json", timeout=20).content)


def test_a_change_may_name_the_version_of_a_compressed_answer(
    front: Front, client: requests.Session, admin: Answer
) -> None:
    body = {"id": f"P-{secrets.token_hex(4)}", "type": "Pipe", "name": "n" * 200, "length_m": 10.0, "diameter_m": 0.1}
    made = client.post(f"{front.url}/api/v1/components", json=body, headers=admin.headers, timeout=20)
    assert made.status_code == 201, made.text
    where = f"{front.url}/api/v1/components/{body['id']}"
    read = client.get(where, headers={**admin.headers, "Accept-Encoding": "gzip"}, timeout=20)
    tag = read.headers["ETag"]
    if "Content-Encoding" in read.headers:
        assert tag.startswith("W/")
    weak = "W/" + tag.removeprefix("W/")
    assert client.get(where, headers={**admin.headers, "If-None-Match": tag}, timeout=20).status_code == 304
    changed = client.patch(where, json={"length_m": 11.0}, headers={**admin.headers, "If-Match": weak}, timeout=20)
    assert changed.status_code == 200, changed.text
    again = client.patch(where, json={"length_m": 12.0}, headers={**admin.headers, "If-Match": weak}, timeout=20)
    assert again.status_code == 412


def test_a_request_id_goes_through_and_a_bad_one_does_not(
    front: Front, stack: LiveStack, client: requests.Session
) -> None:
    good = f"req-{secrets.token_hex(6)}"
    answer = client.get(front.url + "/api/v1/nothing", headers={"X-Request-Id": good}, timeout=5)
    assert (answer.headers["X-Request-Id"], answer.json()["request_id"]) == (good, good)
    assert front.line_of("http.request.id", good)["url.path"] == "/api/v1/nothing"
    assert good in stack.log_tail("api")
    bad = client.get(front.url + "/metrics", headers={"X-Request-Id": 'a","b'}, timeout=5)
    assert bad.json()["request_id"].isalnum()


def test_what_a_client_says_of_its_address_is_not_believed(
    front: Front, client: requests.Session, admin: Answer
) -> None:
    assert address_on_record(front, client, admin, "203.0.113.7") == "127.0.0.1"


def test_a_trusted_proxy_names_the_client_and_how_it_came(stack: LiveStack, admin: Answer) -> None:
    with Front(stack.url.removeprefix("http://"), extra={"NGINX_TRUSTED_PROXIES": "10.9.0.0/16 127.0.0.1"}) as front:
        with front.session() as client:
            assert address_on_record(front, client, admin, "198.51.100.1, 203.0.113.7") == "203.0.113.7"
        began = secrets.token_hex(8)
        came_by = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.7", "X-Request-Id": began}
        answer = requests.get(f"{front.plain_url}/api/v1/nothing", headers=came_by, allow_redirects=False, timeout=5)
        assert answer.status_code == 404
        assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
        assert front.line_of("http.request.id", began)["client.address"] == "203.0.113.7"


def address_on_record(front: Front, client: requests.Session, admin: Answer, forwarded: str) -> str:
    name = f"p-{secrets.token_hex(4)}"
    body = {"username": name, "password": f"Wert{secrets.token_hex(6)}", "role": "operator"}
    headers = {**admin.headers, "X-Forwarded-For": forwarded}
    made = client.post(f"{front.url}/admin/users", json=body, headers=headers, timeout=20)
    assert made.status_code == 201, made.text
    record = client.get(f"{front.url}/admin/audit", headers=admin.headers, timeout=20).json()["audit"]
    return str(next(e["address"] for e in record if e["request_id"] == made.headers["X-Request-Id"]))


def test_an_api_that_is_away_is_a_problem_document(client: requests.Session) -> None:
    nobody = free_ports(1)[0]
    with Front(f"127.0.0.1:{nobody}") as front, front.session() as session:
        for path in ("/api/v1/components", "/auth/login", "/ready", "/api/v1/networks/n/tiles/1/2/3.mvt"):
            answer = session.get(front.url + path, headers={"X-Request-Id": "mine"}, timeout=10)
            assert answer.status_code == 503
            assert answer.headers["Content-Type"] == "application/problem+json"
            assert answer.headers["Retry-After"] == "5"
            assert answer.json().keys() >= PROBLEM_FIELDS
            assert (answer.json()["code"], answer.json()["request_id"]) == ("unavailable", "mine")
        # the page itself does not need it
        assert session.get(front.url + "/", timeout=5).status_code == 200


def upload(front: Front, admin: Answer, folder: Path, size: int) -> requests.Response:
    """A network file of `size` bytes, nearly all of them remarks."""
    network = b"[TITLE]\nlarge\n[JUNCTIONS]\nJ 10\n[RESERVOIRS]\nR 50\n[PIPES]\nP R J 100 300 100 0 Open\n"
    remark = b";" + b"x" * 998 + b"\n"
    file = folder / "large.inp"
    with file.open("wb") as out:
        out.write(network + remark * ((size - len(network)) // len(remark)) + b"[END]\n")
    form = {"id": f"large-{secrets.token_hex(3)}", "dry_run": "true"}
    with file.open("rb") as content, front.session() as client:
        return client.post(
            f"{front.url}/api/v1/networks", data=form, files={"file": content}, headers=admin.headers, timeout=120
        )


def test_fifty_megabytes_pass(front: Front, admin: Answer, tmp_path: Path) -> None:
    answer = upload(front, admin, tmp_path, 50_000_000)
    assert answer.status_code == 202, answer.text


def test_more_than_the_api_takes_is_refused_by_the_api(front: Front, admin: Answer, tmp_path: Path) -> None:
    answer = upload(front, admin, tmp_path, 64_200_000)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert "bytes are accepted" in answer.json()["error"]


def test_much_more_is_refused_before_it_is_sent(front: Front, client: requests.Session) -> None:
    # no body follows: the answer comes on the announcement alone
    announced = requests.Request("POST", f"{front.url}/api/v1/networks", headers={"Content-Length": "70000000"})
    answer = client.send(announced.prepare(), timeout=5)
    assert answer.status_code == 413
    assert answer.json()["code"] == "too_large"
    assert answer.json().keys() >= PROBLEM_FIELDS


def test_the_access_log_has_ecs_names_and_no_secrets(front: Front, client: requests.Session) -> None:
    planted = [secrets.token_hex(12) for _ in range(6)]
    client.get(
        f"{front.url}/api/v1/components/\"b%22\\x?token={planted[0]}&q=1",
        headers={
            "Authorization": f"Bearer {planted[1]}", "X-API-Key": planted[2], "Cookie": f"a={planted[3]}",
            "Referer": f"https://x/?token={planted[4]}", "User-Agent": 'he said "no"',
        },
        timeout=5,
    )  # fmt: skip
    named = secrets.token_hex(8)
    client.get(f"{front.url}/?code={planted[5]}", headers={"X-Request-Id": named}, timeout=5)
    # a request line that cannot be read
    with socket.create_connection(("127.0.0.1", front.http_port), timeout=5) as plain:
        plain.sendall(f"GET /?token={planted[0]} \x01 HTTP/9\r\nAuthorization: {planted[1]}\r\n\r\n".encode())
        refused = plain.recv(4096).split()[1].decode()
    line = front.line_of("user_agent.original", 'he said "no"')
    front.line_of("http.request.id", named)
    front.line_of("http.response.status_code", int(refused))
    lines = front.log_lines()
    everything = (front.folder / "access.log").read_text() + (front.folder / "error.log").read_text()
    assert [secret for secret in planted if secret in everything] == []
    assert line["http.request.method"] == "GET"
    assert line["url.path"].startswith("/api/v1/components/")
    assert line["http.response.status_code"] == 401
    assert line["client.address"] == "127.0.0.1"
    # the format by which Fluent Bit reads it
    assert datetime.strptime(line["@timestamp"], "%Y-%m-%dT%H:%M:%S.%f%z") <= datetime.now(UTC)
    assert {name for each in lines for name in each} <= {field.name for field in FIELDS}
    assert line["tls.version"] == "TLSv1.3"
    assert isinstance(line["event.duration"], int)
    assert line["event.duration"] % 1_000_000 == 0


def test_a_lasting_request_is_logged_in_nanoseconds(front: Front, client: requests.Session, admin: Answer) -> None:
    named = secrets.token_hex(8)
    began = time.monotonic_ns()
    answer = client.post(
        f"{front.url}/auth/login",
        json={"username": admin.username, "password": admin.password},
        headers={"X-Request-Id": named},
        timeout=20,
    )
    assert answer.status_code == 200
    line = front.line_of("http.request.id", named)
    # argon2 alone takes tens of milliseconds; nginx itself counts in milliseconds
    assert 10_000_000 < line["event.duration"] <= time.monotonic_ns() - began + 1_000_000


def test_nginx_runs_without_rights_and_writes_to_one_folder(front: Front) -> None:
    assert front.process is not None
    status = Path(f"/proc/{front.process.pid}/status").read_text()
    owners = {line.split()[1] for line in status.splitlines() if line.startswith("Uid:")}
    assert owners == {"10001" if os.getuid() == 0 else str(os.getuid())}
    opened = {os.readlink(fd) for fd in Path(f"/proc/{front.process.pid}/fd").iterdir()}
    written = {name for name in opened if name.startswith("/") and not name.startswith(("/dev/", str(front.folder)))}
    assert written == set()
