"""The options of the destination."""

import ipaddress
from typing import Self

from pydantic import Field, field_validator, model_validator

from tocsin.destinations.warden.dressing import Hidden
from tocsin.formats.idea.categories import Categories
from tocsin.kit.warden import WardenOptions
from tocsin.plugin import Plugin


class Options(WardenOptions, Plugin):
    """What is said of a server that is sent to."""

    categories: dict[str, list[str]] = Field(
        default={},
        description="IDEA categories for words of your detectors, asked before the built-in ones, such as "
        '`"odd login" = ["Attempt.Login"]`.',
    )
    test: bool = Field(
        default=False,
        description="Whether every event is marked as Test besides, as hubs want it of a new client until they clear "
        "it; otherwise only tests of the lane are.",
    )
    alertgroups: bool = Field(
        default=False, description="Whether an alertgroup of several alerts has an event of its own, with CorrelID."
    )
    hidden: Hidden = Field(
        default="pseudonym",
        description='What stands where the redaction profile puts a pseudonym: "pseudonym" itself, "network" for '
        '`networks` (IDEA\'s Imprecise), or "omit" for nothing. In each case the end says Anonymised.',
    )
    networks: list[str] = Field(
        default=[], description='Your public networks, such as "198.51.100.0/24", for `hidden = "network"`.'
    )
    look_back: int = Field(
        default=100_000,
        ge=0,
        le=10_000_000,
        description="Among so many of the server's last events is looked for what an attempt without an answer sent; "
        "0 never looks. The look moves the place that the server remembers for this client.",
    )

    @field_validator("categories")
    @classmethod
    def _are_known(cls, categories: dict[str, list[str]]) -> dict[str, list[str]]:
        Categories(categories)
        return categories

    @field_validator("networks")
    @classmethod
    def _are_networks(cls, networks: list[str]) -> list[str]:
        return [str(ipaddress.ip_network(text)) for text in networks]

    @model_validator(mode="after")
    def _says_what_stands_there(self) -> Self:
        if (self.hidden == "network") != bool(self.networks):
            raise ValueError('hidden = "network" and networks go together')
        return self
