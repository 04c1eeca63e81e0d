"""Secrets: three forms to give one, and no way to see it by accident."""

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tocsin.kit.secrets import Secret

HIDDEN = "correct horse battery staple"


class Reader:
    """Knows one variable and one file."""

    def env(self, name: str) -> str:
        return {"TOKEN": HIDDEN}[name]

    def file(self, name: str) -> str:
        if name == "latin1.txt":
            return b"\xff".decode()
        if name != "token.txt":
            raise FileNotFoundError(2, "No such file or directory", name)
        return HIDDEN


class Options(BaseModel):
    model_config = ConfigDict(hide_input_in_errors=True, validate_default=True)

    token: Secret = Field(default=Secret("none"), description="A token.")


def given(value: object, reader: object = None) -> Options:
    return Options.model_validate({"token": value}, context={"read": reader})


@pytest.mark.parametrize("value", [HIDDEN, {"env": "TOKEN"}, {"file": "token.txt"}, Secret(HIDDEN)])
def test_every_form_gives_the_same_secret(value: object) -> None:
    assert given(value, Reader()).token.get_secret_value() == HIDDEN


def test_a_default_is_a_secret_too() -> None:
    assert Options().token.get_secret_value() == "none"


def test_a_secret_is_in_no_repr_and_no_dump() -> None:
    options = given(HIDDEN)

    shown = [repr(options), str(options), str(options.model_dump()), options.model_dump_json(), f"{options.token}"]

    assert not [text for text in shown if HIDDEN in text]


def test_an_unset_variable_is_named() -> None:
    with pytest.raises(ValidationError, match="set the environment variable NOT_SET"):
        given({"env": "NOT_SET"}, Reader())


def test_a_missing_file_is_named_with_the_reason() -> None:
    with pytest.raises(ValidationError, match=r"nowhere\.txt readable \(No such file or directory\)"):
        given({"file": "nowhere.txt"}, Reader())


def test_a_file_that_is_not_text_is_an_error_and_no_crash() -> None:
    with pytest.raises(ValidationError, match="not UTF-8 text"):
        given({"file": "latin1.txt"}, Reader())


@pytest.mark.parametrize(
    "value", [7, None, [HIDDEN], {}, {"env": "A", "file": "b"}, {"environment": HIDDEN}, {"env": 3}]
)
def test_another_form_is_refused_without_printing_it(value: object) -> None:
    with pytest.raises(ValidationError, match="give it as") as caught:
        given(value, Reader())

    assert HIDDEN not in str(caught.value)


def test_a_table_needs_a_reader() -> None:
    with pytest.raises(ValidationError, match="cannot be read here"):
        Options.model_validate({"token": {"env": "TOKEN"}})


def test_the_schema_of_a_secret_is_a_password_field() -> None:
    assert Options.model_json_schema()["properties"]["token"]["format"] == "password"
