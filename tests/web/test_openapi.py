"""The description is true: schemathesis sends what it allows and what it forbids, and reads the answers by it."""

import warnings
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)

from tocsin.web.api.openapi import document
from tocsin.web.routes import API
from web.conftest import CONTROL, Caller

LASTING = ("/api/v2/live", "/api/v2/backup", "/api/v2/doctor", "/api/v2/user")
"""Streams, whole copies and argon2: looked at by tests of their own."""

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    negative_data_rejection,
]
THERE = {"id": 1, "name": "idea_log"}
"""What is there, so that good answers are read, too."""
UNHURRIED = list(HealthCheck)
OPERATIONS = [
    (method.upper(), path)
    for path, operations in document(API)["paths"].items()
    for method in operations
    if path not in LASTING and not path.startswith("/api/v2/user/")
]


def test_every_route_of_the_table_is_described() -> None:
    described = document(API)["paths"]

    for row in API:
        path = row.path.replace(":path}", "}")
        assert {method.lower() for method in row.methods} <= set(described[path]), path


def test_every_operation_has_its_own_name_and_says_who_may() -> None:
    operations = [one for methods in document(API)["paths"].values() for one in methods.values()]

    assert len({one["operationId"] for one in operations}) == len(operations)
    for one in operations:
        assert ("401" in one["responses"]) == bool(one["security"]) or one["operationId"] == "get_whoami"


def filled(admin: Caller) -> None:
    """Something to find: alertgroups, a key, a history."""
    for n in range(3):
        admin.post_group(tag=["a", "b"][:n], source=["s"], message_id=f"m{n}")
    admin.put("/api/v2/alertgroup/1", json={"status": "closed"})
    admin.get("/api/v2/alertgroup/1")


@pytest.mark.parametrize("engine", ["sqlite"])
@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_the_door_does_what_the_description_says(admin: Caller, engine: str, method: str, path: str) -> None:
    filled(admin)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # schemathesis warns about its own dependencies
        schema = schemathesis.openapi.from_asgi("/api/openapi.json", admin.application)
        operation = schema[path][method]

        cases = [operation.as_strategy(mode) for mode in GenerationMode]
        if named := {name: there for name, there in THERE.items() if f"{{{name}}}" in path}:
            cases.append(operation.as_strategy(GenerationMode.POSITIVE, path_parameters=named))

        @settings(max_examples=12, deadline=None, database=None, derandomize=True, suppress_health_check=UNHURRIED)
        @given(case=st.one_of(*cases))
        def sent(case: Any) -> None:
            case.call_and_validate(headers={"Authorization": f"Bearer {CONTROL}"}, checks=CHECKS)

        sent()
