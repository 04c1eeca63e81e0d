"""Asks a TAXII 2.1 server, and sorts what goes wrong into words."""

import base64
from collections.abc import Mapping
from typing import Any, TypeVar
from urllib.parse import urlencode

import msgspec

from tocsin.errors import Rejected, Unavailable
from tocsin.kit.http import Answer, Certificate, Client, Untrusted, redacted, sort
from tocsin.kit.taxii.options import TaxiiOptions
from tocsin.kit.taxii.resources import TAXII

LONGEST_ANSWER = 64 * 2**20
"""Bytes of one page of objects."""
LONGEST_SAID = 200
REMEDIES = {
    404: "check url, or host and discovery",
    406: f"it does not speak TAXII 2.1 ({TAXII})",
    415: f"it does not speak TAXII 2.1 ({TAXII})",
}
MALFORMED = (msgspec.MsgspecError, RecursionError, UnicodeDecodeError)

Shape = TypeVar("Shape")


class Refused(Rejected):
    """The server will not take a request, by its `status`: another one, smaller or without one object, it may."""

    def __init__(self, reason: str, status: int) -> None:
        super().__init__(reason)
        self.status = status


class Unclear(Unavailable):
    """The server said yes, and nothing that could be read: what became of the request is not known."""


class Line:
    """Connections to one server, with what it wants to see of us."""

    def __init__(self, options: TaxiiOptions) -> None:
        """Raises Unavailable if a file of certificates cannot be read."""
        self._secrets = options.secrets
        self._headers = {"Accept": TAXII}
        if options.token is not None:
            self._headers["Authorization"] = f"Bearer {options.token.get_secret_value()}"
        elif options.password is not None:
            said = f"{options.user}:{options.password.get_secret_value()}".encode()
            basic = base64.b64encode(said).decode()
            self._headers["Authorization"] = f"Basic {basic}"
            self._secrets += (basic,)
        shown = None
        if options.client_cert is not None:
            password = options.client_key_password
            shown = Certificate(
                options.client_cert, options.client_key, password.get_secret_value() if password is not None else ""
            )
        self._http = Client(options.timeout_s, options.ca_file, LONGEST_ANSWER, shown)

    def get(self, what: str, url: str, query: Mapping[str, str] | None = None) -> Answer:
        """The answer to a GET; `what` names it in errors. Raises Refused, Unavailable."""
        asked = f"{url}?{urlencode(query)}" if query else url
        return self._ask("GET", what, asked, b"", {})

    def post(self, what: str, url: str, body: bytes) -> Answer:
        """The answer to a POST of a TAXII message. Raises Refused, Unavailable."""
        return self._ask("POST", what, url, body, {"Content-Type": TAXII})

    def read(self, what: str, url: str, shape: type[Shape]) -> Shape:
        """The resource that is there. Raises Refused, Unavailable, Unclear."""
        return resource(self.get(what, url), shape, f"{what} of {redacted(url)}")

    def close(self) -> None:
        """Let go of the connections."""
        self._http.close()

    def _ask(self, method: str, what: str, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        try:
            answer = self._http.ask(method, url, body, {**self._headers, **headers})
        except Untrusted as error:
            raise Untrusted(f"{error}: name its authority in ca_file, or the name it is made out to in host") from None
        if 200 <= answer.status < 300:
            return answer
        try:
            sort(answer, f"{what} of {redacted(url)}", explained(answer.body, self._secrets))
        except Rejected as error:
            remedy = REMEDIES.get(answer.status)
            raise Refused(f"{error}: {remedy}" if remedy else str(error), answer.status) from None
        return answer


def resource(answer: Answer, shape: type[Shape], where: str) -> Shape:
    """An answer's body in the shape it should have; what is null counts as left out. Raises Unclear."""
    if not answer.whole:
        raise Unclear(f"{where} broke off, or is longer than {LONGEST_ANSWER // 2**20} MiB")
    try:
        return msgspec.convert(_without_nulls(msgspec.json.decode(answer.body)), shape, strict=False)
    except MALFORMED:
        raise Unclear(f"{where} is not what TAXII 2.1 says it is (answered {answer.status})") from None


def explained(body: bytes, secrets: tuple[str, ...] = ()) -> str:
    """An error resource's words (section 3.6.1), or those of servers with words of their own; "" for anything else."""
    try:
        found = msgspec.json.decode(body)
    except MALFORMED:
        return ""
    if not isinstance(found, dict):
        return ""
    named = [found.get(key) for key in ("title", "name", "message", "description")]
    return plain(": ".join(dict.fromkeys(each for each in named if isinstance(each, str) and each)), secrets)


def plain(text: str, secrets: tuple[str, ...] = ()) -> str:
    """A peer's words, short, on one line and without secrets."""
    for secret in secrets:
        text = text.replace(secret, "…")
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())[:LONGEST_SAID]


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(each) for key, each in value.items() if each is not None}
    if isinstance(value, list):
        return [_without_nulls(each) for each in value if each is not None]
    return value
