"""What a partner is not to see: a redaction profile, as it stands in the configuration."""

import ipaddress
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator

from tocsin.model import TLP
from tocsin.sharing.pseudonyms import SPACE


def _says_something(clearance: TLP) -> TLP:
    if clearance is TLP.UNSET:
        raise ValueError("must be clear, green, amber, amber+strict or red")
    return clearance


Clearance = Annotated[TLP, AfterValidator(_says_something)]
"""The highest traffic light that may be sent somewhere."""

WAYS = ("pseudonym", "drop")
Way = Literal["pseudonym", "drop"]


class Profile(BaseModel):
    """What is taken out of everything that goes to a destination."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True, hide_input_in_errors=True)

    networks: list[str] = Field(
        default=[], description='Internal networks, such as "10.0.0.0/8": no address of them leaves.'
    )
    domains: list[str] = Field(
        default=[], description='Own domains, such as "corp.example": no host name or mail address under them leaves.'
    )
    users: bool = Field(default=False, description="Take out user names: the values of columns that hold them.")
    mail: Literal["", "own", "all"] = Field(
        default="", description='Take out mail addresses: "own" those under the own domains, "all" every one.'
    )
    columns: list[str] = Field(
        default=[], description="Columns, or keys of nested cells, left out whole; * stands for any characters."
    )
    bodies: bool = Field(default=False, description="Leave out the text that came with an alertgroup.")
    links: bool = Field(default=True, description="Leave out links back to the detector.")
    way: Way = Field(
        default="pseudonym",
        description='"pseudonym" puts keyed names and addresses in place of real ones, the same for the same, '
        'so that a partner can still correlate; "drop" puts [redacted].',
    )

    @field_validator("networks")
    @classmethod
    def _are_networks(cls, networks: list[str]) -> list[str]:
        for text in networks:
            try:
                net = ipaddress.ip_network(text)
            except ValueError as error:
                raise ValueError(f"{text}: {error}") from None
            space = SPACE[net.version]
            if net.overlaps(space):
                raise ValueError(f"{net} overlaps {space}, where pseudonyms live")
            if net.prefixlen <= space.prefixlen:
                raise ValueError(f"{net} is wider than {space}, where pseudonyms live")
        return networks

    @field_validator("domains")
    @classmethod
    def _are_domains(cls, domains: list[str]) -> list[str]:
        for text in domains:
            labels = text.strip(".").split(".")
            if not all(label.replace("-", "").isalnum() for label in labels):
                raise ValueError(f"{text!r} is no domain name")
        return [text.strip(".").lower() for text in domains]
