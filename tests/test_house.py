"""The rules of the house that ruff, mypy and import-linter do not know. Each names every offender at once."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "tocsin"
ROOMS = ("src", "tests", "tools", "examples", "benchmarks")

LONGEST_FILE = 400
LONGEST_TEST_FILE = 600  # tests are read one at a time
LONGEST_FUNCTION = 60
LONGEST = {"parsers": 120, "destinations": 100}
LONGEST_CONTRACT = 80

FORBIDDEN_WORD = re.compile(
    r"(^|_)(utils?|helpers?|common|base|misc)(_|$)|(Manager|Handler|Service|Helper|Utils?|Base)$"
)
MAY_CATCH_EVERYTHING = {
    "intake": "what a parser raises becomes a message in quarantine",
    "delivery": "what a destination raises becomes a receipt",
    "indexing": "what cannot be read is indexed without its entities, and waits for nobody",
    "store/engine": "what the writer thread catches is raised again in the thread that waits for it",
}
INLINE = re.compile(
    r"<style\b|\sstyle\s*=|\son[a-z]+\s*=|javascript:|<script\b(?![^>]*\bsrc\s*=)|\|\s*safe\b|\bautoescape\s+false\b",
    re.IGNORECASE,
)
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b|\braise NotImplementedError\b")
SILENCED = re.compile(r"#\s*(?:type: ignore|noqa|pragma: no cover)(.*)$")


def python_files(*rooms: str) -> list[Path]:
    return sorted(path for room in rooms for path in (ROOT / room).rglob("*.py") if "node_modules" not in path.parts)


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), str(path))


def place(path: Path, line: int = 0) -> str:
    return f"{path.relative_to(ROOT)}:{line}" if line else str(path.relative_to(ROOT))


def length(path: Path) -> int:
    return len(path.read_text().splitlines())


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree(path)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def test_no_file_is_longer_than_one_can_hold_in_mind() -> None:
    scripts = [path for path in (SOURCE / "web").rglob("*.js") if "vendor" not in path.parts]
    long = {
        place(path): length(path)
        for path in [*python_files(*ROOMS), *scripts]
        if length(path) > (LONGEST_TEST_FILE if path.is_relative_to(ROOT / "tests") else LONGEST_FILE)
    }

    assert long == {}


def test_no_function_is_longer_than_a_screen() -> None:
    long = [
        f"{place(path, node.lineno)} {node.name}: {lines}"
        for path in python_files(*ROOMS)
        for node in functions(path)
        if (lines := (node.end_lineno or node.lineno) - node.lineno + 1) > LONGEST_FUNCTION
    ]

    assert not long, "\n".join(long)


@pytest.mark.parametrize("room", LONGEST)
def test_a_plug_in_stays_small(room: str) -> None:
    long = {place(path): length(path) for path in (SOURCE / room).rglob("*.py") if length(path) > LONGEST[room]}

    assert long == {}


def test_the_contract_of_a_plug_in_fits_on_one_screen() -> None:
    assert length(SOURCE / "plugin.py") <= LONGEST_CONTRACT


def test_nothing_is_called_by_a_word_that_says_nothing() -> None:
    offenders = [
        place(path)
        for room in ROOMS
        for path in (ROOT / room).rglob("*")
        if "node_modules" not in path.parts and "vendor" not in path.parts and FORBIDDEN_WORD.search(path.stem)
    ]
    for path in python_files(*ROOMS):
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                # `base_url` and the like say of what; a bare word does not.
                said = (
                    node.name if isinstance(node, ast.ClassDef) else f"{node.name}$" * (node.name in {"base", "common"})
                )
                if FORBIDDEN_WORD.search(said) or re.search(r"(^|_)(utils?|helpers?|misc)(_|$)", node.name):
                    offenders.append(f"{place(path, node.lineno)} {node.name}")

    assert not offenders, "\n".join(offenders)


def test_everything_is_caught_only_where_it_is_handed_on() -> None:
    offenders = []
    for path in python_files("src"):
        room = path.relative_to(SOURCE).with_suffix("")
        if any(room.is_relative_to(allowed) for allowed in MAY_CATCH_EVERYTHING):
            continue
        for node in ast.walk(tree(path)):
            if not isinstance(node, ast.ExceptHandler):
                continue
            caught = {name.id for name in ast.walk(node.type) if isinstance(name, ast.Name)} if node.type else {"all"}
            raises_again = isinstance(node.body[-1], ast.Raise) and node.body[-1].exc is None
            if caught & {"Exception", "BaseException", "all"} and not raises_again:
                offenders.append(place(path, node.lineno))

    assert not offenders, "\n".join(offenders)


def test_only_the_configuration_reads_the_environment() -> None:
    reading = re.compile(r"\bos\.(environ|getenv)\b|\bfrom os import .*\b(environ|getenv)\b")
    offenders = [
        place(path, number)
        for path in python_files("src")
        if path != SOURCE / "config" / "__init__.py"
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if reading.search(line)
    ]

    assert not offenders, "\n".join(offenders)


def test_async_ends_at_the_door() -> None:
    offenders = [
        place(path)
        for path in python_files("src")
        if not {"web", "cli"} & set(path.relative_to(SOURCE).parts)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.AsyncFunctionDef | ast.Await)
        or (isinstance(node, ast.Import) and any(name.name.partition(".")[0] == "asyncio" for name in node.names))
    ]

    assert not offenders, "\n".join(offenders)


def test_one_sqlite_in_the_process() -> None:
    offenders = [
        place(path, number)
        for path in python_files("src")
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if re.match(r"\s*(import|from) sqlite3\b", line)
    ]

    assert not offenders, "\n".join(offenders)


def test_templates_hold_no_script_no_style_and_trust_no_text() -> None:
    offenders = [
        f"{place(path, number)} {found.group().strip()}"
        for path in sorted((SOURCE / "web").rglob("*.html"))
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if (found := INLINE.search(line))
    ]

    assert not offenders, "\n".join(offenders)


def test_nothing_is_left_unfinished() -> None:
    offenders = [
        place(path, number)
        for path in python_files(*ROOMS)
        if path != Path(__file__)
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if UNFINISHED.search(line)
    ]

    assert not offenders, "\n".join(offenders)


def test_a_silenced_warning_says_which_and_why() -> None:
    offenders = [
        place(path, number)
        for path in python_files(*ROOMS)
        if path != Path(__file__)
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if (found := SILENCED.search(line))
        and not re.match(r"(\[[\w, -]+\]|: [A-Z]+\d+).*(#|–|—|-) ?\w+", found.group(1))
    ]

    assert not offenders, "\n".join(offenders)


def test_every_test_can_fail() -> None:
    offenders = []
    for path in python_files("tests"):
        if not path.name.startswith("test_"):
            continue
        tests = [node for node in functions(path) if node.name.startswith("test_")]
        if not tests and not any(
            "StateMachine" in line or "TestCase" in line for line in path.read_text().splitlines()
        ):
            offenders.append(f"{place(path)}: no test")
        offenders += [f"{place(path, test.lineno)} {test.name}" for test in tests if not _asserts(test)]

    assert not offenders, "\n".join(offenders)


def test_tests_are_named_by_sentences() -> None:
    offenders = [
        f"{place(path, node.lineno)} {node.name}"
        for path in python_files("tests")
        if path.name.startswith("test_")
        for node in functions(path)
        if node.name.startswith("test_") and node.name.count("_") < 3
    ]

    assert not offenders, "\n".join(offenders)


@pytest.mark.parametrize("room", ["sources", "parsers", "destinations"])
def test_every_plug_in_has_its_test(room: str) -> None:
    plugins = {path.stem for path in (SOURCE / room).iterdir() if not path.name.startswith(("_", "."))}
    tested = {path.stem.removeprefix("test_") for path in (ROOT / "tests" / room).glob("test_*.py")}

    assert plugins - tested == set()


def _asserts(test: ast.AST) -> bool:
    """Whether it asserts, expects an exception, or hands over to a function whose name says that it checks."""
    for node in ast.walk(test):
        if isinstance(node, ast.Assert):
            return True
        if isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called in {"raises", "fail"} or re.search("assert|check|validate|expect", called):
                return True
    return False
