"""What others say of our STIX: the stix2 library, OASIS's validator and its pattern grammar."""

import importlib
import json
from functools import cache
from typing import Any

stix2: Any = importlib.import_module("stix2")
validator: Any = importlib.import_module("stix2validator")
patterns: Any = importlib.import_module("stix2patterns.validator")
inspector: Any = importlib.import_module("stix2patterns.v21.pattern")

NOT_OURS = "uuid-check,network-traffic-ports,protocols,extref-hashes"
"""What the validator recommends and we do otherwise: ids of version 5; ports only where known; protocols as the
detector names them; hashes of pages that change."""


@cache
def options() -> Any:
    return validator.ValidationOptions(version="2.1", disabled=NOT_OURS)


def complaints(bundle: bytes) -> list[str]:
    """Everything the validator finds, recommendations too."""
    result = validator.validate_string(bundle.decode(), options())
    results = result if isinstance(result, list) else [result]
    found = [str(one) for each in results for one in [*(each.errors or []), *(each.warnings or [])]]
    for each in results:
        for one in getattr(each, "object_results", []):
            found += [str(error) for error in [*(one.errors or []), *(one.warnings or [])]]
    return found


def read(bundle: bytes) -> list[dict[str, Any]]:
    """The objects of a bundle, each as the stix2 library reads and writes it again; it refuses what is wrong."""
    return [json.loads(stix2.parse(one, version="2.1").serialize()) for one in json.loads(bundle)["objects"]]


def wrong(pattern: str) -> list[str]:
    """What the pattern grammar finds wrong."""
    return [str(error) for error in patterns.run_validator(pattern, "2.1")]


def compared(pattern: str) -> list[tuple[str, Any, str, str]]:
    """Object type, path, operator and the literal as it is written, of every comparison."""
    found = inspector.Pattern(pattern).inspect().comparisons
    return [(type, *comparison) for type, comparisons in found.items() for comparison in comparisons]
