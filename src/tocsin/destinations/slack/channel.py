"""A channel of Slack's, asked with a bot token."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from tocsin.destinations.slack.faults import RefusedBySlack, fault_of
from tocsin.errors import Unavailable
from tocsin.kit.http import Client
from tocsin.model import Receipt

EVENT = "tocsin_alertgroup"
LOOKED_BACK = 100
"""Messages of the channel among which one is looked for that may have been posted already."""
LONGEST_HISTORY = 8 * 2**20
_MAY_NOT_LOOK = frozenset(("missing_scope", "not_allowed_token_type", "not_in_channel", "channel_not_found"))


class Channel:
    """Posts to one channel, with our ids in the message's metadata."""

    def __init__(self, token: str, channel: str, api: str, timeout_s: float) -> None:
        self._name = channel
        self._api = api.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}"}
        self._http = Client(timeout_s, longest_answer=LONGEST_HISTORY)

    def who(self) -> str:
        """Whom Slack takes us for. Raises Rejected, Unavailable."""
        known = self._ask("auth.test", {})
        return f"Slack knows the token: {known.get('user')} of {known.get('team')}"

    def post(self, uids: Sequence[str], said: Mapping[str, Any], *, again: bool) -> Receipt:
        """Post a message about these deliveries; with `again`, look first whether it stands there already.

        Raises Rejected, Unavailable.
        """
        if again and (stamp := self._standing(uids)):
            return Receipt(remote_id=stamp, status="stood there already")
        metadata = {"event_type": EVENT, "event_payload": {"deliveries": list(uids)}}
        quiet = {"unfurl_links": False, "unfurl_media": False}
        answer = self._ask("chat.postMessage", {"channel": self._name, "metadata": metadata, **quiet, **said})
        return Receipt(remote_id=f"{answer.get('channel')}/{answer.get('ts')}", status="posted")

    def close(self) -> None:
        """Let go of the connections."""
        self._http.close()

    def _standing(self, uids: Sequence[str]) -> str:
        """Channel and time stamp of a message about all of these deliveries, or "" (also where we may not look)."""
        asked = {"channel": self._name, "limit": LOOKED_BACK, "include_all_metadata": True}
        try:
            found = self._ask("conversations.history", asked)
        except RefusedBySlack as error:
            if error.code in _MAY_NOT_LOOK:
                return ""
            raise
        for message in found.get("messages") or ():
            payload = (message.get("metadata") or {}).get("event_payload") or {}
            if set(uids) <= set(payload.get("deliveries") or ()):
                return f"{self._name}/{message.get('ts')}"
        return ""

    def _ask(self, method: str, said: Mapping[str, Any]) -> dict[str, Any]:
        answer = self._http.post_json(f"{self._api}/{method}", msgspec.json.encode(said), self._headers)
        try:
            found = msgspec.json.decode(answer.body, type=dict[str, Any])
        except (msgspec.MsgspecError, RecursionError):
            raise Unavailable(f"Slack's answer to {method} is no JSON object") from None
        if not found.get("ok"):
            raise fault_of(str(found.get("error") or "nothing"))
        return found
