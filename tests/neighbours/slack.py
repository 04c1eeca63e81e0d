"""A Slack of our own: tokens, channels, one message a second in a channel, threads, edits, limits, and bad days.

Written from Slack's documentation of chat.postMessage, chat.update, conversations.history and .replies, auth.test and
incoming webhooks. Only chat.postMessage knows a channel by its name; methods that read overlook a body of JSON.
"""

import itertools
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN = "xoxb-good"
CHANNEL = "C0123456"
READS = frozenset(("conversations.history", "conversations.replies"))
LONGEST_EDIT = 4000
"""Characters of the text in chat.update."""


class Slack:
    """What was posted, and what happens next: each of `next` is an error code, a status, `hang`, `reset` or `lost`."""

    def __init__(self, url: str, per_second: float) -> None:
        self.url, self.per_second = url, per_second
        self.messages: list[dict[str, Any]] = []
        self.next: list[str | int] = []
        self.scopes = {"chat:write", "channels:history"}
        self.asked: list[str] = []
        self.may_edit = True
        self.refuses: Callable[[dict[str, Any]], str] = fault_of
        self.stamps = itertools.count()
        self._last = 0.0
        self._lock = threading.Lock()
        self.let_go = threading.Event()

    @property
    def api(self) -> str:
        return f"{self.url}/api/"

    def at(self, stamp: str) -> dict[str, Any] | None:
        """The message with a time stamp."""
        return next((each for each in self.messages if each.get("ts") == stamp), None)

    def under(self, stamp: str) -> list[dict[str, Any]]:
        """The replies in a message's thread."""
        return [each for each in self.messages if each.get("thread_ts") == stamp]

    def may_post(self) -> bool:
        """Whether the channel's pace allows another message now."""
        with self._lock:
            now = time.monotonic()
            allowed = self.per_second <= 0 or now - self._last >= 1 / self.per_second
            if allowed:
                self._last = now
            return allowed


def fault_of(said: dict[str, Any]) -> str:
    """The error code of a message that Slack does not take."""
    blocks = said.get("blocks") or []
    if not said.get("text") and not blocks:
        return "no_text"
    if len(said.get("text") or "") > 40_000:
        return "msg_too_long"
    if len(blocks) > 50:
        return "invalid_blocks"
    total = 0
    for block in blocks:
        texts = [block["text"]["text"]] if "text" in block else [one["text"] for one in block["elements"]]
        total += sum(map(len, texts))
        if any(not text or len(text) > 3000 for text in texts) or len(texts) > 10:
            return "invalid_blocks"
    return "msg_blocks_too_long" if total > 13_000 else ""


@contextmanager
def slack(per_second: float = 0) -> Iterator[Slack]:
    """Slack on a port of its own."""
    server = _Server(("127.0.0.1", 0), _Door)
    server.daemon_threads = True
    known = server.known = Slack(f"http://127.0.0.1:{server.server_address[1]}", per_second)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield known
    finally:
        known.let_go.set()
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    known: Slack


class _Door(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def do_POST(self) -> None:
        known = self.server.known
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        method = urlsplit(self.path).path.rpartition("/")[2]
        known.asked.append(method)
        bad = known.next.pop(0) if known.next else ""
        if bad == "hang":
            known.let_go.wait(30)
        if bad in ("hang", "reset"):
            self.close_connection = True
            return
        if isinstance(bad, int):
            self._answer(bad, b"<html>oops</html>", "text/html", {"Retry-After": "7"} if bad == 429 else {})
            return
        if "/services/" in self.path:
            self._webhook(known, json.loads(body), str(bad))
            return
        self._method(known, method, self._asked(body, method), str(bad))

    do_GET = do_POST

    def _asked(self, body: bytes, method: str) -> dict[str, Any]:
        if self.headers.get("Content-Type", "").startswith("application/json"):
            return {} if method in READS else dict(json.loads(body or b"{}"))
        text = body.decode() or urlsplit(self.path).query
        return {name: values[-1] for name, values in parse_qs(text).items()}

    def _method(self, known: Slack, method: str, said: dict[str, Any], bad: str) -> None:
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self._say({"ok": False, "error": "invalid_auth"})
        elif bad and bad != "lost":
            self._say({"ok": False, "error": bad})
        elif method == "auth.test":
            self._say({"ok": True, "user": "tocsin", "team": "csirt"})
        elif method in READS and not said.get("channel"):
            self._say({"ok": False, "error": "invalid_arguments"})
        elif said.get("channel") not in ((CHANNEL, "#alerts") if method == "chat.postMessage" else (CHANNEL,)):
            self._say({"ok": False, "error": "channel_not_found"})
        elif method in READS:
            self._say(self._found(known, method, said))
        elif fault := known.refuses(said):
            self._say({"ok": False, "error": fault})
        elif method == "chat.update":
            self._say(self._edited(known, said), lost=bad == "lost")
        elif not known.may_post():
            self._answer(429, b'{"ok":false,"error":"ratelimited"}', "application/json", {"Retry-After": "1"})
        elif said.get("thread_ts") and known.at(said["thread_ts"]) is None:
            self._say({"ok": False, "error": "cannot_reply_to_message"})
        else:
            stamp = f"{1_795_000_000 + next(known.stamps)}.000100"
            known.messages.append({"ts": stamp, **said})
            self._say({"ok": True, "channel": CHANNEL, "ts": stamp}, lost=bad == "lost")

    def _found(self, known: Slack, method: str, said: dict[str, Any]) -> dict[str, Any]:
        if "channels:history" not in known.scopes:
            return {"ok": False, "error": "missing_scope"}
        limit = int(said.get("limit") or 100)
        if method == "conversations.history":
            newest = [each for each in known.messages[::-1] if "thread_ts" not in each]
            return {"ok": True, "messages": newest[:limit]}
        if (parent := known.at(said["ts"])) is None:
            return {"ok": False, "error": "thread_not_found"}
        return {"ok": True, "messages": [parent, *known.under(said["ts"])][:limit]}

    def _edited(self, known: Slack, said: dict[str, Any]) -> dict[str, Any]:
        if (message := known.at(said["ts"])) is None:
            return {"ok": False, "error": "message_not_found"}
        if not known.may_edit:
            return {"ok": False, "error": "edit_window_closed"}
        if len(said["text"]) > LONGEST_EDIT:
            return {"ok": False, "error": "msg_too_long"}
        message.pop("blocks", None)  # text without blocks takes the old ones away
        message.update(said, edited=True)
        return {"ok": True, "channel": CHANNEL, "ts": said["ts"], "text": said["text"]}

    def _webhook(self, known: Slack, said: dict[str, Any], bad: str) -> None:
        fault = bad or fault_of(said)
        if fault:
            self._answer(
                {"no_service": 404, "action_prohibited": 403}.get(fault, 400), fault.encode(), "text/plain", {}
            )
            return
        known.messages.append(said)
        self._answer(200, b"ok", "text/plain", {})

    def _say(self, answer: dict[str, Any], lost: bool = False) -> None:
        if lost:
            self.close_connection = True
            return
        self._answer(200, json.dumps(answer).encode(), "application/json; charset=utf-8", {})

    def _answer(self, status: int, body: bytes, media_type: str, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": media_type, "Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
