"""The options of every destination that writes STIX 2.1. `formats.stix.feed.Feed` writes by them.

known = Known(**self.told())
Feed(self.identity, own=known.is_own, entities=lambda group: by_alert(group, known), **self.wording())
"""

from collections.abc import Callable, Mapping
from typing import Any, Literal, TypedDict

from pydantic import BaseModel, Field, PrivateAttr

from tocsin.errors import Unavailable
from tocsin.model import Severity

TOLD = "told"
"""The key of pydantic's validation context under which is found what `entities.Known` is made of; a function."""

IDENTITIES = "identities"
"""The key under which are found all names in which this Tocsin writes STIX."""
OURS = "Tocsin"
"""The name where none is given."""

Least = Literal["info", "low", "medium", "high", "critical"]


class Wording(TypedDict):
    """As `Feed` takes it."""

    link: str
    least: Severity
    asserted: frozenset[str]
    profile: Literal["stix", "slips"]


class StixOptions(BaseModel):
    """To be inherited beside `Destination`."""

    identity: str = Field(
        default=OURS, min_length=1, max_length=200, description="Whose word it is: the name of your organisation."
    )
    link: str = Field(
        default="",
        pattern=r"^(https?://\S+)?$",
        description='Where this Tocsin is, for links back, such as "https://tocsin.example.org"; empty: none.',
    )
    least_severity: Least = Field(
        default="low", description="An alert of lower severity says of nothing that it is bad; one that has none may."
    )
    asserted: list[str] = Field(
        default=[],
        description="Types of entities that are said to be bad wherever they stand in such an alert, beside its "
        'attackers: `["sha256", "url"]`.',
    )
    profile: Literal["stix", "slips"] = Field(
        default="stix",
        description='"stix": all that an alert says. "slips": the one indicator that Slips writes, for readers of its '
        "feed.",
    )

    _told: Callable[[], Mapping[str, Any]] = PrivateAttr(default=dict)

    def model_post_init(self, context: Any) -> None:
        """Remember where it is found what is our own."""
        if context:
            self._told = context.get(TOLD, dict)

    def told(self) -> dict[str, Any]:
        """What `entities.Known` is made of. Raises Unavailable where a file of own words was taken away."""
        try:
            return dict(self._told())
        except OSError as error:
            raise Unavailable(f"{error.filename} cannot be read: {error.strerror}") from error

    def wording(self) -> Wording:
        """The options that `Feed` takes by name."""
        least = Severity[self.least_severity.upper()]
        return Wording(link=self.link, least=least, asserted=frozenset(self.asserted), profile=self.profile)
