"""`Secret`: an option whose value is never printed.

In `tocsin.toml` it is given in one of three forms:

    password = "as plain text"
    password = { env = "NAME" }             # the value of an environment variable
    password = { file = "slack.token" }     # the content of a file, relative to the data folder

The last two need a `Reader` under the key `read` of pydantic's validation context; `tocsin.config` supplies it.
"""

from collections.abc import Mapping
from typing import Any, Protocol

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, SecretStr, ValidationInfo
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

READ = "read"
"""The key of the validation context under which a `Reader` is found."""


class Reader(Protocol):
    """Fetches what a secret's table names."""

    def env(self, name: str) -> str:
        """The value of an environment variable. Raises LookupError when it is not set."""

    def file(self, name: str) -> str:
        """The text of a file, without the line end that closes it. Raises OSError or ValueError (not text)."""


class Secret(SecretStr):
    """A text that shows as asterisks in `repr`, errors and dumps; `get_secret_value()` gives it out."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: type[Any], handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.with_info_plain_validator_function(
            cls._given,
            serialization=core_schema.plain_serializer_function_ser_schema(str, when_used="json"),
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"type": "string", "format": "password", "writeOnly": True}

    @classmethod
    def _given(cls, value: object, info: ValidationInfo) -> "Secret":
        if isinstance(value, Secret):
            return value
        if isinstance(value, SecretStr):
            return cls(value.get_secret_value())
        if isinstance(value, str):
            return cls(value)
        if isinstance(value, Mapping) and len(value) == 1:
            where, name = next(iter(value.items()))
            if where in ("env", "file") and isinstance(name, str) and name:
                return cls(_fetched(where, name, (info.context or {}).get(READ)))
        raise PydanticCustomError("secret_form", 'give it as "text", { env = "NAME" } or { file = "path" }')


def _fetched(where: str, name: str, reader: Reader | None) -> str:
    """What the table names. The error says the name, which is no secret, and never the value."""
    if reader is None:
        raise PydanticCustomError("secret_unread", "environment variables and files cannot be read here")
    if where == "env":
        try:
            return reader.env(name)
        except LookupError:
            raise PydanticCustomError(
                "secret_env", "set the environment variable {name}", {"name": name, "given": f'{{ env = "{name}" }}'}
            ) from None
    given = f'{{ file = "{name}" }}'
    try:
        return reader.file(name)
    except OSError as error:
        why = error.strerror or type(error).__name__
    except ValueError:
        why = "not UTF-8 text"
    raise PydanticCustomError(
        "secret_file", "make the file {name} readable ({why})", {"name": name, "why": why, "given": given}
    )
