"""What every test may ask for. The neighbours themselves stand in `tests/neighbours/`.

- `engine`: the url of a fresh store, once for SQLite and once for PostgreSQL
- `store`: that store, opened; `data`: its data folder
- `server`: a running Tocsin on either engine; `receiver`: an HTTP receiver that misbehaves on request
- `browser`, `page`: the system's Chromium
- `postgres`: the PostgreSQL shared by the whole run; tests that crash one use `running_postgres()`
"""

import fcntl
import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest

from neighbours.chromium import ARGUMENTS, chromium
from neighbours.missing import missing
from neighbours.postgres import Postgres, programs
from neighbours.receiver import Receiver, listening
from neighbours.server import Server, running_server
from tocsin.store import Store, open_store

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

RUN = "TOCSIN_TEST_RUN"
"""Names the run to its workers: the process id of the pytest the person started, and a folder they share."""

LAID_OUT = "laid_out"
"""In the PostgreSQL of the run: a database with the schema and nothing in it."""

hypothesis.settings.register_profile("tocsin", deadline=None, print_blob=True)
hypothesis.settings.load_profile("tocsin")


def pytest_configure(config: pytest.Config) -> None:
    """Name the run once, and let `timeout`'s SIGTERM end it with its fixtures cleaned up."""
    if not hasattr(config, "workerinput"):
        os.environ[RUN] = f"{os.getpid()}:{tempfile.gettempdir()}/tocsin-run-{os.getpid()}"
        # Containers often forbid bytecode: each of the many servers would compile every library, twice its start.
        if os.environ.pop("PYTHONDONTWRITEBYTECODE", ""):
            os.environ.setdefault("PYTHONPYCACHEPREFIX", str(config.rootpath / ".pytest_cache" / "bytecode"))
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first, so that no processor is left with one of them at the end."""
    items.sort(key=lambda item: item.get_closest_marker("loss") is None)


@pytest.fixture(scope="session")
def postgres() -> Postgres:
    """The PostgreSQL of this run, started by whoever asks first and stopped when the run is over."""
    if programs() is None:
        missing("PostgreSQL", "apt-get install postgresql")
    owner, _, name = os.environ[RUN].partition(":")
    with Path(f"{name}.lock").open("a+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.seek(0)
        folder = lock.read()
        if not folder:
            cluster = Postgres.create(fsync=False)
            cluster.start()
            cluster.watch(int(owner), Path(lock.name))
            folder = str(cluster.folder)
            _lay_out(cluster)
            lock.write(folder)
    return Postgres(Path(folder), fsync=False)


def _lay_out(cluster: Postgres) -> None:
    """Make a database with the schema, of which stores are copied: to make it anew was half of a short test's time."""
    cluster.create_database(LAID_OUT)
    with tempfile.TemporaryDirectory() as data:
        store = open_store(cluster.url(LAID_OUT), Path(data))
        store.write(lambda tx: tx.run("DELETE FROM hub"))  # every copy is a hub of its own
        store.close()


@pytest.fixture(params=["sqlite", "postgres"])
def engine(request: pytest.FixtureRequest) -> Iterator[str]:
    """The url of a fresh, empty store; the test runs once for each engine."""
    if request.param == "sqlite":
        yield "sqlite"
        return
    cluster: Postgres = request.getfixturevalue("postgres")
    database = cluster.new_database(like=LAID_OUT)
    yield cluster.url(database)
    cluster.drop(database)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The data folder of the store or server under test."""
    return tmp_path / "data"


@pytest.fixture
def store(engine: str, data: Path) -> Iterator[Store]:
    """A fresh store, opened, on each engine."""
    data.mkdir()
    store = open_store(engine, data)
    yield store
    store.close()


@pytest.fixture
def server(engine: str, data: Path) -> Iterator[Server]:
    """A running Tocsin on each engine, ready, with its own data folder."""
    with running_server(data, engine) as server:
        yield server


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """An HTTP receiver that says 200 until it is told otherwise."""
    with listening() as receiver:
        yield receiver


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    """The system's Chromium, headless. Not for the session: while Playwright runs, no other test may use asyncio."""
    program = chromium()
    if program is None:
        missing("Chromium", "apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture
def page(browser: "Browser") -> Iterator["Page"]:
    """A new tab in a profile of its own."""
    context = browser.new_context()
    yield context.new_page()
    context.close()
