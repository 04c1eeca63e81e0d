"""Asks a TAXII 1.1 server once, and sorts every way in which it can fail.

HTTP's 200 says nothing: what became of a request stands in a Status_Message. One that the server may come to do is
Unavailable, with the wait that it estimates; the others are Rejected.
"""

import base64
from urllib.parse import urljoin, urlsplit

import msgspec
from lxml import etree

from tocsin.errors import Rejected, Unavailable
from tocsin.kit.http import Answer, Client, redacted, sort
from tocsin.kit.taxii1 import messages
from tocsin.kit.taxii1.messages import MESSAGE_BINDING, PROTOCOLS, SERVICES, Nonsense, Status
from tocsin.kit.taxii1.options import Taxii1Options

TEMPORARY = frozenset(("RETRY", "NETWORK_ERROR", "FAILURE", "PENDING", "BUSY"))
"""FAILURE is whatever the server knows no other word for; BUSY is no word of TAXII, though some say it."""
REMEDIES = {
    "UNAUTHORIZED": "check user and password",
    "DENIED": "ask the server's operators whether this user may",
    "NOT_FOUND": "check collection and service",
    "DESTINATION_COLLECTION_ERROR": "check collection",
    "UNSUPPORTED_CONTENT": "the server takes no STIX 1.2 there",
    "UNSUPPORTED_MESSAGE": "the server does not speak TAXII 1.1 there",
    "UNSUPPORTED_PROTOCOL": "ask by https instead of http, or the other way round",
}
UNAUTHORIZED = 401


class Answered(Rejected):
    """The server's own no, by its `status`."""

    def __init__(self, reason: str, status: Status) -> None:
        super().__init__(reason)
        self.status = status


class _Granted(msgspec.Struct):
    token: str


class Line:
    """One server, asked as one user."""

    def __init__(self, options: Taxii1Options, longest_answer: int) -> None:
        self._options = options
        self._longest = longest_answer
        self._http = Client(options.timeout_s, options.ca_file, longest_answer, options.certificate)
        self._token = options.token.get_secret_value() if options.token else ""

    def close(self) -> None:
        """Let go of the connections."""
        self._http.close()

    def ask(self, url: str, message: etree._Element, expected: str) -> etree._Element:
        """Send a message; what is answered is of that name, in response to it, and if a status then SUCCESS.

        Raises Rejected (Answered with a status), Unavailable.
        """
        if not self._options.auth_url:
            return self._once(url, message, expected)
        fresh = not self._token
        if fresh:
            self._sign_in()
        try:
            return self._once(url, message, expected)
        except Answered as error:
            if fresh or error.status.type != "UNAUTHORIZED":
                raise
        self._sign_in()  # tokens expire
        return self._once(url, message, expected)

    def _once(self, url: str, message: etree._Element, expected: str) -> etree._Element:
        where = redacted(url)
        answer = self._http.ask("POST", url, messages.encoded(message), self._headers(url))
        said = self._read(answer, where)
        name = messages.name_of(said)
        if name == "Status_Message":
            status = messages.status(said)
            if status.type != "SUCCESS":
                raise self._no(status, where)
        if name != expected:
            raise Unavailable(f"{where} answered with a {name[:60]}, not a {expected}")
        if said.get("in_response_to") != message.get("message_id"):
            raise Unavailable(f"{where} answered to another message than was sent")
        return said

    def _read(self, answer: Answer, where: str) -> etree._Element:
        """The message in an answer, whatever HTTP says of it."""
        good = 200 <= answer.status < 300
        if not good and "X-TAXII-Content-Type" not in answer.headers:
            if answer.status == UNAUTHORIZED:
                raise self._no(Status("UNAUTHORIZED", ""), where)
            sort(answer, where)
        if not answer.whole:
            larger = len(answer.body) >= self._longest
            why = f"more than {self._longest:,} bytes" if larger else "a message that broke off"
            raise Unavailable(f"{where} answered with {why}")
        try:
            said = messages.answer(answer.body)
        except Nonsense as error:
            if not good:
                sort(answer, where)
            raise Unavailable(f"{where} answered with something that is no TAXII 1.1: {error}") from None
        if not good and (messages.name_of(said) != "Status_Message" or messages.status(said).type == "SUCCESS"):
            sort(answer, where)
        return said

    def _headers(self, url: str) -> dict[str, str]:
        headers = {
            "Content-Type": "application/xml",
            "Accept": "application/xml",
            "X-TAXII-Content-Type": MESSAGE_BINDING,
            "X-TAXII-Accept": MESSAGE_BINDING,
            "X-TAXII-Services": SERVICES,
            "X-TAXII-Protocol": PROTOCOLS[urlsplit(url).scheme],
        }
        options = self._options
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        elif options.password is not None:
            pair = f"{options.user}:{options.password.get_secret_value()}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        return headers

    def _sign_in(self) -> None:
        """Get a token for user and password, as OpenTAXII and its clients do."""
        options = self._options
        url = urljoin(options.entrance, options.auth_url)
        password = options.password.get_secret_value() if options.password else ""
        body = msgspec.json.encode({"username": options.user, "password": password})
        self._token = ""
        answer = self._http.post_json(url, body)
        try:
            granted = msgspec.json.decode(answer.body, type=_Granted).token
        except (msgspec.DecodeError, UnicodeDecodeError):
            granted = ""
        if not granted or not granted.isascii() or not granted.isprintable():
            raise Rejected(f"{redacted(url)} answered without a token: check auth_url")
        self._token = granted

    def _no(self, status: Status, where: str) -> Rejected | Unavailable:
        """The error that fits a status; the server's words in it hold nothing that we keep secret."""
        words = str(status)
        for secret in (*self._options.secrets, self._token):
            words = words.replace(secret, "…") if secret else words
        said = f"{where} answered {words}"
        if status.type in TEMPORARY:
            return Unavailable(said, status.wait)
        remedy = REMEDIES.get(status.type)
        return Answered(f"{said}: {remedy}" if remedy else said, status)
