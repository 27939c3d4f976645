"""Only a file that this installation signed, and that nobody touched, is a model."""

from __future__ import annotations

import hashlib
import secrets

import pytest
from wnis_core.errors import InvalidValue
from wnis_ml.registry.model_file import RefusedModel, Signer

DOCUMENT = {"format": "failure-hazard/1", "numbers": [0.1, 1e-12, 3]}


@pytest.fixture(scope="module")
def signer() -> Signer:
    return Signer(secrets.token_hex(32))


def _sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_a_sealed_document_is_read_back_and_sealing_is_repeatable(signer: Signer) -> None:
    content = signer.seal(DOCUMENT)
    assert signer.open(content, _sha(content)) == DOCUMENT
    assert signer.seal(DOCUMENT) == content


def test_an_altered_body_is_refused_even_with_its_own_hash(signer: Signer) -> None:
    content = signer.seal(DOCUMENT).replace(b"0.1", b"0.2")
    with pytest.raises(RefusedModel, match="signature"):
        signer.open(content, _sha(content))


def test_a_file_other_than_the_one_on_record_is_refused(signer: Signer) -> None:
    with pytest.raises(RefusedModel, match="hash"):
        signer.open(signer.seal({**DOCUMENT, "more": 1}), _sha(signer.seal(DOCUMENT)))


def test_a_foreign_signature_is_refused(signer: Signer) -> None:
    content = Signer(secrets.token_hex(32)).seal(DOCUMENT)
    with pytest.raises(RefusedModel, match="foreign"):
        signer.open(content, _sha(content))


@pytest.mark.parametrize("content", [b"", b"{}", b"\x80\x04pickle", b"wnis-model 1 ab cd ef\n{}", b"wnis-model 2\n"])
def test_an_unsigned_file_is_refused(signer: Signer, content: bytes) -> None:
    with pytest.raises(RefusedModel, match="not signed"):
        signer.open(content, _sha(content))


def test_a_foreign_header_on_our_body_is_refused(signer: Signer) -> None:
    _, _, body = signer.seal(DOCUMENT).partition(b"\n")
    header, _, _ = signer.seal({"other": 1}).partition(b"\n")
    content = header + b"\n" + body
    with pytest.raises(RefusedModel, match="signature"):
        signer.open(content, _sha(content))


@pytest.mark.parametrize("seed", ["", "ab", "z" * 64])
def test_a_signing_key_that_is_none_is_refused(seed: str) -> None:
    with pytest.raises(InvalidValue, match="WNIS_SIGNING_KEY"):
        Signer(seed)
