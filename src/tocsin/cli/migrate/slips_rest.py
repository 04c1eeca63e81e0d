"""The rest of Slips' `slips.yaml`: Warden, evidence that was not to leave, and keys nothing comes of."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tocsin.cli.migrate.slips_keys import ELSEWHERE, EXPORTING, NOT_ALERTS, Keys
from tocsin.cli.migrate.written import Became, Table, shown, value_of

CESNET = "cesnet"
WARDEN, FROM_WARDEN = "slips_warden", "slips_warden_in"
DISABLED = "disabledalerts"


def warden(keys: Keys, root: Path) -> Iterator[Table]:
    """The tables that do what the section `cesnet` asked for."""
    sending = keys.get(CESNET, "send_alerts", False, f"[destinations.{WARDEN}] where true, else nothing")
    receiving = keys.get(CESNET, "receive_alerts", False, f"[sources.{FROM_WARDEN}] where true, else nothing")
    needed = "" if sending is True or receiving is True else " if one of the two were true"
    given = keys.get(CESNET, "configuration_file", "config/warden.conf", f"read as it is, at its place{needed}")
    delay = keys.number(CESNET, "receive_delay", 86400, f"receive_delay of [sources.{FROM_WARDEN}]")
    file = root / str(given or "")
    off = "" if given and file.is_file() else f"there is no {file}"
    options: dict[str, Any] = {"type": "warden", "configuration_file": str(file)}
    if sending is True:
        why = "All evidence as IDEA0 to a Warden server. Slips takes private addresses out of it: see `redact`."
        yield Table("destinations", WARDEN, options, why, off)
    if receiving is True:
        why = "Events of a Warden server, which Slips took into its threat intelligence: here they are alerts."
        options = {**options, "receive_delay": min(max(delay, 1.0), 604800.0)}
        yield Table("sources", FROM_WARDEN, options, why, off)


def followed(output: Path | None) -> Iterator[Table]:
    """The source that follows what Slips writes into its output folder; up to 1.1.19 not under `alerts`."""
    if output is not None:
        now, before = output.resolve() / "alerts" / "alerts.json", output.resolve() / "alerts.json"
        file = before if before.is_file() and not now.is_file() else now
        why = "What Slips finds, as it writes it; what stands there already is read, too."
        yield Table("sources", "slips", {"type": "follow", "paths": [str(file)], "begin": "beginning"}, why)


def own_logs() -> Iterator[Table]:
    """What Slips writes in any case: `alerts.json` and `alerts.log`."""
    yield Table("destinations", "idea_log", {"profile": "slips"}, "alerts.json, as Slips 1.1.1 wrote it.")
    yield Table("destinations", "text_log", {"form": "slips"}, "alerts.log, as Slips writes it.")


def routes(keys: Keys, tables: list[Table]) -> list[str]:
    """Lines of TOML: a route past evidence that is not to leave, if there is any."""
    given = keys.get(DISABLED, "disabled_detections", [], 'the route "not disabled": kept and shown, sent to nobody')
    names = [str(each).strip() for each in given] if isinstance(given, list) else []
    good = [name for name in names if name.replace("_", "").isalnum() and name.isascii()]
    keys.became += [
        Became(keys.named(DISABLED, "disabled_detections"), shown(name), "nothing: that is no name of an evidence")
        for name in names
        if name not in good
    ]
    if not good:
        return []
    to = [table.name for table in tables if table.kind == "destinations" and not table.off]
    query = f"not category:({' or '.join(good)})"
    lines = ["", "# What Slips was told not to detect comes in, is kept, and goes nowhere."]
    lines += ["# A destination that is switched on, or made, later on has to be named here, too.", "[[routes]]"]
    return [*lines, 'name = "not disabled"', f"query = {value_of(query)}", f"to = {value_of(to)}"]


def nothing_came_of(keys: Keys) -> None:
    """Note every key that is left: for what reason nothing came of it."""
    for section in ELSEWHERE:
        for key, _ in list(keys.left(section)):
            if key in NOT_ALERTS:
                keys.get(section, key, None, f"nothing: {NOT_ALERTS[key]}")
    for section in (EXPORTING, "idmef_manager", CESNET, DISABLED):
        for key, _ in list(keys.left(section)):
            keys.get(
                section, key, None, "nothing: Slips 1.1.23 has no such key, and it is not known what it would mean"
            )
    mine = {EXPORTING, "idmef_manager", CESNET, DISABLED}
    for section in keys.tree:
        left = [] if section in mine else [keys.named(section, key).partition(".")[2] for key, _ in keys.left(section)]
        if left:
            what = "nothing: not about exporting, it stays with Slips"
            keys.became.append(Became(keys.named(section, "*"), shown(left), what))
