"""What pydantic found wrong with options, as `Problem`s: file, key, value, remedy. Secrets are masked."""

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import Any, get_args, get_origin

from pydantic import BaseModel, SecretStr, ValidationError

from tocsin.errors import Problem

MASK = "********"
LONGEST_SHOWN = 80
CREDENTIALS = re.compile(r"//[^/@\s]+@")
TELLING = re.compile(r"pass|secret|token|key|auth|credential", re.IGNORECASE)
WORDS = {
    "Input should be a valid dictionary": "must be a table",
    "Input should be ": "must be ",
    "String should ": "must ",
    "List should ": "must ",
    "Value error, ": "",
}


def problems_of(error: ValidationError, model: type[BaseModel], given: Any, file: str, table: str) -> list[Problem]:
    """Every error pydantic found in `given`, the options that stand in `table` (`""` = the whole file) of `file`."""
    return [_problem(found, model, given, file, table) for found in error.errors(include_url=False)]


def nearest(name: str, known: Iterable[str]) -> str:
    """The known name that was probably meant, as the rest of a sentence; all of them when none is near."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    if near:
        return f"did you mean {near[0]}?"
    return f"known are: {', '.join(names)}" if names else "there are none"


def shown(value: object) -> str:
    """A value as TOML would write it, on one short line, without the credentials of an URL."""
    if isinstance(value, Mapping):
        return "{…}"
    if isinstance(value, list):
        value = f"[{', '.join(map(shown, value))}]"
        return value if len(value) <= LONGEST_SHOWN else "[…]"
    if isinstance(value, bool):
        return str(value).lower()
    text = f'"{value}"' if isinstance(value, str) else str(value)
    text = CREDENTIALS.sub("//…@", text.replace("\n", "\\n"))
    return text if len(text) <= LONGEST_SHOWN else text[: LONGEST_SHOWN - 1] + "…"


def _problem(found: Any, model: type[BaseModel], given: Any, file: str, table: str) -> Problem:
    place: tuple[int | str, ...] = tuple(part for part in found["loc"] if part != "[key]")
    key = ".".join(part for part in (table, *map(str, place)) if part)
    holder, annotation = _descend(model, place)
    match found["type"]:
        case "missing":
            return Problem(file, key, "", f"is required: {_description(holder, str(place[-1]))}")
        case "extra_forbidden":
            telling = _holds_secrets(holder) or TELLING.search(str(place[-1]))
            value = MASK if telling else shown(_at(given, place))
            offer = nearest(str(place[-1]), holder.model_fields) if holder.model_fields else "it takes none"
            return Problem(file, key, value, f"unknown key; {offer}")
        case kind if kind.startswith("secret_"):
            return Problem(file, key, found.get("ctx", {}).get("given", MASK), found["msg"])
    message = found["msg"]
    for theirs, ours in WORDS.items():
        message = message.replace(theirs, ours)
    refused = _at(given, place)
    text_for_table = isinstance(refused, str) and found["type"] in ("dict_type", "model_type")
    value = MASK if text_for_table or _secretive(annotation) else shown(refused)
    return Problem(file, key, value, message)


def _descend(model: type[BaseModel], place: tuple[int | str, ...]) -> tuple[type[BaseModel], Any]:
    """The innermost model on the way to `place`, and the type that was asked for there."""
    annotation: Any = model
    for part in place:
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            field = annotation.model_fields.get(str(part))
            if field is None:
                return annotation, annotation
            model, annotation = annotation, _given_form(field.annotation)
        elif get_origin(annotation) is dict:
            annotation = get_args(annotation)[1]
    return model, annotation


def _given_form(annotation: Any) -> Any:
    """The model of a table that may be left out; any other type as it is."""
    models = [each for each in get_args(annotation) if isinstance(each, type) and issubclass(each, BaseModel)]
    return models[0] if len(models) == 1 and type(None) in get_args(annotation) else annotation


def _secretive(annotation: Any) -> bool:
    """Whether a value of this type may hold a secret."""
    if isinstance(annotation, type):
        if issubclass(annotation, SecretStr):
            return True
        if issubclass(annotation, BaseModel):
            return any(_secretive(field.annotation) for field in annotation.model_fields.values())
    return any(_secretive(argument) for argument in get_args(annotation))


def _holds_secrets(model: type[BaseModel]) -> bool:
    """Whether one of the model's own fields may hold a secret, so that a mistyped key may hold one too."""
    annotations = [field.annotation for field in model.model_fields.values()]
    return any(_secretive(each) for each in annotations if not (isinstance(each, type) and issubclass(each, BaseModel)))


def _description(model: type[BaseModel], name: str) -> str:
    field = model.model_fields.get(name)
    return (field.description if field else None) or "give it a value"


def _at(given: Any, place: tuple[int | str, ...]) -> Any:
    for part in place:
        try:
            given = given[part]
        except (LookupError, TypeError):
            break
    return given
