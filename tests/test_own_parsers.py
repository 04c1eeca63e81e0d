"""Parsers of users: found in the data folder, on by themselves, and harmless where they are broken."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from neighbours.letters import a_letter, received
from tocsin import registry
from tocsin.app import build, load_config
from tocsin.errors import ConfigError
from tocsin.store import alertgroup, message

GOOD = '''
from pydantic import Field
from tocsin.model import Alertgroup
from tocsin.plugin import Parser


class Own(Parser):
    """Reads every mail of its word."""

    version = "7"
    order = 5
    word: str = Field({default}description="What the body holds.")

    def claims(self, message):
        return self.word.encode() in message.body

    def parse(self, message):
        yield Alertgroup.of_rows("own", [{{"word": self.word}}])
'''


@pytest.fixture
def plugins(data: Path) -> Iterator[Path]:
    """The folder of users' plug-ins; afterwards this process knows nothing of it."""
    folder = data / "plugins"
    folder.mkdir(parents=True)
    paths, modules = list(sys.path), set(sys.modules)
    yield folder
    sys.path[:] = paths
    for name in set(sys.modules) - modules:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(folder)):
            del sys.modules[name]


def write(folder: Path, name: str, text: str = "", default: str = 'default="magic", ') -> None:
    (folder / f"{name}.py").write_text(text or GOOD.format(default=default))


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_file_in_the_folder_is_a_parser_that_reads_mail_in_a_child(data: Path, plugins: Path, engine: str) -> None:
    write(plugins, "own_reads_mail")
    hub = build(load_config(data), data)
    try:
        stored = hub.intake.accept(received(a_letter("x", "the magic word")))
        kept = hub.store.read(lambda tx: message.get(tx, stored.message))
        group = hub.store.read(lambda tx: alertgroup.get(tx, stored.alertgroups[0]))
    finally:
        hub.stop()

    assert (kept.parser, kept.parser_version) == ("own_reads_mail", "7")
    assert (group.subject, group.columns) == ("own", ["word"])


def test_its_origin_is_its_file_and_it_can_be_set_and_turned_off(data: Path, plugins: Path) -> None:
    write(plugins, "own_with_options")
    found = registry.find(data)

    (own,) = [each for each in found.found() if each.name == "own_with_options"]
    assert (own.kind, own.origin, own.version) == ("parser", "plugins/own_with_options.py", "7")
    assert "own_with_options" in found.wire({}, {})[0].parsers
    other, _ = found.wire({"parsers": {"own_with_options": {"word": "hocus"}}}, {})
    assert other.parsers["own_with_options"].model_dump() == {"word": "hocus"}
    off, _ = found.wire({"parsers": {"own_with_options": {"enabled": False}}}, {})
    assert "own_with_options" not in off.parsers


def test_one_that_needs_an_option_waits_for_its_table(data: Path, plugins: Path) -> None:
    write(plugins, "own_needs_a_word", default="")
    found = registry.find(data)

    assert "own_needs_a_word" not in found.wire({}, {})[0].parsers
    wiring, problems = found.wire({"parsers": {"own_needs_a_word": {"word": "hocus"}}}, {})
    assert not problems
    assert "own_needs_a_word" in wiring.parsers


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("own_unfinished", "def f(:\n", "mend it, line 1: SyntaxError"),
        ("own_misses_it", "\n\nimport nothing_of_this_name\n", "mend it, line 3: ModuleNotFoundError"),
        ("own_leaves", "import sys\nsys.exit(3)\n", "mend it, line 2: SystemExit: 3"),
        ("own_empty", "x = 1\n", "holds no complete subclass of tocsin.plugin.Parser"),
        ("own_half", GOOD.format(default='default="", ').replace("def parse", "def pars"), "holds no complete"),
        ("own_twins", GOOD.format(default='default="", ') + "\n\nclass Twin(Own):\n    pass\n", "several (Own, Twin)"),
        ("json", "x = 1\n", "rename it: there is a module 'json' already"),
        ("own-dash", "x = 1\n", "rename it: 'own-dash' cannot be the name"),
    ],
)
def test_a_broken_file_is_named_and_left_out(data: Path, plugins: Path, name: str, text: str, why: str) -> None:
    write(plugins, name, text)
    write(plugins, f"own_good_beside_{name.replace('-', '_')}")
    found = registry.find(data)

    ((_, broken), said) = next(iter(found.broken.items()))
    assert broken == name
    assert f"plugins/{name}.py" in said
    assert why in said
    assert f"own_good_beside_{name.replace('-', '_')}" in found.wire({}, {})[0].parsers
    load_config(data)


def test_a_broken_file_that_is_configured_stops_the_start(data: Path, plugins: Path) -> None:
    write(plugins, "own_configured", "import nothing_of_this_name\n")
    (data / "tocsin.toml").write_text("[parsers.own_configured]\n")

    with pytest.raises(ConfigError, match=r"parsers\.own_configured\.type.*mend it, line 1"):
        load_config(data)


def test_a_file_may_not_take_the_name_of_a_parser_there_is(data: Path, plugins: Path) -> None:
    write(plugins, "scot")

    with pytest.raises(ConfigError, match=r"there is one of that name from tocsin .*; rename plugins/scot\.py"):
        registry.find(data)


def test_tests_and_hidden_files_are_no_plug_ins(data: Path, plugins: Path) -> None:
    for name in ("test_own", "_shared_by_own", "conftest"):
        write(plugins, name, "raise ZeroDivisionError\n")

    assert registry.find(data).broken == {}


def tocsin(*arguments: object) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).parent / "tocsin"
    return subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, check=False)


def test_a_new_parser_works_and_its_test_passes_with_plain_pytest(data: Path) -> None:
    made = tocsin("parser", "new", "acme_edr", "--data", data)
    assert made.returncode == 0, made.stderr
    folder = data / "plugins"
    assert sorted(path.name for path in folder.iterdir()) == ["acme_edr.eml", "acme_edr.py", "test_acme_edr.py"]

    tested = subprocess.run(
        [Path(sys.executable).parent / "pytest", "-q", "test_acme_edr.py"],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "3 passed" in tested.stdout, tested.stdout
    tried = tocsin("parser", "try", folder / "acme_edr.eml", "--data", data)
    assert tried.stdout.endswith("acme_edr would read it\n"), tried.stdout + tried.stderr
    asked = [
        line.split()[0] for line in tried.stdout.splitlines() if line.endswith("claims it") or " does not " in line
    ]
    assert asked.index("acme_edr") < asked.index("generic")
    listed = tocsin("plugins", "--data", data).stdout
    assert [line.split() for line in listed.splitlines() if "acme_edr" in line] == [
        ["parser", "acme_edr", "45", "plugins/acme_edr.py", "1", "acme_edr"]
    ]


@pytest.mark.parametrize("name", ["Acme", "1st", "class", "json", "scot", "test_me", "../x"])
def test_a_name_that_cannot_be_a_parsers_is_refused(data: Path, name: str) -> None:
    done = tocsin("parser", "new", name, "--data", data)

    assert done.returncode == 2, done.stdout
    assert "choose another name" in done.stderr or "cannot be a parser's name" in done.stderr
    assert not (data / "plugins").exists()


def test_what_is_there_is_not_written_over(data: Path, plugins: Path) -> None:
    (plugins / "fresh.eml").write_text("mine")
    done = tocsin("parser", "new", "fresh", "--data", data)

    assert (done.returncode, (plugins / "fresh.eml").read_text()) == (1, "mine")
    assert sorted(path.name for path in plugins.iterdir()) == ["fresh.eml"]


def test_trying_a_mail_that_nobody_claims_says_where_it_would_stand(tmp_path: Path) -> None:
    (tmp_path / "odd.txt").write_text("odd")
    done = tocsin("parser", "try", tmp_path / "odd.txt", "--parser", "scot")
    unknown = tocsin("parser", "try", tmp_path / "odd.txt", "--parser", "nobody")

    assert done.stdout.endswith("it would stand in quarantine: no parser claims it\n"), done.stdout + done.stderr
    assert (unknown.returncode, unknown.stderr) == (
        1,
        "tocsin: there is no parser 'nobody'; `tocsin plugins` lists them\n",
    )
