"""The pipelines and templates of docs/logstash are written as Logstash reads them, and name what our documents hold."""

import ipaddress
import json
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from lark import Lark, Token, Tree, UnexpectedInput

from tocsin.formats.ecs import EcsForm
from tocsin.formats.idea import IdeaForm
from tocsin.model import TLP, Alert, Alertgroup, Delivery, Detection, Endpoint, Severity

FOLDER = Path(__file__).parent.parent / "docs" / "logstash"
PIPELINES = sorted(FOLDER.glob("*.conf"))
INPUTS = ["beats", "follow", "http"]
GRAMMAR = Lark(
    r"""
    start: section+
    section: KIND "{" plugin* "}"
    KIND: "input" | "filter" | "output"
    plugin: NAME "{" option* "}"
    option: NAME "=>" value
    ?value: STRING | NUMBER | plugin | NAME | array | hash
    array: "[" [value ("," value)*] "]"
    hash: "{" (STRING "=>" value)* "}"
    NAME: /[A-Za-z_][A-Za-z0-9_]*/
    STRING: /"[^"\n]*"/
    NUMBER: /[0-9]+/
    %ignore /\s+/
    %ignore /#[^\n]*/
    """,
    parser="earley",
)
"""As much of Logstash's configuration language as is used here."""
MACHINE = Endpoint(
    addresses=("192.0.2.7",), hostnames=("a.example",), ports=(23,), macs=("00:00:5e:00:53:23",),
    urls=("http://a.example/",), emails=("a@b.example",),
)  # fmt: skip
WHOLE = Detection(
    name="a scan", category="scan", description="A scan of everything.", severity=Severity.HIGH, confidence=0.9,
    detected=10**15, start=10**15, end=10**15, sources=(MACHINE,), targets=(MACHINE,), protocols=("tcp", "ssh"),
    flow_uids=("C1",),
)  # fmt: skip
GROUP = Alertgroup(
    subject="scans", alerts=tuple(Alert(json='{"a": 1}', uid=f"u{n}", detection=WHOLE) for n in range(2)),
    tags=("t",), sources=("suricata",), tlp=TLP.GREEN, id=7, uid="g", received=10**15,
)  # fmt: skip
SENT = Delivery(id=1, uid="d", alertgroup=GROUP)
RECALL = Delivery(id=2, uid="d2", alertgroup=GROUP, kind="recall", owed=10**15, reason="a mistake")


def documents(kind: str) -> list[dict[str, Any]]:
    """All that a document may hold, in a few of them."""
    if kind == "ecs":
        form = EcsForm("https://tocsin.example")
        return [json.loads(text) for each in (SENT, RECALL) for text in form.documents(each)]
    idea = IdeaForm()
    return [json.loads(line) for each in (SENT, RECALL) for line in idea.delivered(each).splitlines()]


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Fields with their values, those of lists each."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner, path)
    else:
        yield path, value


def mapped(properties: dict[str, Any], path: str = "") -> Iterator[tuple[str, str]]:
    """The fields of a template with their types."""
    for name, said in properties.items():
        inner = f"{path}.{name}" if path else name
        if "properties" in said:
            yield from mapped(said["properties"], inner)
        else:
            yield inner, said["type"]


def fits(type: str, value: Any) -> bool:
    """Whether Elasticsearch takes a value for a field of that type."""
    match type:
        case "keyword" | "match_only_text" | "wildcard":
            return isinstance(value, str)
        case "date":
            return datetime.fromisoformat(value).utcoffset() is not None
        case "ip":
            return bool(ipaddress.ip_address(value))
        case "long":
            return isinstance(value, int) and not isinstance(value, bool)
        case "float":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "boolean":
            return isinstance(value, bool)
    return False


def parsed(path: Path) -> Tree[Token]:
    return GRAMMAR.parse(path.read_text())


@pytest.mark.parametrize("path", PIPELINES, ids=lambda path: path.stem)
def test_every_pipeline_is_written_as_logstash_reads_it(path: Path) -> None:
    kinds = [str(section.children[0]) for section in parsed(path).find_data("section")]

    assert kinds == (["input", "filter"] if path.stem in INPUTS else ["output"])
    for plugin in parsed(path).find_data("plugin"):
        names = [str(option.children[0]) for option in plugin.children if isinstance(option, Tree)]
        assert len(names) == len(set(names)), "an option is said twice"


@pytest.mark.parametrize(
    "spoilt", ["input { beats { port => } }", "input { beats { port => 1 }", 'output { x { a => "b }']
)
def test_the_grammar_tells_what_is_not_balanced(spoilt: str) -> None:
    with pytest.raises(UnexpectedInput):
        GRAMMAR.parse(spoilt)


@pytest.mark.parametrize(("name", "kind"), [("beats", "ecs"), ("http", "ecs"), ("follow", "idea")])
def test_every_field_that_a_pipeline_reads_is_in_all_our_documents(name: str, kind: str) -> None:
    text = (FOLDER / f"{name}.conf").read_text()
    read = {found.replace("][", ".").strip("[]") for found in re.findall(r"%\{([^+}]+)\}", text)}
    read |= set(re.findall(r'match => \["(\w+)"', text))
    assert read

    for document in documents(kind):
        assert read <= {path for path, _ in leaves(document)}


@pytest.mark.parametrize("name", INPUTS)
def test_every_input_sets_what_the_outputs_ask_for(name: str) -> None:
    asked = {
        found
        for output in PIPELINES
        if output.stem not in INPUTS
        for found in re.findall(r"%\{(\[@metadata\]\[\w+\])\}", output.read_text())
    }
    added = set(re.findall(r'"(\[@metadata\]\[\w+\])" =>', (FOLDER / f"{name}.conf").read_text()))

    assert asked == added == {"[@metadata][id]", "[@metadata][index]"}


@pytest.mark.parametrize(("kind", "inputs"), [("ecs", ["beats", "http"]), ("idea", ["follow"])])
def test_every_template_fits_the_index_that_its_documents_go_to(kind: str, inputs: list[str]) -> None:
    template = json.loads((FOLDER / f"{kind}-template.json").read_text())
    (pattern,) = template["index_patterns"]

    for name in inputs:
        assert f'"[@metadata][index]" => "{pattern.rstrip("*")}"' in (FOLDER / f"{name}.conf").read_text()


@pytest.mark.parametrize("kind", ["ecs", "idea"])
def test_what_we_write_is_of_the_type_that_the_template_says(kind: str) -> None:
    template = json.loads((FOLDER / f"{kind}-template.json").read_text())
    types = dict(mapped(template["template"]["mappings"]["properties"]))
    found = [leaf for document in documents(kind) for leaf in leaves(document)]

    wrong = [(path, value) for path, value in found if path in types and not fits(types[path], value)]
    assert wrong == []
    if kind == "ecs":
        assert {path for path, _ in found} == set(types)
    else:  # @timestamp is Logstash's; of the rest some only come from others
        assert len({path for path, _ in found} & set(types)) > 25


def test_the_configurations_in_the_readme_are_good_ones() -> None:
    import tomllib

    from tocsin.destinations.logstash import Logstash

    told = re.findall(r"```toml\n(.*?)```", (FOLDER / "README.md").read_text(), re.DOTALL)
    made = []
    for text in told:
        table = tomllib.loads(text)["destinations"]["siem"]
        assert table.pop("type") == "logstash"
        if "password" in table:
            table["password"] = "from the environment"
        made.append(Logstash(**table).input)

    assert made == ["beats", "http"]
