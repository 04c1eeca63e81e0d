"""The options of a collection that is read."""

from typing import Annotated, Any

from pydantic import Field, PrivateAttr, field_validator

from tocsin.kit.stix_options import IDENTITIES, OURS
from tocsin.kit.taxii import TaxiiOptions, instant
from tocsin.plugin import Plugin

NOW, ALL = "now", "all"


class Options(TaxiiOptions, Plugin):
    """What is said of a collection."""

    interval_s: float = Field(default=60, gt=0, le=86400, description="Ask for news so often, in seconds.")
    begin: str = Field(
        default=NOW,
        description='Where the first start begins: "now" (five minutes before it, as clocks differ), "all", or with '
        'what was added after a time such as "2026-11-01T00:00:00Z".',
    )
    page: int = Field(
        default=500, ge=1, le=5000, description="Ask for so many objects at once; each page is a message."
    )
    types: list[Annotated[str, Field(pattern=r"^[a-z0-9-]{3,250}$")]] = Field(
        default=[], description='Ask for objects of these types alone, such as ["indicator", "sighting"]; empty: all.'
    )
    own_identities: list[str] = Field(
        default=[],
        description="What this Tocsin wrote as STIX and comes back is left out. Here are names under which it wrote "
        "before, beside those that stand as `identity` in this configuration.",
    )

    _identities: frozenset[str] = PrivateAttr(default=frozenset((OURS,)))

    def model_post_init(self, context: Any) -> None:
        """Remember in whose name the destinations write."""
        if context:
            self._identities = context.get(IDENTITIES, self._identities)

    @property
    def identities(self) -> frozenset[str]:
        """All names under which this Tocsin writes STIX, or did."""
        return self._identities.union(self.own_identities)

    @field_validator("begin")
    @classmethod
    def _is_a_time(cls, begin: str) -> str:
        if begin in (NOW, ALL):
            return begin
        try:
            return instant(begin)
        except ValueError:
            raise ValueError('must be "now", "all", or a time with its zone such as "2026-11-01T00:00:00Z"') from None

    @property
    def read(self) -> str:
        """What is read, in words that tell collections apart."""
        return f"{self.collection} at {self.discovery_url}"
