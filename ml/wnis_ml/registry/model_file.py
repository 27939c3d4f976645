"""The format of a model file: one header line with a signature, then canonical JSON.

``wnis-model 1 <public key> <sha256 of the body> <Ed25519 signature of the body>``, all in hexadecimal. The body is
read only after its signature and hash were found right, and only as JSON: loading a model runs no code of the file's.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from wnis_core.errors import Failure, InvalidValue

_HEADER = re.compile(rb"wnis-model 1 ([0-9a-f]{64}) ([0-9a-f]{64}) ([0-9a-f]{128})")
_SIGNED_AS = b"wnis-model 1\n"
_MEND = "Train again (wnis train), or restore the file and the signing key from the backup."
LARGEST_BYTES = 64_000_000


class RefusedModel(Failure):
    """A model file that is not exactly what this installation signed."""

    def __init__(
        self,
        reason: str,
        mend: str = "Train again (wnis train), or restore the file and the signing key from the backup.",
    ) -> None:
        super().__init__(f"The model file was refused: {reason}.", mend=mend)


class Verifier:
    """Verifies model files of one key.

    Parameters
    ----------
    public : the raw Ed25519 public key
    """

    def __init__(self, public: bytes) -> None:
        self._public = public

    @property
    def fingerprint(self) -> str:
        """First 16 digits of the hash of the public key."""
        return hashlib.sha256(self._public).hexdigest()[:16]

    def open(self, content: bytes, sha256: str) -> dict[str, Any]:
        """The document of a model file whose hash is on record as `sha256`.

        Raises
        ------
        RefusedModel
            another file than the one on record, unsigned, signed by another key, or altered
        """
        if len(content) > LARGEST_BYTES:
            raise RefusedModel("it is larger than any model of ours")
        if hashlib.sha256(content).hexdigest() != sha256:
            raise RefusedModel("its hash is not the one on record")
        (public, body_sha256, signature), body = _parts(content)
        if bytes.fromhex(public) != self._public:
            raise RefusedModel("it is signed by a foreign key")
        try:
            Ed25519PublicKey.from_public_bytes(self._public).verify(bytes.fromhex(signature), _SIGNED_AS + body)
        except InvalidSignature as error:
            raise RefusedModel("its signature does not fit its content") from error
        if hashlib.sha256(body).hexdigest() != body_sha256:
            raise RefusedModel("its content does not fit its hash")
        document: dict[str, Any] = json.loads(body)
        return document


def signer_of(content: bytes) -> Verifier:
    """Who signed a model file, by its own word: what that key is worth is the caller's to say.

    Raises
    ------
    RefusedModel
        it is not signed
    """
    (public, _, _), _ = _parts(content)
    return Verifier(bytes.fromhex(public))


class Signer(Verifier):
    """Signs and verifies model files with one Ed25519 key.

    Parameters
    ----------
    seed_hex : the key's seed, 64 hexadecimal digits

    Raises
    ------
    InvalidValue
        it is missing or malformed
    """

    def __init__(self, seed_hex: str) -> None:
        if not re.fullmatch(r"[0-9a-fA-F]{64}", seed_hex):
            raise InvalidValue(
                "WNIS_SIGNING_KEY is missing or not 64 hexadecimal digits.",
                mend="Set WNIS_SIGNING_KEY to a random Ed25519 seed; wnis up makes one.",
            )
        self._private = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(seed_hex))
        super().__init__(self._private.public_key().public_bytes_raw())

    def seal(self, document: dict[str, Any]) -> bytes:
        """The model file of `document`; the same document gives the same bytes."""
        body = json.dumps(document, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()
        signature = self._private.sign(_SIGNED_AS + body)
        header = f"wnis-model 1 {self._public.hex()} {hashlib.sha256(body).hexdigest()} {signature.hex()}\n"
        return header.encode() + body


def _parts(content: bytes) -> tuple[tuple[str, str, str], bytes]:
    line, _, body = content.partition(b"\n")
    header = _HEADER.fullmatch(line)
    if header is None:
        raise RefusedModel("it is not signed")
    public, body_sha256, signature = (part.decode() for part in header.groups())
    return (public, body_sha256, signature), body
