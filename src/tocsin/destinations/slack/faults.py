"""Slack's own codes of errors, sorted into what passes and what stays.

They are those of docs.slack.dev, "Errors" of chat.postMessage, chat.update and conversations.replies.
"""

from tocsin.errors import Rejected, Unavailable

PASSING = frozenset(
    ("ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable", "request_timeout")
)
"""They pass; every other one stays."""
NOT_EDITABLE = frozenset(("edit_window_closed", "cant_update_message", "update_failed", "msg_too_long"))
"""A message that cannot be edited (any more) and stands there all the same; its thread is open."""
GONE = frozenset(("message_not_found", "thread_not_found", "cannot_reply_to_message"))
"""There is no such message (any more)."""
REMEDIES = {
    "channel_not_found": "name an existing channel by its id, and invite the app to it",
    "not_in_channel": "invite the app to the channel",
    "is_archived": "the channel is archived: name another",
    "invalid_auth": "the token is wrong: copy it again from the app's page",
    "not_authed": "no token was sent",
    "token_revoked": "the token was revoked: install the app again",
    "token_expired": "the token is too old: make a new one",
    "account_inactive": "the token belongs to an app or team that is gone",
    "missing_scope": "give the app the scope chat:write and install it again",
    "msg_too_long": "the message is too long",
    "msg_blocks_too_long": "the message is too long",
    "invalid_blocks": "Slack does not take the message's form",
    "no_text": "the message is empty",
}


class RefusedBySlack(Rejected):
    """Slack's own no, with its code."""

    def __init__(self, reason: str, code: str) -> None:
        super().__init__(reason)
        self.code = code


def fault_of(code: str) -> RefusedBySlack | Unavailable:
    """The error for a code: whether it passes, and what to do where it stays."""
    if code in PASSING:
        return Unavailable(f"Slack answered {code[:80]}")
    return RefusedBySlack(f"Slack answered {code[:80]}: {REMEDIES.get(code, 'see its documentation')}", code)
