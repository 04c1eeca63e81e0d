"""Hands every alert to Logstash as a document, through its Beats input or its HTTP input."""

from collections.abc import Sequence
from functools import cached_property
from typing import Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from tocsin.destinations.logstash.carrying import Carrier
from tocsin.destinations.logstash.documents import Documents
from tocsin.destinations.logstash.fates import outcome, within
from tocsin.destinations.logstash.ways import Beats, Http, Way
from tocsin.errors import DeliveryError
from tocsin.formats.idea import NSID
from tocsin.formats.idea.categories import Categories
from tocsin.kit.lumberjack import LumberjackOptions
from tocsin.kit.secrets import Secret
from tocsin.model import Delivery, Kind, Receipt, Sent
from tocsin.plugin import Destination


def _known(categories: dict[str, list[str]]) -> dict[str, list[str]]:
    Categories(categories)
    return categories


class Logstash(LumberjackOptions, Destination):
    """Hands every alert to Logstash as a document, through its Beats input or its HTTP input.

    With `beats` an alertgroup has arrived once Logstash has acknowledged each of its documents (Lumberjack v2). A
    document may come twice, under the same `event.id`, as when the connection breaks before the acknowledgement. One at
    which Logstash drops the connection again and again, while it takes others, fails by itself. With `http` it has
    arrived when Logstash says 200, which means that it is in Logstash's memory or persistent queue.
    """

    batch: ClassVar[int] = 500
    kinds: ClassVar[frozenset[Kind]] = frozenset(("alert", "recall"))

    input: Literal["beats", "http"] = Field(default="beats", description="Which input of Logstash it is.")
    url: Secret | None = Field(default=None, description="Where to POST, for `http`; may hold a token, never shown.")
    headers: dict[str, Secret] = Field(default={}, description="Headers to send besides, such as Authorization.")
    user: str = Field(default="", pattern="^[^:]*$", description="Name to sign in with, for `http` (HTTP Basic).")
    password: Secret | None = Field(default=None, description="Password of user.")
    documents: Literal["ecs", "idea"] = Field(
        default="ecs", description="`ecs`: Elastic Common Schema. `idea`: the lines of `alerts.json` as they are."
    )
    original: bool = Field(default=True, description="Whether an ECS document has the row as received in it.")
    link: str = Field(default="", description="Address of the pages, such as https://tocsin.example, for event.url.")
    node: Annotated[str, StringConstraints(pattern=f"^{NSID}$")] = Field(
        default="tocsin", description="This hub's name in IDEA, as in idea_log."
    )
    categories: Annotated[dict[str, list[str]], AfterValidator(_known)] = Field(
        default={}, description="IDEA categories for words of your detectors, as in idea_log; ECS follows them."
    )

    @model_validator(mode="after")
    def _says_one_input(self) -> Self:
        if self.input == "beats" and (not self.host or self.url is not None):
            raise ValueError("give host, and no url, for the Beats input")
        if self.input == "http" and (self.host or self.url is None):
            raise ValueError("give url, and no host, for the HTTP input")
        if bool(self.user) != (self.password is not None):
            raise ValueError("user and password go together")
        if self.client_cert is None and (self.client_key is not None or self.client_key_password is not None):
            raise ValueError("client_key is nothing without client_cert")
        return self

    def send(self, delivery: Delivery) -> Receipt:
        """Hand over one alertgroup. Raises Rejected, Unavailable, Skipped."""
        [came] = self.send_batch([delivery], "").outcomes
        if isinstance(came, DeliveryError):
            raise came
        return came

    def send_batch(self, deliveries: Sequence[Delivery], cursor: str) -> Sent:
        """Hand over many; what Logstash did not take keeps nothing else from it."""
        made = [self._documents.of(each) for each in deliveries]
        fates = iter(self._carrier.carry([one for documents in made for one in documents]))
        return Sent([outcome(within(fates, len(documents))) for documents in made], cursor)

    def check(self) -> str:
        """Whether Logstash takes connections; raises DeliveryError saying what is wrong."""
        return self._way.check()

    def close(self) -> None:
        """Let go of the connection."""
        if "_way" in self.__dict__:
            self._way.close()

    @cached_property
    def _documents(self) -> Documents:
        return Documents(self.documents, self.node, Categories(self.categories), self.link, original=self.original)

    @cached_property
    def _way(self) -> Way:
        return Beats(self) if self.url is None else Http(self, self.url, self.headers, self.user, self.password)

    @cached_property
    def _carrier(self) -> Carrier:
        return Carrier(self._way)
