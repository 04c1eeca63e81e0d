"""Build hook: wheels and source archives carry the browser packages, so that who installs one needs no npm."""

import importlib.util
import shutil
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class BrowserPackages(BuildHookInterface):
    """Fetches them before a wheel or a source archive is made; an editable install leaves that to `make setup`."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """The wheel that carries npm, where PATH has none."""
        return [] if shutil.which("npm") else [_fetcher().NPM_WHEEL]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Make `static/vendor/` complete."""
        if version != "editable" and (said := _fetcher().browser_packages(Path(self.root))):
            self.app.display_info(said)


def _fetcher() -> Any:
    path = Path(__file__).parent / "tools" / "browser_packages.py"
    spec = importlib.util.spec_from_file_location("browser_packages", path)
    assert spec is not None and spec.loader is not None, path
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
