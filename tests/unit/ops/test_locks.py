"""The locks of Python and npm packages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
LOCKS = ("requirements.txt", "requirements-dev.txt", "requirements-model.txt")


@pytest.mark.parametrize("name", LOCKS)
def test_every_locked_package_has_a_version_and_a_hash(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8").replace("\\\n", " ")
    entries = [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]
    assert entries
    assert [line for line in entries if "==" not in line or "--hash=sha256:" not in line] == []


@pytest.mark.parametrize("name", [*LOCKS, "web-interface/package-lock.json"])
def test_no_lock_names_a_download_host(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert re.findall(r'"resolved"|--index-url|--extra-index-url|--find-links|^-i ', text, re.MULTILINE) == []
    assert not re.search(r"https?://[^\s\"]*(simple|registry|packages)", text)


def test_what_runs_is_what_was_tested() -> None:
    def versions(name: str) -> dict[str, str]:
        text = (ROOT / name).read_text(encoding="utf-8")
        return dict(re.findall(r"^([A-Za-z0-9._-]+)(?:\[[^]]*])?==([^ ;\\]+)", text, re.MULTILINE))

    runtime, tested = versions("requirements.txt"), versions("requirements-dev.txt")
    assert runtime.items() <= tested.items()


def test_torch_is_not_installed_by_default() -> None:
    assert not re.search(
        r"^(torch|nvidia-|sentence-transformers)", (ROOT / "requirements.txt").read_text(), re.MULTILINE
    )
