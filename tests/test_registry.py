"""The registry: one door for ours and strangers', every problem named, nothing broken by a broken stranger."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import Field

from tocsin.errors import ConfigError, Problem
from tocsin.kit.paths import DataPath
from tocsin.kit.secrets import Secret
from tocsin.model import TLP, Delivery, Receipt
from tocsin.plugin import Destination
from tocsin.registry import Kind, Registry, find

STRANGER = '''
from tocsin.model import Receipt
from tocsin.plugin import Destination


class Pigeon(Destination):
    """Carries alertgroups by air."""

    speed_kmh: int = 80

    def send(self, delivery):
        return Receipt()
'''


class Post(Destination):
    """Writes letters."""

    address: str = Field(description="Where to.")
    stamp: Secret = Field(default=Secret("none"), description="What it costs.")
    book: DataPath = Field(default=Path("book.txt"), description="Where letters are noted.")

    def send(self, delivery: Delivery) -> Receipt:
        """Nothing leaves."""
        return Receipt()


@pytest.fixture
def registry() -> Registry:
    made = Registry()
    made.add("destination", "post", Post, "letters", "1.2")
    return made


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder on sys.path into which packages can be put as an installer would."""
    folder = tmp_path / "site-packages"
    folder.mkdir()
    before = set(sys.modules)
    monkeypatch.syspath_prepend(str(folder))
    yield folder
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(folder)):
            del sys.modules[name]


def install(site: Path, package: str, code: str, points: str) -> None:
    (site / f"{package}.py").write_text(code, encoding="utf-8")
    info = site / f"{package}-3.1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 3.1\n", encoding="utf-8")
    (info / "entry_points.txt").write_text(points, encoding="utf-8")


def test_a_stranger_enters_by_its_entry_point(site: Path) -> None:
    install(site, "pigeonry", STRANGER, "[tocsin.destinations]\npigeon = pigeonry:Pigeon\n")

    registry = find()
    built = registry.build("destination", "roof", {"type": "pigeon", "speed_kmh": 90}, {})

    found = next(each for each in registry.found() if each.name == "pigeon")
    assert (found.kind, found.origin, found.version) == ("destination", "pigeonry", "3.1")
    assert isinstance(built, Destination)
    assert built.model_dump() == {"speed_kmh": 90}


def test_a_stranger_is_not_used_until_the_configuration_says_so(site: Path) -> None:
    install(site, "pigeonry", STRANGER, "[tocsin.destinations]\npigeon = pigeonry:Pigeon\n")

    quiet, _ = find().wire({}, {})
    asked, _ = find().wire({"destinations": {"pigeon": {}}}, {})

    assert "pigeon" not in quiet.destinations
    assert "pigeon" in asked.destinations


def test_two_strangers_of_one_name_stop_the_start_and_both_are_named(site: Path) -> None:
    install(site, "pigeonry", STRANGER, "[tocsin.destinations]\npigeon = pigeonry:Pigeon\n")
    install(site, "dovecote", STRANGER, "[tocsin.destinations]\npigeon = dovecote:Pigeon\n")

    with pytest.raises(ConfigError, match=r"two packages offer it, \w+ 3\.1 and \w+ 3\.1; uninstall one") as caught:
        find()

    assert all(name in str(caught.value) for name in ("pigeonry", "dovecote", "destination pigeon"))


@pytest.mark.parametrize(
    ("code", "point", "why"),
    [
        ("import not_there_at_all\n", "broken:Pigeon", "No module named 'not_there_at_all'"),
        ("def half(:\n", "broken:Pigeon", "SyntaxError"),
        ("raise RuntimeError('no licence')\n", "broken:Pigeon", "no licence"),
        ("1 / 0\n", "broken:Pigeon", "ZeroDivisionError"),
        ("x = 1\n", "broken:Pigeon", "AttributeError"),
    ],
)
def test_a_broken_stranger_is_named_when_used_and_harms_nobody_else(
    site: Path, code: str, point: str, why: str
) -> None:
    install(site, "broken", code, f"[tocsin.destinations]\npigeon = {point}\n")

    registry = find()
    wiring, problems = registry.wire({"destinations": {"roof": {"type": "pigeon"}}}, {"file": "tocsin.toml"})

    assert [(problem.file, problem.key, problem.value) for problem in problems] == [
        ("tocsin.toml", "destinations.roof.type", '"pigeon"')
    ]
    assert why in problems[0].remedy
    assert "broken 3.1" in problems[0].remedy
    assert why in registry.broken[Kind.DESTINATION, "pigeon"]
    assert "roof" not in wiring.destinations


@pytest.mark.parametrize("thing", [int, Destination, Path("x"), "text"])
def test_what_is_no_complete_plug_in_is_refused(registry: Registry, thing: object) -> None:
    with pytest.raises(ConfigError, match=r"must be one complete subclass of tocsin\.plugin\.Destination"):
        registry.add("destination", "thing", thing, "shop", "1")


def test_options_become_a_plug_in_with_the_data_folder_and_the_reader(registry: Registry, tmp_path: Path) -> None:
    class Reader:
        def env(self, name: str) -> str:
            return f"value of {name}"

        def file(self, name: str) -> str:
            raise FileNotFoundError

    options = {"type": "post", "address": "Brno", "stamp": {"env": "S"}, "clearance": "green", "enabled": True}
    built = registry.build("destination", "mail", options, {"data": tmp_path, "read": Reader()})

    assert isinstance(built, Post)
    assert (built.address, built.stamp.get_secret_value(), built.book) == ("Brno", "value of S", tmp_path / "book.txt")


def test_all_problems_of_all_tables_come_together(registry: Registry) -> None:
    tables: dict[str, dict[str, dict[str, object]]] = {
        "destinations": {
            "one": {"type": "post", "adress": "Brno"},
            "two": {"type": "pots", "address": "Brno"},
            "three": {"address": "Brno"},
            "four": {"type": "post", "address": 7, "clearance": "purple", "stamp": 12345},
            "five": {"type": ["post"]},
        },
        "sources": {"mail": {"type": "imap"}},
    }

    _, problems = registry.wire(tables, {"file": "tocsin.toml"})

    said = {problem.key: problem for problem in problems}
    assert said["destinations.one.address"].remedy == "is required: Where to."
    assert said["destinations.one.adress"].remedy == "unknown key; did you mean address?"
    assert said["destinations.two.type"].remedy == "there is no such type of destination; did you mean post?"
    assert said["destinations.three.type"].remedy == "is required: the type of destination; known are: post"
    assert said["destinations.four.address"].value == "7"
    assert said["destinations.four.clearance"].value == '"purple"'
    assert said["destinations.four.stamp"] == Problem(
        "tocsin.toml", "destinations.four.stamp", "********", 'give it as "text", { env = "NAME" } or { file = "path" }'
    )
    assert "destinations.five.type" in said
    assert said["sources.mail.type"].remedy == "there is no such type of source; there are none"


def test_a_table_without_a_type_takes_its_own_name(registry: Registry) -> None:
    wiring, problems = registry.wire({"destinations": {"post": {"address": "Brno"}}}, {})

    assert not problems
    assert isinstance(wiring.destinations["post"], Post)


def test_what_is_turned_off_is_left_out_whatever_else_it_says(registry: Registry) -> None:
    wiring, problems = registry.wire({"destinations": {"post": {"enabled": False, "adress": "Brno"}}}, {})

    assert not problems
    assert not wiring.destinations


def test_a_clearance_is_the_registrys_and_red_unless_said(registry: Registry) -> None:
    tables = {"a": {"type": "post", "address": "A"}, "b": {"type": "post", "address": "B", "clearance": "TLP:Amber"}}

    wiring, problems = registry.wire({"destinations": tables}, {})

    assert not problems
    assert wiring.clearances == {"a": TLP.RED, "b": TLP.AMBER}


def test_a_clearance_of_nothing_is_a_problem(registry: Registry) -> None:
    _, problems = registry.wire({"destinations": {"post": {"address": "A", "clearance": "unset"}}}, {})

    assert [problem.remedy for problem in problems] == ["must be clear, green, amber, amber+strict or red"]


def test_every_parser_of_ours_is_on_under_its_own_name_and_so_are_the_two_files(tmp_path: Path) -> None:
    registry = find()

    wiring, problems = registry.wire({}, {"data": tmp_path})

    assert not problems
    assert set(wiring.parsers) == {each.name for each in registry.found() if each.kind == "parser"}
    assert set(wiring.destinations) == {"idea_log", "text_log"}
    assert not wiring.sources


def test_a_default_destination_can_be_turned_off(tmp_path: Path) -> None:
    wiring, _ = find().wire({"destinations": {"idea_log": {"enabled": False}}}, {"data": tmp_path})

    assert set(wiring.destinations) == {"text_log"}


def test_every_option_of_every_plug_in_of_ours_is_described() -> None:
    undescribed = [
        f"{found.kind} {found.name}: {name}"
        for found in find().found()
        for name, field in found.plugin.model_fields.items()
        if not field.description
    ]

    assert not undescribed
