"""A small SCOT 3 that is read: lists of alertgroups and of an alertgroup's alerts, behind an API key."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

KEY = "5D0C7A10-0000-4000-8000-000000000001"
API = "/scot/api/v2/"


def group(id: int, rows: list[dict[str, Any]], statuses: list[str], **more: Any) -> dict[str, Any]:
    """An alertgroup's record as SCOT lists it, its alerts under `alerts`."""
    alerts = [
        {"_id": f"{id * 100 + n:024x}", "id": id * 100 + n, "alertgroup": id, "data": row, "data_with_flair": {},
         "status": status, "subject": "", "columns": list(row), "created": 1_700_000_000, "parsed": 1}
        for n, (row, status) in enumerate(zip(rows, statuses, strict=True))
    ]  # fmt: skip
    record = {
        "id": id, "subject": f"Splunk Alert: beacon {id}", "message_id": f"<{id}@det.example>", "status": "open",
        "tag": ["c2"], "source": ["splunk"], "columns": list(rows[0]) if rows else [], "tlp": "green",
        "owner": "scot-admin", "body": "<html>..</html>", "body_plain": "the mail's text", "ahrefs": [],
        "groups": {"read": ["wg-scot-ir"], "modify": ["wg-scot-ir"]}, "created": 1_700_000_000 + id,
        "updated": 1_700_000_100, "when": 1_700_000_000, "views": 3, "view_history": {}, "firstview": -1, "parsed": 1,
        "alert_count": len(rows), "open_count": 0, "has_tasks": 0, "location": "snl", **more,
    }  # fmt: skip
    return {**record, "alerts": alerts}


class Scot:
    """What it holds, what it was asked, and how it shall fail."""

    def __init__(self, groups: list[dict[str, Any]]) -> None:
        self.groups = {each["id"]: each for each in groups}
        self.asked: list[str] = []
        self.broken: set[str] = set()
        """Paths behind the API's that are answered with a server error, as HTML."""
        self.held: dict[str, threading.Event] = {}
        """Paths that are answered once their event is set."""
        self.url = ""

    def answer(self, target: str) -> tuple[int, Any]:
        """Status and body."""
        parts = urlsplit(target)
        path, query = parts.path.removeprefix(API), parse_qs(parts.query)
        if path in self.held:
            self.held[path].wait(120)
        if path in self.broken:
            return 500, "<html>Server error</html>"
        if path == "alertgroup":
            return 200, self._list(query)
        words = path.split("/")
        if len(words) == 3 and words[0] == "alertgroup" and words[2] == "alert":
            alerts = self.groups.get(int(words[1]), {"alerts": []})["alerts"]
            return 200, _listed(alerts, len(alerts))
        return 404, "<html>Page not found</html>"

    def _list(self, query: dict[str, list[str]]) -> dict[str, Any]:
        after = int(query["id"][0].removeprefix("x>"))
        ids = [id for id in self.groups if id > after]
        found = [self.groups[id] for id in (sorted(ids) if query.get("sort") == ["+id"] else ids)]
        page = [{name: each[name] for name in each if name != "alerts"} for each in found[: int(query["limit"][0])]]
        columns = query.get("columns")
        return _listed([{name: one[name] for name in columns or one} for one in page], len(found))


def _listed(records: list[Any], total: int) -> dict[str, Any]:
    return {"records": records, "queryRecordCount": len(records), "totalRecordCount": total}


@contextmanager
def running(scot: Scot) -> Iterator[Scot]:
    """The SCOT on a free port."""

    class Door(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            scot.asked.append(self.path)
            if self.headers.get("Authorization") == f"apikey {KEY}":
                status, said = scot.answer(self.path)
            else:
                status, said = 401, {"error": "Authentication Required", "csrf": "x"}
            body = said.encode() if isinstance(said, str) else json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: Any) -> None:
            """Nothing on standard error."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    scot.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield scot
    finally:
        for event in scot.held.values():
            event.set()
        server.shutdown()
        server.server_close()
