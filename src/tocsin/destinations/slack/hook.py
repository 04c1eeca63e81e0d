"""An incoming webhook of Slack's: it posts, and neither edits nor looks."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from tocsin.kit.http import Client
from tocsin.model import Receipt


class Hook:
    """Posts to the channel that Slack made the URL for."""

    def __init__(self, url: str, timeout_s: float) -> None:
        self._url, self._http = url, Client(timeout_s)

    def who(self) -> str:
        """Whether the URL's host answers. Raises Rejected, Unavailable."""
        return self._http.reach(self._url)

    def post(self, _: Sequence[str], said: Mapping[str, Any], *, again: bool) -> Receipt:  # noqa: ARG002 - cannot look
        """Post a message. Raises Rejected, Unavailable."""
        self._http.post_json(self._url, msgspec.json.encode(said))
        return Receipt(status="posted")

    def close(self) -> None:
        """Let go of the connections."""
        self._http.close()
