"""Secrets of a home: generated once, kept in files that only the owner reads."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from wnis_core.secret_files import write_secret

SECRETS = {"WNIS_JWT_SECRET": "jwt", "WNIS_INTERNAL_SECRET": "internal", "WNIS_SIGNING_KEY": "signing-key"}
"""Environment variable -> name of its file. 32 random bytes in hexadecimal: the signing key is an Ed25519 seed."""


def ensure_secrets(folder: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """Make what is missing in `folder`; returns ``NAME_FILE`` variables for those not given by the environment."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.chmod(folder, 0o700)
    variables = {}
    for name, file_name in SECRETS.items():
        if environ.get(name) or environ.get(f"{name}_FILE"):
            continue
        file = folder / file_name
        if not file.is_file():
            write_secret(file, secrets.token_hex(32))
        variables[f"{name}_FILE"] = str(file)
    return variables
