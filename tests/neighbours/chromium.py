"""The system's Chromium, driven by Playwright. Playwright's own browser downloads are never used."""

import os
import shutil


def chromium() -> str | None:
    """Where Chromium is, or None."""
    return os.environ.get("TOCSIN_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")


ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)
"""Root needs --no-sandbox; the rest keeps Chromium from calling home on a closed network."""
