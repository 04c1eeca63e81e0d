"""Posts to a Slack channel: as an app with a bot token, or through an incoming webhook."""

from collections.abc import Sequence
from functools import cached_property
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from tocsin.destinations.slack.channel import Channel
from tocsin.destinations.slack.hook import Hook
from tocsin.destinations.slack.presence import Presence
from tocsin.destinations.slack.telling import Telling
from tocsin.destinations.slack.words import Words
from tocsin.errors import DeliveryError
from tocsin.kit.secrets import Secret
from tocsin.model import Delivery, Kind, Receipt, Sent
from tocsin.plugin import Destination


class Slack(Destination):
    """Posts each alertgroup to a Slack channel, many at once as one digest, and tells there what becomes of it.

    With a `token` it needs the scope chat:write. Slack takes no key against doubles: where an attempt's answer was
    lost, the channel's last messages are looked through for it first (scope channels:history, and the channel by its
    id); where that is not possible, it may stand there twice.

    When status or repeats change, and when it is recalled, the message is edited; what stands in a digest, or can no
    longer be edited, is told in its thread. Through a webhook nothing can be edited: changes are skipped, and a recall
    is a message of its own.
    """

    batch: ClassVar[int] = 50
    kinds: ClassVar[frozenset[Kind]] = frozenset(("alert", "update", "recall"))

    token: Secret | None = Field(default=None, description="Bot token (xoxb-…) of the app that posts.")
    webhook: Secret | None = Field(default=None, description="URL of an incoming webhook, instead of a token.")
    channel: str = Field(default="", description="Channel by id (C…) or name (#alerts); a webhook has its own.")
    style: Literal["blocks", "slips"] = Field(
        default="blocks", description='"blocks" shows severity, rows and tags; "slips" is the one line Slips writes.'
    )
    sensor: str = Field(default="tocsin", description='Who speaks, at the beginning of each line of style "slips".')
    presence: bool = Field(
        default=False, description='Style "slips" also posts that it started (with the first delivery) and stopped.'
    )
    link: str = Field(default="", description="Address of the pages, such as https://tocsin.example; for links back.")
    digest_from: int = Field(default=6, ge=2, description="So many that wait become one message.")
    timeout_s: float = Field(default=30, gt=0, le=600, description="Longest wait for Slack, in seconds.")
    api: str = Field(default="https://slack.com/api/", description="Where Slack's methods are asked.")

    @model_validator(mode="after")
    def _has_one_way(self) -> Self:
        if (self.token is None) == (self.webhook is None):
            raise ValueError("give either a token, with a channel, or a webhook")
        if self.token is not None and not self.channel:
            raise ValueError("channel is required with a token: its id, or its name with #")
        return self

    def send(self, delivery: Delivery) -> Receipt:
        """Post one alertgroup, or tell what became of it; the receipt holds the message's channel and time stamp."""
        (outcome,) = self.send_batch([delivery], "").outcomes
        if isinstance(outcome, DeliveryError):
            raise outcome
        return outcome

    def send_batch(self, deliveries: Sequence[Delivery], cursor: str) -> Sent:
        """Few alertgroups each for itself, many as one message; then what became of others."""
        if self._presence is not None:
            self._presence.begins()
        alerts = [each for each in deliveries if each.kind == "alert"]
        outcomes = self._telling.posted(alerts, as_digest=len(alerts) >= self.digest_from)
        outcomes |= self._telling.followed([each for each in deliveries if each.kind != "alert"])
        return Sent([outcomes[each.uid] for each in deliveries], cursor)

    def check(self) -> str:
        """Ask Slack who we are, or whether the webhook's host answers. Raises DeliveryError."""
        return self._line.who()

    def close(self) -> None:
        """Let go of the connections."""
        if self._presence is not None:
            self._presence.ends()
        self._line.close()

    def _opened(self, timeout_s: float) -> Channel | Hook:
        if self.webhook is not None:
            return Hook(self.webhook.get_secret_value(), timeout_s)
        token = self.token.get_secret_value() if self.token is not None else ""
        return Channel(token, self.channel, self.api, timeout_s)

    @cached_property
    def _line(self) -> Channel | Hook:
        return self._opened(self.timeout_s)

    @cached_property
    def _telling(self) -> Telling:
        return Telling(self._line, Words(self.style == "slips", self.sensor, self.link))

    @cached_property
    def _presence(self) -> Presence | None:
        return Presence(self._opened, self.sensor) if self.presence and self.style == "slips" else None
