"""Requests generated from the OpenAPI document, against the live server, for a bounded time."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.contract.conftest import Client
from tests.live import LiveStack

# a value may fit its schema and still be refused for what the graph holds (no such component), hence not
# positive_data_acceptance; the rest of what schemathesis knows to check is checked
CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,"
    "response_headers_conformance,unsupported_method"
)
SECONDS = int(os.environ.get("WNIS_SCHEMATHESIS_SECONDS", "90"))


def test_generated_requests_get_documented_answers(live: LiveStack, admin: Client, tmp_path: Path) -> None:
    key = admin("POST", "/auth/keys", json={"name": "schemathesis"}).json()["key"]
    schemathesis = Path(sys.executable).with_name("schemathesis")
    command = [
        str(schemathesis), "run", f"{live.url}/api/openapi.json", "--url", f"{live.url}/api/v1",
        "--header", f"Authorization: Bearer {key}", "--checks", CHECKS, "--phases", "examples,coverage,fuzzing",
        "--max-examples", "8", "--max-time", str(SECONDS), "--seed", "1", "--workers", "1",
        "--request-timeout", "30", "--suppress-health-check", "all", "--no-color",
        # these would end the session that asks, or start work for minutes
        "--exclude-path-regex", "^/(auth|health|ready|metrics|index|models/runs|predictions/runs|networks/samples)",
    ]  # fmt: skip
    done = subprocess.run(command, check=False, cwd=tmp_path, capture_output=True, text=True, timeout=SECONDS + 120)
    told = (done.stdout + done.stderr).splitlines()
    assert done.returncode == 0, "\n".join(line if len(line) < 400 else f"{line[:400]} ..." for line in told)
