"""What became of the keys of Slips' `slips.yaml` that say what it exports (Slips 1.1.21 to 1.1.23, and older ones).

A key that is not there counts as what Slips itself takes for it then.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tocsin.cli.migrate.written import Became, Table, shown

NOTHING: Mapping[str, Any] = {}
SECRET = re.compile("password|passwd|secret|token|apikey|api_key")
"""Keys whose values are not repeated in a comment."""
LONGEST_WAIT_S = 3600.0

EXPORTING = "exporting_alerts"
TAXII, TAXII1, SLACK, IDMEF = "slips_taxii", "slips_taxii1", "slips_slack", "slips_idmef"

NOT_ALERTS = {
    "export_strato_letters": "training data of Slips, no alerts",
    "metadata_dir": "files about a run of Slips, no alerts",
    "store_zeek_files_in_the_output_dir": "files of Zeek, no alerts",
    "popup_alerts": "Tocsin opens no windows: the destination slack, or the live page, tells people",
    "uid": "Tocsin's files belong to the user who runs it",
    "gid": "Tocsin's files belong to the user who runs it",
}
"""Keys besides `exporting_alerts` and `cesnet` that touch on what is exported, and why nothing comes of them."""
ELSEWHERE = ("parameters", "detection", "docker")
"""The sections in which they stand."""


class Keys:
    """The keys of the file, and what was said of each so far. Sections and keys in any case of letters."""

    def __init__(self, tree: Mapping[str, Any]) -> None:
        self.tree: dict[str, dict[str, Any]] = {}
        self.became: list[Became] = []
        self._names: dict[tuple[str, ...], str] = {}
        self._told: set[tuple[str, str]] = set()
        for name, given in tree.items():
            if isinstance(given, Mapping):
                self.add(str(name), given)
            else:
                self.became.append(Became(str(name), shown(given), "nothing: Slips has it in no section"))

    def add(self, name: str, given: Mapping[Any, Any]) -> None:
        """A section."""
        section = name.lower()
        self._names[section,] = name
        self._names |= {(section, str(key).lower()): str(key) for key in given}
        self.tree.setdefault(section, {}).update({str(key).lower(): value for key, value in given.items()})

    def named(self, section: str, key: str) -> str:
        """The key as it stands in the file."""
        return f"{self._names.get((section,), section)}.{self._names.get((section, key), key)}"

    def get(self, section: str, key: str, otherwise: Any, what: str) -> Any:
        """The value, or what Slips takes without it; what became of the key is noted if it is there."""
        given = self.tree.get(section, NOTHING)
        if key not in given:
            return otherwise
        self._told.add((section, key))
        value = "(not shown)" if SECRET.search(key) and given[key] else shown(given[key])
        self.became.append(Became(self.named(section, key), value, what))
        return given[key]

    def number(self, section: str, key: str, otherwise: float, what: str) -> float:
        """The same for a number; what is none counts as what Slips takes then."""
        value = self.get(section, key, otherwise, what)
        try:
            found = float(value)
        except (TypeError, ValueError, OverflowError):
            return otherwise
        return found if abs(found) < 1e15 else otherwise

    def left(self, section: str) -> Iterator[tuple[str, Any]]:
        """The keys of a section of which nothing was said yet."""
        for key, value in self.tree.get(section, NOTHING).items():
            if (section, key) not in self._told:
                yield key, value


def destinations(keys: Keys, root: Path) -> Iterator[Table]:
    """The tables that do what the section `exporting_alerts` asked for."""
    to = keys.get(EXPORTING, "export_to", [], "a destination for each that it names, below; the others are left out")
    to = to if isinstance(to, list | str) else []
    yield from _slack(keys, root, wanted="slack" in to)
    yield from _stix(keys, wanted="stix" in to)
    yield from _idmef(keys, root, wanted="idmef_manager" in to)


def _slack(keys: Keys, root: Path, *, wanted: bool) -> Iterator[Table]:
    what = "{} of [destinations." + SLACK + "]" if wanted else "not needed: export_to does not name slack"
    channel = keys.get(EXPORTING, "slack_channel_name", "", what.format("channel"))
    sensor = keys.get(EXPORTING, "sensor_name", "", what.format("sensor"))
    path = keys.get(EXPORTING, "slack_api_path", "", what.format("token, read from that file,"))
    if not wanted:
        return
    token = root / str(path or "")
    off = ""
    if not path or _is_empty(token):
        off = f"put the bot token (xoxb-…) into {token if path else 'a file and name it as token'}"
    options: dict[str, Any] = {
        "type": "slack",
        "token": {"file": str(token)},
        "channel": str(channel or ""),
        "style": "slips",
    }
    options |= {"sensor": str(sensor or ""), "presence": True}
    yield Table("destinations", SLACK, options, "Each evidence as the line that Slips posts, start and stop too.", off)


def _stix(keys: Keys, *, wanted: bool) -> Iterator[Table]:
    first = str(keys.get(EXPORTING, "taxii_version", 2, "which of taxii and taxii1 is made")).startswith("1")
    name = TAXII1 if first else TAXII
    said = f"{{}} of [destinations.{name}]" if wanted else "not needed: export_to does not name stix"
    direct = _direct(keys, wanted=wanted, first=first)
    server = _server(keys, said, first=first)
    waits = _waits(keys, said)
    delay = keys.number(EXPORTING, "push_delay", 3600, _of_delay(said, wanted=wanted, direct=direct))
    workers = _workers(keys, wanted=wanted, first=first)
    _older(keys, server, said, wanted=wanted, first=first)
    if not wanted:
        return
    if not direct:
        bundle = {"type": "stix_bundle", "profile": "slips", "path": "STIX_data.json"}
        yield Table("destinations", "slips_bundle", bundle, "The file STIX_data.json, a whole bundle at every moment.")
        waits["push_delay"] = min(max(delay, 0.0), 86400.0)
    if first:
        waits["concurrency"] = workers
    profile = {} if first else {"profile": "slips"}
    why = "Indicators as STIX 1.2 into an inbox." if first else "Indicators in Slips' words, which SlipsWeb reads."
    yield Table("destinations", name, {"type": "taxii1" if first else "taxii", **server, **profile, **waits}, why)


def _direct(keys: Keys, *, wanted: bool, first: bool) -> bool:
    what = "where false, [destinations.slips_bundle] and push_delay; else indicators are pushed at once"
    if first:
        what = "Slips ignores it with TAXII 1 and always pushes at once; so does Tocsin"
    value = keys.get(EXPORTING, "direct_export", True, what if wanted else "not needed: export_to does not name stix")
    return first or _true(value)


def _of_delay(said: str, *, wanted: bool, direct: bool) -> str:
    direct_words = "nothing: with direct_export Slips waits for nothing either"
    return direct_words if wanted and direct else said.format("push_delay")


def _server(keys: Keys, said: str, *, first: bool) -> dict[str, Any]:
    host = str(keys.get(EXPORTING, "taxii_server", "", said.format("url" if first else "host")) or "")
    host = host.replace("www.", "")
    port = keys.get(EXPORTING, "port", None, said.format("url" if first else "port"))
    secure = _true(keys.get(EXPORTING, "use_https", False, said.format("url" if first else "https")))
    path = str(keys.get(EXPORTING, "discovery_path", "", said.format("url" if first else "discovery")) or "")
    collection = str(keys.get(EXPORTING, "collection_name", "", said.format("collection")) or "")
    user = str(keys.get(EXPORTING, "taxii_username", "", said.format("user")) or "")
    password = str(keys.get(EXPORTING, "taxii_password", "", said.format("password")) or "")
    timeout = keys.number(EXPORTING, "taxii_timeout", 10, said.format("timeout_s"))
    number = _port(port, 443 if secure else 80)
    account = {"user": user, "password": password} if user and password else {}
    limits = {"timeout_s": min(max(timeout, 1.0), 600.0)}
    full = path.startswith(("http://", "https://"))
    if first or full:
        place = f"{host}:{number}" if number else host
        url = path if full else f"http{'s' if secure else ''}://{place}/{path.lstrip('/')}"
        named: dict[str, Any] = {"collections": [collection] if collection else []} if first else {}
        return {"url": url, **(named or {"collection": collection}), **account, **limits}
    where: dict[str, Any] = {"host": host, **({"port": number} if number else {}), "https": secure}
    return {**where, "discovery": f"/{path.lstrip('/')}", "collection": collection, **account, **limits}


def _waits(keys: Keys, said: str) -> dict[str, Any]:
    most = keys.number(
        EXPORTING, "direct_export_retry_max", 0, said.format("max_attempts and give_up_after_h (0: for ever)")
    )
    first = keys.number(EXPORTING, "direct_export_retry_backoff", 0.5, said.format("first_wait_s"))
    longest = keys.number(EXPORTING, "direct_export_retry_max_delay", 5, said.format("longest_wait_s"))
    first = min(max(first, 0.01), LONGEST_WAIT_S)
    waits: dict[str, Any] = {"first_wait_s": first, "longest_wait_s": min(max(longest, first), LONGEST_WAIT_S)}
    return {**waits, "max_attempts": max(int(most), 0), "give_up_after_h": 0}


def _workers(keys: Keys, *, wanted: bool, first: bool) -> int:
    what = "nothing: Tocsin puts many indicators into one request instead of sending many at once"
    what = f"concurrency of [destinations.{TAXII1}]" if first else what
    most = "nothing: as many calls as direct_export_workers says are under way at once, and no more" if first else what
    unneeded = "not needed: export_to does not name stix"
    workers = keys.number(EXPORTING, "direct_export_workers", 2, what if wanted else unneeded)
    keys.get(EXPORTING, "direct_export_max_workers", 8, most if wanted else unneeded)
    return min(max(int(workers), 1), 32)


def _older(keys: Keys, server: dict[str, Any], said: str, *, wanted: bool, first: bool) -> None:
    """Keys of Slips up to 1.1.14, which current ones do not read; TAXII 1.1 still has a use for them."""
    unread = said if not wanted else "nothing: TAXII 2.1 has no inbox and no tokens; newer Slips ignores it too"
    for key, option in (("inbox_path", "service"), ("jwt_auth_path", "auth_url"), ("jwt_auth_url", "auth_url")):
        value = keys.get(EXPORTING, key, "", said.format(option) if first else unread)
        if value and first:
            begin = "/".join(str(server["url"]).split("/", 3)[:3])
            server[option] = str(value) if "://" in str(value) else f"{begin}/{str(value).lstrip('/')}"


def _idmef(keys: Keys, root: Path, *, wanted: bool) -> Iterator[Table]:
    what = f"[destinations.{IDMEF}]" if wanted else "not needed: export_to does not name idmef_manager"
    given = keys.get(EXPORTING, "idmef_manager", NOTHING, what)
    if isinstance(given, Mapping):
        keys.add("idmef_manager", given)
    said = f"{{}} of {what}" if wanted else what
    section = "idmef_manager"
    url = keys.get(section, "url", "https://localhost:8443/", said.format("url"))
    certificate = keys.get(section, "client_certificate", "", said.format("client_cert"))
    key = keys.get(section, "client_private_key", "", said.format("client_key"))
    trusted = keys.get(section, "trusted_ca", "", said.format("ca_file"))
    timeout = keys.number(section, "timeout", 10, said.format("timeout_s"))
    if not wanted:
        return
    files = {"client_cert": certificate, "client_key": key, "ca_file": trusted}
    paths = {name: str(root / str(path)) for name, path in files.items() if path}
    missing = [f"{name} is {paths.get(name, 'not given')}" for name in files if not Path(paths.get(name, "")).is_file()]
    off = f"these files must be there: {', '.join(missing)}" if missing else ""
    options: dict[str, Any] = {"type": "idmef", "url": str(url), "profile": "slips", **paths}
    options["timeout_s"] = min(max(timeout, 1.0), 600.0)
    yield Table("destinations", IDMEF, options, "Each evidence, and each alert, as IDMEFv2 over HTTPS.", off)


def _port(given: Any, usual: int) -> int | None:
    """Slips leaves a port out of the URL that is the usual one, or no whole number."""
    whole = isinstance(given, int) and not isinstance(given, bool) and 0 < given < 65536
    return given if whole and given != usual else None


def _true(given: Any) -> bool:
    return given is True or str(given).strip().lower() in ("true", "yes", "on", "1")


def _is_empty(file: Path) -> bool:
    """Also what is no file; what cannot be read is told by the configuration's own check."""
    return not file.is_file() or not file.stat().st_size
