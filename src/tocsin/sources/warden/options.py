"""The options of a Warden server that is read."""

from collections.abc import Mapping, Sequence
from typing import Literal, Self

from pydantic import Field, model_validator

from tocsin.kit.warden import WardenOptions
from tocsin.plugin import Plugin

PAIRS = (("cat", "nocat"), ("tag", "notag"), ("group", "nogroup"))


class Options(WardenOptions, Plugin):
    """What is said of a server that is read."""

    receive_delay: float = Field(
        default=60, gt=0, le=604_800, description="Ask for news so often, in seconds; what there is is fetched at once."
    )
    begin: Literal["now", "all"] | int = Field(
        default="now",
        description='Where the first start begins: "now", "all" that the server has, or behind an id of its events; a '
        "number below 0 counts back from the newest.",
    )
    count: int = Field(
        default=500, ge=1, le=10_000, description="Ask for so many events at once; each page is a message."
    )
    cat: list[str] = Field(default=[], description='Only these categories, such as ["Recon", "Attempt.Login"].')
    nocat: list[str] = Field(default=[], description="All but these categories, instead of cat.")
    tag: list[str] = Field(default=[], description='Only events of nodes of these types, such as ["Honeypot"].')
    notag: list[str] = Field(default=[], description="All but those of nodes of these types, instead of tag.")
    group: list[str] = Field(default=[], description="Only events that these clients, or clients below them, sent.")
    nogroup: list[str] = Field(default=[], description="All but those that these clients sent, instead of group.")
    own_names: list[str] = Field(
        default=[],
        description="Names under which this Tocsin sends events, besides the name of this client: what has been there "
        "and comes back is left out.",
    )
    rebuilt: Literal["now", "all"] = Field(
        default="now",
        description="Where to go on when the server's ids have begun anew: where it is now, or with all that it has.",
    )

    @model_validator(mode="after")
    def _chooses(self) -> Self:
        for one, other in PAIRS:
            if getattr(self, one) and getattr(self, other):
                raise ValueError(f"give either {one} or {other}")
        return self

    @property
    def filters(self) -> Mapping[str, Sequence[str]]:
        """As the server wants them: a key for each value."""
        return {key: getattr(self, key) for pair in PAIRS for key in pair if getattr(self, key)}
