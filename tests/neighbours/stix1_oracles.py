"""What others say of our STIX 1.2: MITRE's validator with the schemas of STIX and CybOX."""

import importlib
import io
from typing import Any

validator: Any = importlib.import_module("sdv")


def complaints(package: bytes) -> list[str]:
    """Everything that MITRE's schemas find wrong."""
    result = validator.validate_xml(io.BytesIO(package), version="1.2")
    return [] if result.is_valid else [str(error) for error in result.errors]
