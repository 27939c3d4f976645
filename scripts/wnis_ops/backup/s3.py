"""Sets in an S3 bucket: uploads in parts that go on where they were, each checked by the server."""

from __future__ import annotations

import base64
import hashlib
import json
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from wnis_core.errors import Failure, NotFound, Unavailable

log = logging.getLogger(__name__)

PART_BYTES = 8 << 20
_PIECE = 1 << 20
_MISSING = frozenset({"NoSuchKey", "NotFound", "404", "NoSuchBucket"})

OnPart = Callable[[int], None]


class Bucket:
    """Files under one prefix of one bucket; endpoint and keys as boto3 reads them (``AWS_ENDPOINT_URL_S3``, ...)."""

    def __init__(self, bucket: str, prefix: str = "", *, part_bytes: int = PART_BYTES) -> None:
        self.location = f"s3://{bucket}/{prefix}".rstrip("/")
        self._bucket = bucket
        self._prefix = f"{prefix}/" if prefix else ""
        self._part_bytes = part_bytes
        self._s3 = boto3.Session().client(
            "s3",
            config=Config(
                connect_timeout=5,
                read_timeout=60,
                retries={"max_attempts": 5, "mode": "standard"},
                # several S3 servers know neither the newer checksums nor buckets as host names
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
                s3={"addressing_style": "path"},
            ),
        )

    def sizes(self, prefix: str) -> dict[str, int]:
        """Keys that begin with `prefix` and their sizes."""
        wanted: dict[str, Any] = {"Prefix": self._prefix + prefix}
        found: dict[str, int] = {}
        while True:
            answer = self._call("list_objects_v2", **wanted)
            for item in answer.get("Contents", []):
                found[str(item["Key"])[len(self._prefix) :]] = int(item["Size"])
            if not answer.get("IsTruncated"):
                return found
            wanted["ContinuationToken"] = answer["NextContinuationToken"]

    def read(self, key: str) -> bytes:
        """A small file."""
        return bytes(self._call("get_object", Key=self._prefix + key)["Body"].read())

    def write(self, key: str, content: bytes) -> None:
        """A small file, checked by the server against its MD5."""
        self._call("put_object", Key=self._prefix + key, Body=content, ContentMD5=_md5(content))

    def delete(self, key: str) -> None:
        """Remove a file."""
        self._call("delete_object", Key=self._prefix + key)

    def download(self, key: str, file: Path) -> None:
        """Bring a file here, going on after what is here of it already."""
        have = file.stat().st_size if file.is_file() else 0
        size = self.sizes(key).get(key)
        if size is None:
            raise NotFound(f"There is no {key} at {self.location}.", mend="Take another set.")
        if have > size:
            file.unlink()
            have = 0
        try:
            while have < size:
                end = min(have + self._part_bytes, size) - 1
                body = self._call("get_object", Key=self._prefix + key, Range=f"bytes={have}-{end}")["Body"]
                with file.open("ab") as stream:
                    stream.write(body.read())
                have = file.stat().st_size
        except OSError as error:
            raise Unavailable(f"{file} cannot be written ({error.strerror}).", mend="Make room there.") from error

    def upload(self, key: str, file: Path, progress_file: Path, on_part: OnPart | None = None) -> None:
        """Bring `file` there; `progress_file` remembers finished parts, so that a killed upload goes on after them.

        Raises
        ------
        Failure
            what the server has in the end is not the file
        """
        size = file.stat().st_size
        if self.sizes(key).get(key) == size and self._same(key, file):
            progress_file.unlink(missing_ok=True)
            return
        if size <= self._part_bytes:
            self.write(key, file.read_bytes())
        else:
            self._in_parts(key, file, progress_file, on_part)
        if self.sizes(key).get(key) != size or not self._same(key, file):
            raise Failure(f"{self.location}/{key} is not what was sent.", mend="Repeat the upload.")
        progress_file.unlink(missing_ok=True)

    def _in_parts(self, key: str, file: Path, progress_file: Path, on_part: OnPart | None) -> None:
        begun = self._begun(key, progress_file)
        done: dict[str, str] = begun["parts"]
        name, upload = self._prefix + key, begun["upload"]
        with file.open("rb") as stream:
            number = 0
            while content := stream.read(self._part_bytes):
                number += 1
                if str(number) in done:
                    continue
                answer = self._call(
                    "upload_part", Key=name, UploadId=upload, PartNumber=number, Body=content, ContentMD5=_md5(content)
                )
                done[str(number)] = answer["ETag"]
                _save(progress_file, begun)
                if on_part:
                    on_part(number)
        parts = [{"PartNumber": n, "ETag": done[str(n)]} for n in range(1, number + 1)]
        self._call("complete_multipart_upload", Key=name, UploadId=upload, MultipartUpload={"Parts": parts})

    def _begun(self, key: str, progress_file: Path) -> dict[str, Any]:
        try:
            begun: dict[str, Any] = json.loads(progress_file.read_text(encoding="utf-8"))
            if begun["key"] == key and begun["at"] == self.location:
                # the server may have given an old upload up
                self._call("list_parts", Key=self._prefix + key, UploadId=begun["upload"], MaxParts=1)
                return begun
        except (OSError, ValueError, KeyError, NotFound, Failure):
            log.info("the upload of %s begins anew", key)
        answer = self._call("create_multipart_upload", Key=self._prefix + key)
        begun = {"key": key, "at": self.location, "upload": answer["UploadId"], "parts": {}}
        _save(progress_file, begun)
        return begun

    def _same(self, key: str, file: Path) -> bool:
        """Whether the server's own checksum is the file's; servers that tell none we know are read back."""
        tag = str(self._call("head_object", Key=self._prefix + key)["ETag"]).strip('"')
        whole, parts, count = hashlib.md5(usedforsecurity=False), hashlib.md5(usedforsecurity=False), 0
        with file.open("rb") as stream:
            while content := stream.read(self._part_bytes):
                whole.update(content)
                parts.update(hashlib.md5(content, usedforsecurity=False).digest())
                count += 1
        if tag in (whole.hexdigest(), f"{parts.hexdigest()}-{count}"):
            return True
        there = hashlib.md5(usedforsecurity=False)
        for piece in self._call("get_object", Key=self._prefix + key)["Body"].iter_chunks(_PIECE):
            there.update(piece)
        return there.digest() == whole.digest()

    def _call(self, operation: str, **arguments: Any) -> Any:
        try:
            return getattr(self._s3, operation)(Bucket=self._bucket, **arguments)
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", ""))
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
            if code in _MISSING:
                raise NotFound(f"There is no {arguments.get('Key', 'such bucket')} at {self.location}.") from error
            if isinstance(status, int) and status >= 500:
                raise Unavailable(f"{self.location} failed ({code}).", mend="Try again later.") from error
            raise Failure(
                f"{self.location} refused {operation} ({code}).",
                mend="Check the bucket's name, AWS_ENDPOINT_URL_S3 and the S3 credentials.",
            ) from error
        except BotoCoreError as error:
            raise Unavailable(
                f"{self.location} does not answer ({type(error).__name__}).",
                mend="Check AWS_ENDPOINT_URL_S3 and the S3 credentials.",
            ) from error


def _md5(content: bytes) -> str:
    return base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode("ascii")


def _save(file: Path, document: dict[str, Any]) -> None:
    fresh = file.with_suffix(".new")
    fresh.write_text(json.dumps(document), encoding="utf-8")
    os.replace(fresh, file)
