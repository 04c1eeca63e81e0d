"""Slips' labelled flows: the section `[flows]` that writes what Slips' `slips.yaml` asked for."""

from pathlib import Path
from typing import Any

from tocsin.cli.migrate.slips_keys import Keys
from tocsin.cli.migrate.written import value_of
from tocsin.flows import engine

PARAMETERS = "parameters"
ZEEK = "zeek_files"
"""Where Slips has Zeek write, in its output folder."""
MALICIOUS, BENIGN = "malicious", "benign"
LONGEST_S = 366 * 86_400.0


def flows(keys: Keys, output: Path | None) -> list[str]:
    """Lines of TOML: none where Slips was not to export its flows."""
    asked = keys.get(PARAMETERS, "export_labeled_flows", False, "export_labeled_flows of [flows] where true")
    wanted = asked is True or str(asked).strip().lower() == "true"
    said = "{} of [flows]" if wanted else "not needed: export_labeled_flows is not true"
    form = _form(str(keys.get(PARAMETERS, "export_format", "json", said.format("export_formats"))))
    width = keys.number(PARAMETERS, "time_window_width", 3600, _of_width(said, wanted))
    both = str(keys.get(PARAMETERS, "analysis_direction", "out", _of_direction(wanted))).strip().lower() == "all"
    label = str(keys.get(PARAMETERS, "label", "unknown", _of_label(said, wanted=wanted, both=both))).strip()
    if not wanted:
        return []
    options: dict[str, Any] = {}
    if output is not None:
        options["follow"] = [str(output.resolve() / ZEEK)]
        options["export_to"] = str(output.resolve())
    options |= {"export_labeled_flows": True, "export_formats": [form]}
    if keys.tree.get(PARAMETERS, {}).get("time_window_width") == "only_one_tw":
        width = LONGEST_S
    if 0 < width <= LONGEST_S:
        options["timewindow_s"] = width
    if both and label.isprintable() and label not in ("", MALICIOUS, BENIGN):
        options[BENIGN] = label
    lines = ["", "# The flows that Slips saw, labelled by what Tocsin knows of its alerts, with an AID each."]
    if output is None:
        lines.append(f'# Name what to read: follow = ["OUTPUT-OF-SLIPS/{ZEEK}"]; --output DIR does it by itself.')
    if not engine.installed():
        lines += ["# Switched off, because it cannot be used as it is:", "#   pip install 'tocsin[flows]'"]
        lines += ["# [flows]", *(f"# {name} = {value_of(value)}" for name, value in options.items())]
        return lines
    return [*lines, "[flows]", *(f"{name} = {value_of(value)}" for name, value in options.items())]


def _form(given: str) -> str:
    """Slips looks for the word anywhere in it, for tsv first."""
    return "tsv" if "tsv" in given.lower() else "json"


def _of_width(said: str, wanted: bool) -> str:
    of_evidence = "window_h of [accumulate.slips], which is switched off"
    return f"{said.format('timewindow_s')}; {of_evidence}" if wanted else of_evidence


def _of_direction(wanted: bool) -> str:
    other = "nothing: an alert labels the flow whichever of its ends it names"
    return f"{other}; with all, label is the word for the others" if wanted else other


def _of_label(said: str, *, wanted: bool, both: bool) -> str:
    if not wanted:
        return said
    return said.format(BENIGN) if both else "nothing: without analysis_direction all Slips gives it to no flow"
