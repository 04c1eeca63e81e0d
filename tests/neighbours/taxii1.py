"""A small TAXII 1.1 server of our own that misbehaves on request. It takes only messages that MITRE's schema accepts.

Written from the TAXII 1.1 Services and XML Message Binding specifications.
"""

import contextlib
import importlib
import ssl
import threading
import warnings
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from lxml import etree

SPACE = "http://taxii.mitre.org/messages/taxii_xml_binding-1.1"
XML = "urn:taxii.mitre.org:message:xml:1.1"
HEADERS = {
    "Content-Type": "application/xml",
    "Accept": "application/xml",
    "X-TAXII-Content-Type": XML,
    "X-TAXII-Accept": XML,
    "X-TAXII-Services": "urn:taxii.mitre.org:services:1.1",
    "X-TAXII-Protocol": "urn:taxii.mitre.org:protocol:http:1.0",
}
Answer = Callable[[str], tuple[int, bytes]]
"""The id of the message asked -> HTTP's status and a body. Status 0: cut the connection."""


def says(status: str, *, to: str = "", http: int = 200, text: str = "", **details: str) -> Answer:
    """A Status_Message."""

    def answer(asked: str) -> tuple[int, bytes]:
        inner = f"<t:Message>{text}</t:Message>" if text else ""
        if details:
            listed = "".join(f'<t:Detail name="{name}">{value}</t:Detail>' for name, value in details.items())
            inner = f"<t:Status_Detail>{listed}</t:Status_Detail>{inner}"
        return http, _message("Status_Message", f'in_response_to="{to or asked}" status_type="{status}"', inner)

    return answer


def part(*contents: bytes, more: bool = False, number: int = 1, result: str = "r1", end: str = "") -> Answer:
    """A Poll_Response."""

    def answer(asked: str) -> tuple[int, bytes]:
        blocks = b"".join(
            b'<t:Content_Block><t:Content_Binding binding_id="urn:stix.mitre.org:xml:1.2"/><t:Content>%b</t:Content>'
            b"</t:Content_Block>" % each
            for each in contents
        ).decode()
        until = f"<t:Inclusive_End_Timestamp>{end}</t:Inclusive_End_Timestamp>" if end else ""
        said = f'in_response_to="{asked}" collection_name="c" more="{str(more).lower()}" result_part_number="{number}"'
        return 200, _message("Poll_Response", f'{said} result_id="{result}"' if result else said, until + blocks)

    return answer


def names(*services: tuple[str, str]) -> Answer:
    """A Discovery_Response with services by type and address."""

    def answer(asked: str) -> tuple[int, bytes]:
        listed = "".join(
            f'<t:Service_Instance service_type="{type}" service_version="urn:taxii.mitre.org:services:1.1">'
            f"<t:Protocol_Binding>{HEADERS['X-TAXII-Protocol']}</t:Protocol_Binding><t:Address>{address}</t:Address>"
            f"<t:Message_Binding>{XML}</t:Message_Binding></t:Service_Instance>"
            for type, address in services
        )
        return 200, _message("Discovery_Response", f'in_response_to="{asked}"', listed)

    return answer


def raw(body: bytes, http: int = 200) -> Answer:
    """Anything."""
    return lambda asked: (http, body)


def _message(name: str, said: str, inner: str) -> bytes:
    return f'<t:{name} xmlns:t="{SPACE}" message_id="theirs" {said}>{inner}</t:{name}>'.encode()


class Taxii1:
    """What was asked, and what is answered: `next` in order, then SUCCESS."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.next: list[Answer] = []
        self.asked: list[etree._Element] = []
        self.headers: list[dict[str, str]] = []
        self.tokens = 0
        self.wrong: list[str] = []
        self.shown: list[str] = []
        self._schema = _schema()

    def take(self, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        """The answer to a message, and a note of all that is wrong with it."""
        spoken = self.url.partition(":")[0]
        due = {**HEADERS, "X-TAXII-Protocol": f"urn:taxii.mitre.org:protocol:{spoken}:1.0"}
        self.wrong += [f"{name}: {headers.get(name)}" for name, value in due.items() if headers.get(name) != value]
        self.wrong += self._schema(body)
        self.headers.append(headers)
        self.asked.append(etree.fromstring(body))
        answer = self.next.pop(0) if self.next else says("SUCCESS")
        return answer(self.asked[-1].get("message_id") or "")


def _schema() -> Callable[[bytes], list[str]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it is of 2021
        validation: Any = importlib.import_module("libtaxii.validation")
        known = validation.SchemaValidator(validation.SchemaValidator.TAXII_11_SCHEMA)

    def complaints(body: bytes) -> list[str]:
        result = known.validate_etree(etree.fromstring(body))
        return [] if result.valid else [str(error) for error in result.error_log]

    return complaints


@contextlib.contextmanager
def taxii1(tls: ssl.SSLContext | None = None) -> Iterator[Taxii1]:
    """The server on a port of its own, by TLS if wanted.

    Raises AssertionError at the end: what it was sent was not as it should be.
    """
    server = _Server(("127.0.0.1", 0), _Door)
    server.daemon_threads = True
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    known = server.known = Taxii1(f"{'https' if tls else 'http'}://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield known
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    assert known.wrong == []


class _Server(ThreadingHTTPServer):
    known: Taxii1


class _Door(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def do_POST(self) -> None:
        known = self.server.known
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path == "/auth":
            known.tokens += 1
            self._answer(200, b'{"token":"token-%d"}' % known.tokens, {})
            return
        if isinstance(self.connection, ssl.SSLSocket):
            shown = self.connection.getpeercert() or {}
            known.shown.append(str(shown.get("subject", "nobody")))
        status, said = known.take(body, dict(self.headers))
        if not status:
            self.close_connection = True
            return
        self._answer(status, said, {"X-TAXII-Content-Type": XML})

    def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/xml", "Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
