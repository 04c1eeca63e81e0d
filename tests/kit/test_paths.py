"""Paths in options: relative ones stand in the data folder."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from tocsin.kit.paths import DataPath


class Options(BaseModel):
    model_config = ConfigDict(validate_default=True)

    path: DataPath = Path("alerts.json")


def test_a_relative_path_stands_in_the_data_folder() -> None:
    assert Options.model_validate({"path": "out/a.log"}, context={"data": Path("/srv/t")}).path == Path(
        "/srv/t/out/a.log"
    )


def test_a_default_path_stands_in_the_data_folder_too() -> None:
    assert Options.model_validate({}, context={"data": Path("/srv/t")}).path == Path("/srv/t/alerts.json")


def test_an_absolute_path_stays() -> None:
    assert Options.model_validate({"path": "/var/a.log"}, context={"data": Path("/srv/t")}).path == Path("/var/a.log")


def test_without_a_data_folder_the_path_is_left_as_it_is() -> None:
    assert Options().path == Path("alerts.json")
