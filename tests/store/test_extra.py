"""The driver of PostgreSQL is an extra; who lacks it is told what to install, and all else works."""

import subprocess
import sys
from pathlib import Path

PROGRAM = """
import sys
sys.modules["psycopg"] = None
sys.modules["psycopg_pool"] = None
from pathlib import Path
from tocsin.errors import StoreUnavailable
from tocsin.store import open_store
open_store("sqlite", Path({folder!r})).close()
try:
    open_store("postgresql:///x", Path({folder!r}))
except StoreUnavailable as error:
    print(error)
"""


def test_without_the_driver_sqlite_works_and_postgres_says_what_to_install(tmp_path: Path) -> None:
    program = PROGRAM.format(folder=str(tmp_path))
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)

    assert ran.returncode == 0, ran.stderr
    assert "pip install 'tocsin[postgres]'" in ran.stdout
