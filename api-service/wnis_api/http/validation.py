"""Input against its model: missing or malformed is one error, well-formed but wrong another, each with its field."""

from __future__ import annotations

from typing import Any, TypeVar

from flask import request
from pydantic import BaseModel, ValidationError
from wnis_core.errors import BadRequest, FieldProblem, InvalidValue, WnisError

M = TypeVar("M", bound=BaseModel)

_MALFORMED = frozenset({"missing", "json_invalid", "json_type", "model_type", "model_attributes_type", "dict_type"})
_SHOWN = 20


def validated_query(model: type[M]) -> M:
    """The query parameters as `model`.

    Raises
    ------
    BadRequest
        an unknown, repeated or missing parameter
    InvalidValue
        a wrong value
    """
    given: dict[str, str] = {}
    for name, values in request.args.lists():
        if len(values) > 1:
            raise BadRequest(
                f"The parameter {name[:60]!r} is given twice.", fields=[FieldProblem(name[:60], "repeated")]
            )
        given[name] = values[0]
    names = {field.alias or name for name, field in model.model_fields.items()}
    unknown = sorted(given.keys() - names)
    if unknown:
        raise BadRequest(
            f"Unknown query parameter: {', '.join(name[:60] for name in unknown[:_SHOWN])}.",
            mend=f"Known here: {', '.join(sorted(names)) or 'none'}.",
            fields=[FieldProblem(name[:60], "is not known") for name in unknown[:_SHOWN]],
        )
    for name, value in given.items():
        if "\0" in value or "�" in value:
            raise InvalidValue(
                f"The parameter {name} is not text.", fields=[FieldProblem(name, "must be UTF-8 text without NUL")]
            )
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise _refusal(error) from error


def validated_body(model: type[M]) -> M:
    """The JSON body as `model`; strict, so that ``"5"`` is no number. No body is an empty one."""
    optional = not any(field.is_required() for field in model.model_fields.values())
    if optional and not request.is_json and not request.get_data(cache=True):
        return model()
    if not request.is_json:
        raise BadRequest("The body is not JSON.", mend="Send Content-Type: application/json.")
    try:
        return model.model_validate_json(request.get_data(cache=True), strict=True)
    except ValidationError as error:
        raise _refusal(error) from error


def validated_form(model: type[M], files: tuple[str, ...]) -> M:
    """The fields of a multipart form as `model`; every file of `files` must be there."""
    if request.mimetype != "multipart/form-data":
        raise BadRequest("The body is not a form with a file.", mend="Send multipart/form-data.")
    missing = [name for name in files if name not in request.files]
    if missing:
        raise BadRequest(
            f"The form has no file {missing[0]!r}.", fields=[FieldProblem(name, "is required") for name in missing]
        )
    for name, values in request.form.lists():
        if len(values) > 1:
            raise BadRequest(f"The field {name[:60]!r} is given twice.", fields=[FieldProblem(name[:60], "repeated")])
    try:
        return model.model_validate(dict(request.form))
    except ValidationError as error:
        raise _refusal(error) from error


def _refusal(error: ValidationError) -> WnisError:
    faults = error.errors(include_url=False, include_context=False, include_input=False)
    fields = [FieldProblem(_where(fault["loc"]), fault["msg"]) for fault in faults[:_SHOWN]]
    malformed = any(fault["type"] in _MALFORMED for fault in faults)
    said = "; ".join(f"{field.field}: {field.message}" if field.field else field.message for field in fields[:5])
    return (BadRequest if malformed else InvalidValue)(f"{said}.".replace("..", "."), fields=fields)


def _where(location: tuple[Any, ...]) -> str:
    return ".".join(str(part)[:60] for part in location)
