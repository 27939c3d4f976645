"""The object store: whole files under keys. A folder on one machine, any S3 server beyond it.

Keys are relative paths such as ``sources/ab12.inp``; an object is there whole or not at all.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from wnis_core.errors import Failure, InvalidValue, NotFound, Unavailable

_KEY = re.compile(r"[A-Za-z0-9._~:%=@+-]+(/[A-Za-z0-9._~:%=@+-]+)*")
TEMPORARY = ".partial-"
"""How the names of files begin that are no objects (yet)."""


class ObjectStore(Protocol):
    """What both stores offer. Every method raises `Unavailable` when the store does not answer."""

    def put(self, key: str, content: bytes | Path) -> None:
        """Store `content` (bytes, or the file at a path) under `key`, replacing what was there."""

    def get(self, key: str) -> bytes:
        """The object under `key`; raises `NotFound`."""

    def fetch(self, key: str, path: Path) -> None:
        """Write the object under `key` to the file `path`; raises `NotFound`."""

    def exists(self, key: str) -> bool:
        """Whether there is an object under `key`."""

    def delete(self, key: str) -> None:
        """Remove the object under `key`; none there is no fault."""

    def list(self, prefix: str = "") -> Iterator[str]:
        """Keys that begin with `prefix`, in order."""


def open_object_store(location: str) -> ObjectStore:
    """The store at `location`: a folder, or ``s3://bucket/prefix``.

    The endpoint, region and keys of S3 come from where boto3 reads them (``AWS_ENDPOINT_URL_S3``,
    ``AWS_ACCESS_KEY_ID``, ...).
    """
    if location.startswith("s3://"):
        parts = urlsplit(location)
        return S3Store(parts.netloc, parts.path.strip("/"))
    return FolderStore(Path(location))


def checked_key(key: str) -> str:
    """`key` when it is a plain relative path; raises `InvalidValue` on anything that could leave the store."""
    if not _KEY.fullmatch(key) or any(part in (".", "..") or part.startswith(TEMPORARY) for part in key.split("/")):
        raise InvalidValue(f"{key[:80]!r} cannot be the key of an object.")
    return key


class FolderStore:
    """Objects as files of one folder; written beside, flushed to the disk, then renamed into place."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def put(self, key: str, content: bytes | Path) -> None:
        path = self._root / checked_key(key)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._write(path, content)
        except OSError as error:
            raise Unavailable(
                f"The object store cannot write {key} ({error.strerror}).",
                mend="Check the free space and the permissions of the folder of WNIS_OBJECT_STORE.",
            ) from error

    @staticmethod
    def _write(path: Path, content: bytes | Path) -> None:
        number, temporary = tempfile.mkstemp(prefix=TEMPORARY, dir=path.parent)
        try:
            with os.fdopen(number, "wb") as target:
                if isinstance(content, Path):
                    with content.open("rb") as source:
                        while piece := source.read(1 << 20):
                            target.write(piece)
                else:
                    target.write(content)
                target.flush()
                os.fsync(target.fileno())
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
        _flush_folder(path.parent)

    def get(self, key: str) -> bytes:
        try:
            return (self._root / checked_key(key)).read_bytes()
        except (FileNotFoundError, IsADirectoryError) as error:
            raise NotFound(f"There is no object {key}.") from error

    def fetch(self, key: str, path: Path) -> None:
        path.write_bytes(self.get(key))

    def exists(self, key: str) -> bool:
        return (self._root / checked_key(key)).is_file()

    def delete(self, key: str) -> None:
        path = self._root / checked_key(key)
        path.unlink(missing_ok=True)
        if path.parent.is_dir():
            _flush_folder(path.parent)

    def list(self, prefix: str = "") -> Iterator[str]:
        keys = (
            path.relative_to(self._root).as_posix()
            for path in self._root.rglob("*")
            if path.is_file() and not path.name.startswith(TEMPORARY)
        )
        yield from sorted(key for key in keys if key.startswith(prefix))


def _flush_folder(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


class S3Store:
    """Objects in one bucket of an S3 server, under an optional prefix."""

    def __init__(self, bucket: str, prefix: str = "") -> None:
        self._bucket = bucket
        self._prefix = f"{prefix}/" if prefix else ""
        # a session of its own: the default one keeps the first credentials that it saw
        self._s3 = boto3.Session().client(
            "s3",
            config=Config(
                connect_timeout=3,
                read_timeout=30,
                retries={"max_attempts": 3, "mode": "standard"},
                # several S3 servers know neither the newer checksums nor buckets as host names
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
                s3={"addressing_style": "path"},
            ),
        )

    def put(self, key: str, content: bytes | Path) -> None:
        name = self._name(key)
        if isinstance(content, Path):
            with content.open("rb") as source:
                self._call("put_object", Key=name, Body=source)
        else:
            self._call("put_object", Key=name, Body=content)

    def get(self, key: str) -> bytes:
        answer = self._call("get_object", Key=self._name(key))
        return bytes(answer["Body"].read())

    def fetch(self, key: str, path: Path) -> None:
        answer = self._call("get_object", Key=self._name(key))
        with path.open("wb") as target:
            for piece in answer["Body"].iter_chunks(1 << 20):
                target.write(piece)

    def exists(self, key: str) -> bool:
        try:
            self._call("head_object", Key=self._name(key))
        except NotFound:
            return False
        return True

    def delete(self, key: str) -> None:
        self._call("delete_object", Key=self._name(key))

    def list(self, prefix: str = "") -> Iterator[str]:
        wanted: dict[str, Any] = {"Prefix": self._prefix + prefix}
        keys: list[str] = []
        while True:
            answer = self._call("list_objects_v2", **wanted)
            keys += [str(item["Key"])[len(self._prefix) :] for item in answer.get("Contents", [])]
            if not answer.get("IsTruncated"):
                break
            wanted["ContinuationToken"] = answer["NextContinuationToken"]
        # S3 itself lists in order, not every server does
        yield from sorted(keys)

    def _name(self, key: str) -> str:
        return self._prefix + checked_key(key)

    def _call(self, operation: str, **arguments: Any) -> Any:
        try:
            return getattr(self._s3, operation)(Bucket=self._bucket, **arguments)
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", ""))
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
            if code in ("NoSuchKey", "NotFound", "404"):
                raise NotFound(f"There is no object {arguments.get('Key', '')} in bucket {self._bucket}.") from error
            if isinstance(status, int) and status >= 500:
                raise Unavailable(f"The object store failed ({code}).", retry_after_s=5) from error
            raise Failure(
                f"The object store refused {operation} on bucket {self._bucket} ({code}).",
                mend="Check WNIS_OBJECT_STORE and the S3 credentials.",
            ) from error
        except BotoCoreError as error:
            raise Unavailable(
                f"The object store does not answer ({type(error).__name__}).",
                mend="Check WNIS_OBJECT_STORE, AWS_ENDPOINT_URL_S3 and the credentials.",
                retry_after_s=5,
            ) from error
