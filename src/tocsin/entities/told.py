"""What people tell in the configuration -> what `Known` takes: lists from files, and what is wrong with them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tocsin.entities.known import Known
from tocsin.errors import ConfigError

MOST_SAID = 3


def told(given: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of `Known`, from options of the same names and `string_files`: type -> file with one string a line.

    Raises OSError or UnicodeDecodeError for a file that cannot be read.
    """
    options = dict(given)
    files: Mapping[str, Path] = options.pop("string_files", {})
    strings = {
        line.strip(): type
        for type, path in files.items()
        for line in path.read_text(encoding="utf-8-sig").splitlines()
        if line.strip()
    }
    if files or "strings" in options:
        options["strings"] = strings | options.get("strings", {})
    if "patterns" in options:
        options["patterns"] = [(each.type, each.pattern) for each in options["patterns"]]
    return options


def fault(given: Mapping[str, Any]) -> str:
    """What is wrong with options that `told` takes, in a sentence; empty if nothing is."""
    try:
        Known(**told(given))
    except ConfigError as error:
        said = [f"{each.value}: {each.remedy}" for each in error.problems]
        more = f" (and {len(said) - MOST_SAID} more)" if len(said) > MOST_SAID else ""
        return "; ".join(said[:MOST_SAID]) + more
    except OSError as error:
        return f"{error.filename} cannot be read: {error.strerror}"
    except UnicodeDecodeError:
        return "a file of strings must be UTF-8"
    return ""
