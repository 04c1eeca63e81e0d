"""Makes `docs/alerts.png`, the picture in the README: the real page, with the sample alertgroups, in Chromium."""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
PORT = 8499
CHROMIUM = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update")


def main() -> None:
    """Start a first run in an empty folder, sign in, choose an alertgroup, take the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dark", action="store_true", help="the dark theme")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "alerts.png")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as data:
        command = [sys.executable, str(ROOT / "tools" / "first_run.py"), "--data", data, "--port", str(PORT)]
        run = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        try:
            picture(password_in(run), arguments.out, "dark" if arguments.dark else "light")
        finally:
            run.terminate()
            run.wait(60)


def password_in(run: "subprocess.Popen[str]") -> str:
    """The first password, once everything the first run has to say is said."""
    printed = ""
    assert run.stdout is not None
    while "Ctrl-C stops" not in printed:
        line = run.stdout.readline()
        if not line:
            sys.exit(f"the first run ended early:\n{printed}")
        printed += line
    found = re.search(r"password +(\S+)", printed)
    assert found is not None, printed
    return found[1]


def picture(password: str, out: Path, theme: str) -> None:
    """Sign in and take it."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=list(CHROMIUM))
        context = browser.new_context(
            viewport={"width": 1440, "height": 900}, color_scheme="dark" if theme == "dark" else "light"
        )
        page = context.new_page()
        page.goto(f"http://127.0.0.1:{PORT}/")
        sign_in(page, password)
        page.get_by_role("combobox", name="Search").fill("status:open and severity>=medium")
        page.keyboard.press("Enter")
        page.wait_for_url(re.compile("q="))
        page.get_by_text("FireEye MPS").first.click()
        page.wait_for_load_state("networkidle")
        page.wait_for_timeout(1000)
        page.screenshot(path=out)
        browser.close()
    print(f"wrote {out}")


def sign_in(page: Page, password: str) -> None:
    """Fill in the form of the sign-in page."""
    page.get_by_label("Name").fill("admin")
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name=re.compile("sign in", re.IGNORECASE)).click()
    page.wait_for_url(re.compile("^(?!.*sign-?in).*$"))


if __name__ == "__main__":
    main()
