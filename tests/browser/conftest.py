"""A running Tocsin with a person who has signed in, and a watch over what the browser complains about."""

import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx2
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from neighbours.missing import missing
from neighbours.server import PATIENCE_S, Server, running_server

ROOT = Path(__file__).resolve().parent.parent.parent
PASSWORD = "a password for the tests"
WAIT_MS = 60_000
"""For whatever a page is to show, on a starving machine. Nobody asks here how fast it is."""
expect.set_options(timeout=WAIT_MS)


class Desk(NamedTuple):
    """A server, and how a sender and the pages reach it. One for each file of tests."""

    server: Server
    sender: httpx2.Client
    cookies: list[Any]

    @property
    def url(self) -> str:
        """The address without a trailing slash."""
        return self.server.base_url

    def post(self, **fields: Any) -> int:
        """Post an alertgroup with defaults for what is not given; its id."""
        group = {"subject": "Beacon to evil.example", "data": [{"src": "10.0.0.1"}, {"src": "10.0.0.2"}]} | fields
        answer = self.sender.post("/scot/api/v2/alertgroup", json=group)
        assert answer.status_code == 200, answer.text
        number: int = answer.json()["id"]
        return number

    def counts(self, group: int) -> tuple[int, int]:
        """How many alerts of a group are open and closed, as the API says."""
        with self.server.client("viewer") as client:
            known = client.get(f"/api/v2/alertgroup/{group}").json()
        return known["open_count"], known["closed_count"]

    def indexed(self, query: str, n: int) -> None:
        """Wait until a query finds so many: what was posted is found by its words a moment later."""
        until = time.monotonic() + WAIT_MS / 1000
        with self.server.client("viewer") as client:
            while client.get("/api/v2/alertgroup", params={"q": query}).json()["totalRecordCount"] < n:
                assert time.monotonic() < until, f"{query} did not find {n}"
                time.sleep(0.05)


@pytest.fixture(scope="module")
def configuration() -> str:
    """`tocsin.toml`; a file of tests that needs another overrides it."""
    return ""


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, configuration: str) -> Iterator[Desk]:
    """A server on SQLite: what a browser shows does not depend on the engine."""
    with running_server(tmp_path_factory.mktemp("desk") / "data", configuration=configuration) as server:
        printed = re.search(r"password\s+(\S+)", server.log.read_text())
        assert printed, server.last_words()
        form = {"name": "admin", "password": printed[1]}
        answer = httpx2.post(f"{server.base_url}/sign-in", data=form, trust_env=False, timeout=PATIENCE_S)
        name, _, value = answer.headers["set-cookie"].partition(";")[0].partition("=")
        cookies = [{"name": name, "value": value, "url": server.base_url}]
        with server.client("sender") as sender:
            yield Desk(server, sender, cookies)


class Complaints:
    """What a page complained about: its console, uncaught errors, dialogs, and answers of 500 and more."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def watch(self, page: Page) -> None:
        """Listen to a page."""
        page.on("console", lambda said: self._note(said.type in ("error", "warning"), f"console: {said.text}"))
        page.on("pageerror", lambda error: self._note(True, f"uncaught: {error}"))
        page.on("response", lambda answer: self._note(answer.status >= 500, f"{answer.status} {answer.url}"))

        def dialog(box: Any) -> None:
            self._note(True, f"dialog: {box.message}")
            box.dismiss()

        page.on("dialog", dialog)

    def _note(self, bad: bool, words: str) -> None:
        if bad:
            self.heard.append(words)


Open = Callable[..., Page]


@pytest.fixture
def open_page(browser: Browser, desk: Desk) -> Iterator[Open]:
    """Opens a tab of the signed-in person: `open_page("/alerts", color_scheme="dark")`. Complaints fail the test."""
    contexts: list[BrowserContext] = []
    complaints = Complaints()

    def opened(path: str, *, signed_in: bool = True, **options: Any) -> Page:
        context = browser.new_context(base_url=desk.url, **({"viewport": {"width": 1440, "height": 900}} | options))
        contexts.append(context)
        if signed_in:
            context.add_cookies(desk.cookies)
        context.set_default_timeout(WAIT_MS)
        page = context.new_page()
        complaints.watch(page)
        page.goto(path)
        if options.get("java_script_enabled", True) and signed_in:
            page.wait_for_selector("#live.on")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints.heard == []


@pytest.fixture(scope="session")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The script of axe-core, from the packages that package-lock.json pins."""
    script = ROOT / "node_modules" / "axe-core" / "axe.min.js"
    if not script.exists():
        npm = shutil.which("npm")
        if npm is None:
            missing("axe-core", "install npm, or run `npm ci`")
        folder = tmp_path_factory.mktemp("npm")
        for name in ("package.json", "package-lock.json"):
            shutil.copy(ROOT / name, folder)
        command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        script = folder / "node_modules" / "axe-core" / "axe.min.js"
    return script.read_text()
