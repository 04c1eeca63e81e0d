"""What became of the mail settings of SCOT 3: `alert.cfg.pl` (bin/alert.pl) and `inbox.cfg.pl` (bin/inbox.pl)."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from tocsin.cli.migrate.perl import Unread
from tocsin.cli.migrate.written import Became, Table, shown

NOTHING: Mapping[str, Any] = {}
HEALTH = "*SCOT Health Check*"
SECONDS = {"day": 86400, "hour": 3600, "minute": 60, "second": 1}
STARTTLS_PORT = 143
NOT_NEEDED = {
    "max_processes": "Tocsin reads mail in a child process that it bounds, one mail at a time",
    "interactive": "there is nothing to answer",
    "verbose": "[log] level says how much is told",
    "parser_dir": "parsers are Tocsin's own, or files in DIR/plugins (docs/write-a-parser.md)",
    "get_method": "mail is stored by Tocsin itself",
    "uid": "mails are always known by their UID",
    "ignore_size_errors": "sizes that a server tells wrongly are always borne",
    "minutes_ago": "SCOT does not use it with unseen mail",
    "mode": "Tocsin runs for as long as it is not stopped",
    "sleep_interval": "interval_s of each mailbox says how often to look",
    "processor": "which parser reads a mail is told by the mail",
    "test_mode": "`tocsin mail --dry-run` tries mails",
    "msv_filters": "nothing is left out of what is kept: a route or a silence with such a query sends it nowhere",
}
"""Keys of the top, and of a mailbox, and why nothing comes of them."""
TOP = {
    "approved_accounts": "permitted_senders",
    "approved_alert_domains": "permitted_senders",
    "fetch_mode": "fetch",
    "since": "since_hours",
    "leave_unseen": "afterwards",
    "imap": "a table of [sources], below",
    "mailboxes": "a table of [sources] each, below",
}
"""Keys of the top, and what they become."""


def says_of_mail(tree: Mapping[str, Any]) -> bool:
    """Whether a hash of the file is the one with the mail settings."""
    return "mailboxes" in tree or _imap_of(tree) is not None


class Mailboxes:
    """What the files say, turned into tables; what became of each key is noted on the way."""

    def __init__(self) -> None:
        self.became: list[Became] = []
        self.tables: list[Table] = []

    def read(self, tree: Mapping[str, Any]) -> None:
        """A file's hash: of `inbox.cfg.pl` if it has mailboxes, else of `alert.cfg.pl`."""
        listed = tree.get("mailboxes")
        found = [box for box in listed if isinstance(box, Mapping)] if isinstance(listed, list) else []
        for key in tree:
            reason = NOT_NEEDED.get(key, "not about mail")
            self._note(key, tree, TOP.get(key, reason), nothing=key not in TOP)
        for box in found:
            self._second(box)
        if not found:
            self._first(tree)

    def _note(self, key: str, given: Mapping[str, Any], what: str, *, nothing: bool = False, at: str = "") -> None:
        value = given[key]
        text = "(not shown)" if "password" in key else shown(_plain(value))
        said = f"nothing: {what}" if nothing else what
        self.became.append(Became(f"{at}{key}", text, said))

    def _first(self, tree: Mapping[str, Any]) -> None:
        """`alert.cfg.pl`: one mailbox. What the file leaves out is what the program takes then."""
        imap = _imap_of(tree) or NOTHING
        options, off = self._server(imap, "imap.")
        accounts, domains = _texts(tree.get("approved_accounts")), _texts(tree.get("approved_alert_domains"))
        options["permitted_senders"] = [*accounts, *(domain.replace("\\", "").lstrip(".") for domain in domains)]
        off += _strange([*_listed(tree.get("approved_accounts")), *_listed(tree.get("approved_alert_domains"))])
        if not options["permitted_senders"]:
            off.append("name who may be heard in permitted_senders: SCOT had nobody in approved_accounts")
        if tree.get("fetch_mode", "unseen") == "unseen":
            options["fetch"] = "unseen"
        else:
            options |= {"fetch": "since", "since_hours": _hours(tree.get("since"))}
        options["afterwards"] = "leave" if _true(tree.get("leave_unseen")) else "seen"
        options["health_subject"] = HEALTH
        self._add(options, off)

    def _second(self, box: Mapping[str, Any]) -> None:
        """One of the `mailboxes` of `inbox.cfg.pl`."""
        imap = box.get("imap") if isinstance(box.get("imap"), Mapping) else box
        assert isinstance(imap, Mapping)
        name = str(box.get("name") or "mailbox")
        options, off = self._server(imap, f"{name}.imap.")
        for key in box:
            reason = NOT_NEEDED.get(key, "")
            if key not in ("imap", *IMAP):
                what = "[sources] of that name" if key in ("name", "active") else MAILBOX.get(key, reason or "unknown")
                self._note(key, box, what, nothing=key not in MAILBOX and key not in ("name", "active"), at=f"{name}.")
        given = _listed(imap.get("permitted_senders", ["*"]))
        options["permitted_senders"] = _texts(given)
        off += _strange(given)
        test = _true(box.get("test")) or _true(imap.get("test_mode"))
        if test:
            options |= {"fetch": "since", "since_hours": max(_number(imap.get("seconds_ago"), 3600) / 3600, 0.01)}
        else:
            options["fetch"] = "unseen"
        peek = test or _true(box.get("peek")) or _true(imap.get("peeking"))
        options["afterwards"] = "leave" if peek else "seen"
        options["interval_s"] = min(max(_number(box.get("check_interval"), 60), 1.0), 1500.0)
        options["health_subject"] = HEALTH
        if "active" in box and not _true(box["active"]):
            off.append("it was not active in SCOT")
        self._add(options, off, name)

    def _server(self, imap: Mapping[str, Any], at: str) -> tuple[dict[str, Any], list[str]]:
        """Where the mailbox is and who signs in; and what is missing."""
        for key in imap:
            if key in IMAP:
                self._note(key, imap, IMAP[key], at=at)
            elif key in NOT_NEEDED:
                self._note(key, imap, NOT_NEEDED[key], nothing=True, at=at)
            elif key not in MAILBOX and key not in ("name", "active", "imap"):
                self._note(key, imap, "SCOT 3.5 has no such key", nothing=True, at=at)
        port = int(_number(imap.get("port"), 993))
        off = [
            f"{IMAP[key]} is worked out by Perl ({imap[key].text}): write it here"
            for key in ("hostname", "username", "password", "mailbox", "port")
            if isinstance(imap.get(key), Unread)
        ]
        options: dict[str, Any] = {"type": "imap", "host": _text(imap.get("hostname"), "localhost"), "port": port}
        if port == STARTTLS_PORT:
            options["tls"] = "starttls"
        options |= {"user": _text(imap.get("username"), "scot-alerts"), "folder": _text(imap.get("mailbox"), "INBOX")}
        options["password"] = _text(imap.get("password"), "")
        if not options["password"]:
            off.append("password is not given: write it here, or { file = … } of it")
        return options, off

    def _add(self, options: dict[str, Any], off: list[str], name: str = "scot_mail") -> None:
        given = {table.name for table in self.tables}
        safe = re.sub(r"[^A-Za-z0-9_.-]+", "_", name).strip("_.-")[:50] or "mailbox"
        names: Iterator[str] = (safe if not n else f"{safe}_{n + 1}" for n in range(len(given) + 1))
        why = "Mail that SCOT fetched. Unlike there, the server's certificate is verified; a private CA needs ca_file."
        if options["fetch"] == "unseen" and options["afterwards"] == "leave":
            why += "\nMails stay unseen; each is stored once, as its place in the mailbox is kept."
        self.tables.append(
            Table("sources", next(one for one in names if one not in given), options, why, "; ".join(off))
        )


IMAP = {
    "hostname": "host",
    "port": "port",
    "mailbox": "folder",
    "username": "user",
    "password": "password",
    "ssl": "tls: certificates are always verified, whatever SCOT's SSL_verify_mode said",
    "permitted_senders": "permitted_senders",
    "seconds_ago": "since_hours, where SCOT was testing",
    "peeking": "afterwards",
    "test_mode": "fetch",
}
"""The keys of a server, and the options that they become."""
MAILBOX = {"check_interval": "interval_s", "test": "fetch", "peek": "afterwards"}


def _imap_of(tree: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The hash of the mail server: under `imap`, or in the `config` of SCOT's module of that name."""
    found = tree.get("imap")
    if isinstance(found, Mapping):
        return found
    modules = tree.get("modules")
    for module in modules if isinstance(modules, list) else []:
        if isinstance(module, Mapping) and module.get("attr") == "imap" and isinstance(module.get("config"), Mapping):
            return dict(module["config"])
    return None


def _plain(value: Any) -> Any:
    """The same with what is unread as its text."""
    if isinstance(value, list):
        return [_plain(each) for each in value[:50]]
    return value.text if isinstance(value, Unread) else value


def _hours(since: Any) -> float:
    given = since if isinstance(since, Mapping) else {"hour": 2}
    seconds = sum(_number(count, 0) * SECONDS.get(str(unit).rstrip("s"), 0) for unit, count in given.items())
    return min(max(seconds / 3600, 0.01), 24.0 * 366)


def _listed(given: Any) -> list[Any]:
    return given if isinstance(given, list) else [] if given is None else [given]


def _strange(senders: list[Any]) -> list[str]:
    """What is to be done about senders that only Perl could read."""
    found = [each.text for each in senders if isinstance(each, Unread)]
    return [f"write these permitted_senders as domains, or patterns with *: {', '.join(found)}"] if found else []


def _texts(given: Any) -> list[str]:
    return [each for each in _listed(given) if isinstance(each, str) and each]


def _text(given: Any, otherwise: str) -> str:
    return str(given) if isinstance(given, str | int | float) and str(given) else otherwise


def _number(given: Any, otherwise: float) -> float:
    try:
        found = float(given)
    except (TypeError, ValueError, OverflowError):
        return otherwise
    return found if abs(found) < 1e9 else otherwise


def _true(given: Any) -> bool:
    """What Perl takes for true."""
    return given not in (None, "", 0, "0", False) and not isinstance(given, Unread)
