"""Before anything is started: certificate, memory and folders are looked at, and what is wrong is one sentence."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID
from wnis_core.errors import InvalidValue, Unavailable
from wnis_core.starting import require_own_folders, require_room, require_writable
from wnis_ops.memory_room import available_bytes
from wnis_ops.prerequisites import require_memory, require_valid_pair

DAY = timedelta(days=1)
_KINDS = {"ec": lambda: ec.generate_private_key(ec.SECP256R1()), "rsa": lambda: rsa.generate_private_key(65537, 2048)}
MEBIBYTE = 1 << 20


def pair(folder: Path, begins: timedelta, ends: timedelta, kind: str = "ec") -> tuple[Path, Path]:
    """A certificate that is good from and until so far from now, and its key."""
    key, name = _KINDS[kind](), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "wnis test")])
    at = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(at + begins).not_valid_after(at + ends)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    folder.mkdir(exist_ok=True)
    (folder / "c.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "k.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return folder / "c.pem", folder / "k.pem"


@pytest.mark.parametrize("kind", ["ec", "rsa"])
def test_a_certificate_that_is_good_now_goes_with_its_key(tmp_path: Path, kind: str) -> None:
    require_valid_pair(*pair(tmp_path, -DAY, DAY, kind))


@pytest.mark.parametrize(
    ("begins", "ends", "reason"),
    [(-2 * DAY, -DAY, "expired at"), (DAY, 2 * DAY, "is not valid before .* clock says")],
)
def test_a_certificate_of_another_time_is_refused(
    tmp_path: Path, begins: timedelta, ends: timedelta, reason: str
) -> None:
    with pytest.raises(InvalidValue, match=reason) as refused:
        require_valid_pair(*pair(tmp_path, begins, ends))
    assert "--tls-cert" in refused.value.mend


def test_a_key_of_another_certificate_is_refused(tmp_path: Path) -> None:
    (certificate, own), (_, other) = pair(tmp_path / "a", -DAY, DAY), pair(tmp_path / "b", -DAY, DAY)
    with pytest.raises(InvalidValue, match="is not that of the certificate"):
        require_valid_pair(certificate, other)
    with pytest.raises(InvalidValue, match="--tls-cert names, is no certificate"):
        require_valid_pair(own, own)
    with pytest.raises(InvalidValue, match="--tls-key names, is no private key"):
        require_valid_pair(certificate, certificate)


def machine(folder: Path, groups: dict[str, str], own: str) -> tuple[Path, Path]:
    """The files of a machine with 8 GB of memory left, and with these files of control groups."""
    for name, text in {
        "proc/meminfo": "MemTotal: 16000000 kB\nMemAvailable:    8000000 kB\nHugePages_Total: 0\nSwapFree: 0 kB\n",
        "proc/self/cgroup": own,
        **{f"groups/{name}": text for name, text in groups.items()},
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder / "proc", folder / "groups"


VERSION_2 = {
    "memory.stat": "anon 1\ninactive_file 5\n",
    "unit/memory.max": f"{600 * MEBIBYTE}\n",
    "unit/memory.current": f"{500 * MEBIBYTE}\n",
    "unit/memory.stat": f"anon 1\ninactive_file {100 * MEBIBYTE}\n",
    "unit/child/memory.max": "max\n",
    "unit/child/memory.current": "9\n",
    "unit/child/memory.stat": "inactive_file 0\n",
}
VERSION_1 = {
    "memory/memory.limit_in_bytes": f"{300 * MEBIBYTE}\n",
    "memory/memory.usage_in_bytes": f"{250 * MEBIBYTE}\n",
    "memory/memory.stat": f"total_inactive_file {150 * MEBIBYTE}\n",
}
NO_LIMIT = {**VERSION_1, "memory/memory.limit_in_bytes": "9223372036854771712\n"}


@pytest.mark.parametrize(
    ("groups", "own", "left"),
    [
        ({}, "", 8_000_000 * 1024),
        (VERSION_2, "0::/unit/child\n", 200 * MEBIBYTE),
        (VERSION_1, "4:memory:/known/only/outside\n0::/\n", 200 * MEBIBYTE),
        (NO_LIMIT, "4:memory:/\n", 8_000_000 * 1024),
    ],
    ids=["no groups", "version 2: the limit of a group above", "version 1, inside a container", "no limit"],
)
def test_the_limit_of_the_control_group_counts_without_what_is_given_back(
    tmp_path: Path, groups: dict[str, str], own: str, left: int
) -> None:
    assert available_bytes(*machine(tmp_path, groups, own)) == left


def test_too_little_memory_is_said_before_anything_is_started() -> None:
    with pytest.raises(Unavailable, match=r"^1200 MB of memory are left; 1600 MB are needed to start\.") as refused:
        require_memory(1_600_000_000, lambda: 1_200_000_000)
    assert "memory limit" in refused.value.mend
    require_memory(1_600_000_000, lambda: None)
    require_memory(1, available_bytes)


def test_a_folder_that_cannot_be_written_is_named_with_its_setting(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    require_own_folders(tmp_path / "new" / "home", "s3://bucket")
    assert list((tmp_path / "new" / "home").iterdir()) == []
    for home, store, setting in (
        (tmp_path / "file" / "home", str(tmp_path), "WNIS_HOME"),
        (tmp_path, str(tmp_path / "file"), "WNIS_OBJECT_STORE"),
    ):
        with pytest.raises(Unavailable, match=f"which {setting} names, cannot be written") as refused:
            require_own_folders(home, store)
        assert f"set {setting} to another folder" in refused.value.mend
    with pytest.raises(Unavailable, match=r"WNIS_X names, has \d+ MB left; 1000000000000 MB are needed"):
        require_room(tmp_path, "WNIS_X", 10**18)
    require_writable(tmp_path, "WNIS_X")
