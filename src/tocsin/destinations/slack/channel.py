"""A channel of Slack's: posts, edits and replies of ours in it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tocsin.destinations.slack.api import Api
from tocsin.destinations.slack.faults import RefusedBySlack
from tocsin.destinations.slack.places import REPLY, Place
from tocsin.model import Receipt

EVENT = "tocsin_alertgroup"
LOOKED_BACK, LOOKED_DOWN = 100, 1000
"""Messages of the channel, and of a thread, among which one is looked for that may have been posted already."""
QUIET = {"unfurl_links": False, "unfurl_media": False}
STOOD = "stood there already"
_MAY_NOT_LOOK = frozenset(("missing_scope", "not_allowed_token_type", "not_in_channel", "channel_not_found"))


class Channel:
    """Posts to one channel, with our ids in the messages' metadata. Every call raises Rejected or Unavailable."""

    def __init__(self, token: str, channel: str, api: str, timeout_s: float) -> None:
        self._name = self._id = channel  # only posting takes a name; its answer tells the id
        self._api = Api(token, api, timeout_s)

    def who(self) -> str:
        """Whom Slack takes us for."""
        known = self._api.tell("auth.test", {})
        return f"Slack knows the token: {known.get('user')} of {known.get('team')}"

    def post(self, uids: Sequence[str], said: Mapping[str, Any], *, again: bool) -> Receipt:
        """Post a message about these deliveries; with `again`, look first whether it stands there already."""
        if again:
            for stamp, known in self._looked("conversations.history", {"channel": self._id, "limit": LOOKED_BACK}):
                if known.issuperset(uids):
                    return Receipt(remote_id=f"{self._id}/{stamp}", status=STOOD)
        answer = self._api.tell("chat.postMessage", {"channel": self._name, **_marked(uids), **QUIET, **said})
        self._id = str(answer.get("channel") or self._id)
        return Receipt(remote_id=f"{self._id}/{answer.get('ts')}", status="posted")

    def edit(self, place: Place, said: Mapping[str, Any]) -> None:
        """Put something else into a message of ours; it may be done twice."""
        # parse: without it chat.update, unlike chat.postMessage, makes links of what looks like one.
        where = {"channel": place.channel, "ts": place.stamp, "parse": "none"}
        self._api.tell("chat.update", {**where, "blocks": [], **said})

    def reply(self, place: Place, uids: Sequence[str], said: Mapping[str, Any]) -> Receipt:
        """Post in the thread of a message."""
        where = {"channel": place.channel, "thread_ts": place.stamp}
        answer = self._api.tell("chat.postMessage", {**where, **_marked(uids), **QUIET, **said})
        return Receipt(remote_id=f"{place.channel}/{answer.get('ts')}{REPLY}", status="told in the thread")

    def replies(self, place: Place) -> dict[str, Receipt]:
        """Deliveries that the thread of a message tells of already, by uid; none where we may not look."""
        asked: dict[str, str | int] = {"channel": place.channel, "ts": place.stamp, "limit": LOOKED_DOWN}
        return {
            uid: Receipt(remote_id=f"{place.channel}/{stamp}{REPLY}", status=STOOD)
            for stamp, known in self._looked("conversations.replies", asked)
            if stamp != place.stamp
            for uid in known
        }

    def close(self) -> None:
        """Let go of the connections."""
        self._api.close()

    def _looked(self, method: str, asked: Mapping[str, str | int]) -> Iterable[tuple[str, frozenset[str]]]:
        """Time stamps of messages, with the uids of the deliveries they are about; none where we may not look."""
        try:
            found = self._api.look(method, {**asked, "include_all_metadata": "true"})
        except RefusedBySlack as error:
            if error.code in _MAY_NOT_LOOK:
                return
            raise
        for message in found.get("messages") or ():
            payload = (message.get("metadata") or {}).get("event_payload") or {}
            yield str(message.get("ts")), frozenset(map(str, payload.get("deliveries") or ()))


def _marked(uids: Sequence[str]) -> dict[str, Any]:
    return {"metadata": {"event_type": EVENT, "event_payload": {"deliveries": list(uids)}}} if uids else {}
