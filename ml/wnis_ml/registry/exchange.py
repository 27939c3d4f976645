"""Models from one installation to another, or to a place where they are kept: signed files and a signed list of them.

A place (a folder or a bucket) holds ``NAME-VERSION.model`` for the current version of every model, exactly the file of
the registry, and ``models.wnis``, the list with each file's hash and the record that the version is shown with. The
list is sealed like a model and written last: without it nothing was exported.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from wnis_core.clock import iso, now
from wnis_core.errors import InvalidValue, NotFound
from wnis_core.objects import ObjectStore
from wnis_graph.repositories.models import ModelRepository, ModelVersion
from wnis_graph.scope import Scope

from wnis_ml.registry.model_file import RefusedModel, Signer, signer_of

LIST = "models.wnis"
_FORMAT = "wnis-models/1"
_DAYS = ("train_from", "train_to", "judged_from", "judged_to")
_RECORDED = (*_DAYS, "version", "data_sha256", "metrics_json", "seed")


@dataclass(frozen=True)
class Exchanged:
    """One model that was written to a place, or taken from it.

    Parameters
    ----------
    signer : fingerprint of the key that had signed it at the place
    """

    name: str
    version: str
    sha256: str
    bytes: int
    signer: str


@dataclass(frozen=True)
class _Verified:
    """A model of a place whose signature, hash and content were found right."""

    exchanged: Exchanged
    task: str
    record: dict[str, Any]
    content: bytes


class ModelExchange:
    """Exports and imports the models of one installation.

    Parameters
    ----------
    objects : the installation's own store
    signer : the installation's own key
    """

    def __init__(self, models: ModelRepository, objects: ObjectStore, signer: Signer) -> None:
        self._models = models
        self._objects = objects
        self._signer = signer

    def export_to(self, scope: Scope, place: ObjectStore) -> list[Exchanged]:
        """Write the current version of every model of a utility to `place`.

        Raises
        ------
        NotFound
            there is no model yet
        RefusedModel
            a file is missing, altered, or signed by another key
        """
        entries, written = [], []
        for model in self._models.list(scope):
            version = self._models.get_current(scope, model.name)
            if version is None:
                continue
            content = self._own_file(version)
            place.put(_file_name(version.model_name, version.version), content)
            written.append(
                Exchanged(model.name, version.version, version.sha256, len(content), self._signer.fingerprint)
            )
            entries.append({"name": model.name, "task": model.task, "sha256": version.sha256, **_record(version)})
        if not entries:
            raise NotFound(f"The utility {scope.utility} has no model.", mend="Train one with `wnis train`.")
        document = {"format": _FORMAT, "utility": scope.utility, "exported_at": iso(now()), "models": entries}
        place.put(LIST, self._signer.seal(document))
        return written

    def import_from(self, scope: Scope, place: ObjectStore, trusted: Collection[str] = ()) -> list[Exchanged]:
        """Make the models of `place` the current ones of a utility; all are verified before any is touched.

        A model of another installation is signed anew with the key of this one, which gives it a version of its own;
        its record says where it came from. Again changes nothing.

        Parameters
        ----------
        trusted : fingerprints of keys beside this installation's own whose models are accepted

        Raises
        ------
        NotFound
            nothing was exported to `place`
        RefusedModel
            the list or a file is missing, altered, unsigned, or signed by a key that is not trusted
        """
        return [self._registered(scope, one) for one in self._verified(place, trusted)]

    def _own_file(self, version: ModelVersion) -> bytes:
        try:
            content = self._objects.get(version.file_key)
        except NotFound as error:
            raise RefusedModel("it is missing from the object store") from error
        self._signer.open(content, version.sha256)
        return content

    def _verified(self, place: ObjectStore, trusted: Collection[str]) -> list[_Verified]:
        # here: what reads a model's content brings the libraries that train one
        from wnis_ml.failure.training import MODEL_NAME, FailureModel
        from wnis_ml.registry.model_registry import FORMAT

        try:
            sealed = place.get(LIST)
        except NotFound as error:
            raise NotFound(f"There is no {LIST}.", mend="Name a place that `wnis models export` wrote to.") from error
        signed_by = signer_of(sealed)
        if signed_by.fingerprint not in {self._signer.fingerprint, *trusted}:
            raise RefusedModel(
                f"it is signed by a foreign key, {signed_by.fingerprint}",
                mend="If these models are yours, name that key with --trust.",
            )
        listed = signed_by.open(sealed, hashlib.sha256(sealed).hexdigest())
        if listed.get("format") != _FORMAT:
            raise InvalidValue(f"{LIST} is no list of models of this format.", mend="Export again with this program.")
        found = []
        for entry in listed["models"]:
            name, version = str(entry["name"]), str(entry["version"])
            try:
                content = place.get(_file_name(name, version))
            except NotFound as error:
                raise RefusedModel(f"{_file_name(name, version)} is listed and missing") from error
            document = signed_by.open(content, entry["sha256"])
            if (document.get("format"), document.get("name"), name) != (FORMAT, MODEL_NAME, MODEL_NAME):
                raise RefusedModel(f"it is no {FORMAT} model called {MODEL_NAME}")
            FailureModel.from_document(document["model"])
            exchanged = Exchanged(name, version, entry["sha256"], len(content), signed_by.fingerprint)
            if signed_by.fingerprint != self._signer.fingerprint:
                content = self._signer.seal(document)
            found.append(_Verified(exchanged, str(entry["task"]), {key: entry[key] for key in _RECORDED}, content))
        return found

    def _registered(self, scope: Scope, one: _Verified) -> Exchanged:
        came, sha256 = one.exchanged, hashlib.sha256(one.content).hexdigest()
        record = {**one.record, **{day: _day(one.record[day]) for day in _DAYS}}
        if sha256 != came.sha256:
            day, _, _ = came.version.partition("-")
            record["version"] = f"{day}-{sha256[:12]}"
            origin = {"version": came.version, "sha256": came.sha256, "signer": came.signer}
            metrics = {**json.loads(record["metrics_json"]), "imported_from": origin}
            record["metrics_json"] = json.dumps(metrics, sort_keys=True)
        key = f"models/{came.name}/{sha256}.model"
        # the file first: a version in the graph always has its file
        self._objects.put(key, one.content)
        properties = {**record, "sha256": sha256, "file_key": key, "signer": self._signer.fingerprint}
        self._models.register(scope, came.name, one.task, properties, job_id=None)
        return Exchanged(came.name, record["version"], sha256, len(one.content), came.signer)


def _file_name(name: str, version: str) -> str:
    return f"{name}-{version}.model"


def _record(version: ModelVersion) -> dict[str, Any]:
    kept: Mapping[str, Any] = asdict(version)
    return {key: kept[key].isoformat() if isinstance(kept[key], date) else kept[key] for key in _RECORDED}


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
