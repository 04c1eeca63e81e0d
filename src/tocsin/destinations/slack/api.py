"""Slack's methods, asked with a bot token."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import msgspec

from tocsin.destinations.slack.faults import fault_of
from tocsin.errors import Unavailable
from tocsin.kit.http import Client

LONGEST_ANSWER = 8 * 2**20
"""Bytes of a channel's history."""
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class Api:
    """One connection to Slack; every no of its is an error with its code."""

    def __init__(self, token: str, url: str, timeout_s: float) -> None:
        self._url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}"}
        self._http = Client(timeout_s, longest_answer=LONGEST_ANSWER)

    def tell(self, method: str, said: Mapping[str, Any]) -> dict[str, Any]:
        """Ask a method that writes. Raises RefusedBySlack, Rejected, Unavailable."""
        return self._asked(method, msgspec.json.encode(said), {})

    def look(self, method: str, said: Mapping[str, str | int]) -> dict[str, Any]:
        """The same for one that reads: such overlook what stands in JSON, and want a form."""
        return self._asked(method, urlencode(said).encode(), _FORM)

    def close(self) -> None:
        """Let go of the connections."""
        self._http.close()

    def _asked(self, method: str, body: bytes, headers: Mapping[str, str]) -> dict[str, Any]:
        answer = self._http.post_json(f"{self._url}/{method}", body, {**self._headers, **headers})
        try:
            found = msgspec.json.decode(answer.body, type=dict[str, Any])
        except (msgspec.MsgspecError, RecursionError):
            raise Unavailable(f"Slack's answer to {method} is no JSON object") from None
        if not found.get("ok"):
            raise fault_of(str(found.get("error") or "nothing"))
        return found
