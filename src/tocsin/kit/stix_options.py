"""The options of every destination that writes STIX 2.1. Fields only: `formats.stix.feed.Feed` writes by them."""

from typing import Literal

from pydantic import BaseModel, Field

from tocsin.model import Severity

Least = Literal["info", "low", "medium", "high", "critical"]


class StixOptions(BaseModel):
    """To be inherited beside `Destination`."""

    identity: str = Field(
        default="Tocsin", min_length=1, max_length=200, description="Whose word it is: the name of your organisation."
    )
    link: str = Field(
        default="",
        pattern=r"^(https?://\S+)?$",
        description='Where readers find this Tocsin, such as "https://tocsin.example.org", for links back; empty: none.',
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

    @property
    def least(self) -> Severity:
        """The severity that `least_severity` names."""
        return Severity[self.least_severity.upper()]
