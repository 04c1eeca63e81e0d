"""Posts to a Slack channel: as an app with a bot token, or through an incoming webhook."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any, ClassVar, Literal, Self

import msgspec
from pydantic import Field, model_validator

from tocsin.destinations.slack.channel import Channel
from tocsin.entities import defanged
from tocsin.errors import DeliveryError
from tocsin.formats.slack import TEXT, SlackForm
from tocsin.kit.http import Client
from tocsin.kit.secrets import Secret
from tocsin.model import Delivery, Receipt, Sent
from tocsin.plugin import Destination

FORM = SlackForm(defanged)


class Slack(Destination):
    """Posts each alertgroup to a Slack channel, many at once as one digest.

    With a `token` it needs the scope chat:write. Slack takes no key against doubles: where an attempt's answer was
    lost, the channel's last messages are looked through for it first (scope channels:history); without that scope, it
    may stand there twice.
    """

    batch: ClassVar[int] = 50

    token: Secret | None = Field(default=None, description="Bot token (xoxb-…) of the app that posts.")
    webhook: Secret | None = Field(default=None, description="URL of an incoming webhook, instead of a token.")
    channel: str = Field(default="", description="Channel by id (C…) or name (#alerts); a webhook has its own.")
    style: Literal["blocks", "slips"] = Field(
        default="blocks", description='"blocks" shows severity, rows and tags; "slips" is the one line Slips writes.'
    )
    sensor: str = Field(default="tocsin", description='Who speaks, at the beginning of each line of style "slips".')
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
        """Post one alertgroup; the receipt holds the channel and the message's time stamp."""
        group = delivery.alertgroup
        if self.style == "slips":
            text = "\n".join(FORM.slips_lines(group, self.sensor))
            return self._post([delivery], {"text": text[: 10 * TEXT]})
        blocks = FORM.blocks(group, self._link(group.id))
        return self._post([delivery], {"text": FORM.fallback(group), "blocks": blocks})

    def send_batch(self, deliveries: Sequence[Delivery], cursor: str) -> Sent:
        """Few of them each for itself, many as one message."""
        if len(deliveries) < self.digest_from:
            return Sent.one_by_one(self.send, deliveries, cursor)
        groups = [each.alertgroup for each in deliveries]
        text, blocks = FORM.digest(groups, [self._link(group.id) for group in groups])
        outcome: Receipt | DeliveryError
        try:
            outcome = self._post(deliveries, {"text": text, "blocks": blocks})
        except DeliveryError as error:
            outcome = error
        return Sent([outcome] * len(deliveries), cursor)

    def check(self) -> str:
        """Ask Slack who we are, or whether the webhook's host answers. Raises DeliveryError."""
        if self.webhook is not None:
            return self._http.reach(self.webhook.get_secret_value())
        return self._channel.who()

    def close(self) -> None:
        """Let go of the connections."""
        (self._http if self.webhook is not None else self._channel).close()

    def _post(self, deliveries: Sequence[Delivery], said: dict[str, Any]) -> Receipt:
        if self.webhook is not None:
            self._http.post_json(self.webhook.get_secret_value(), msgspec.json.encode(said))
            return Receipt(status="posted")
        return self._channel.post([each.uid for each in deliveries], said, again=any(e.attempt > 1 for e in deliveries))

    def _link(self, group: int) -> str:
        return f"{self.link.rstrip('/')}/alerts/{group}" if self.link else ""

    @cached_property
    def _channel(self) -> Channel:
        token = self.token.get_secret_value() if self.token is not None else ""
        return Channel(token, self.channel, self.api, self.timeout_s)

    @cached_property
    def _http(self) -> Client:
        return Client(self.timeout_s)
