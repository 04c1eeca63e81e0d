"""FIRST TLP 2.0 as STIX 2.1 carries it: objects that OASIS published once, never to be made anew."""

from tocsin.formats.stix.objects import SPEC, MarkingDefinition
from tocsin.model import TLP

EXTENSION = "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d"
PUBLISHED = "2022-10-01T00:00:00.000Z"


def _published(tlp: TLP, uuid: str) -> MarkingDefinition:
    return MarkingDefinition(
        spec_version=SPEC,
        id=f"marking-definition--{uuid}",
        created=PUBLISHED,
        name=f"TLP:{tlp.value.upper()}",
        extensions={EXTENSION: {"extension_type": "property-extension", "tlp_2_0": tlp.value}},
    )


MARKINGS = {
    TLP.CLEAR: _published(TLP.CLEAR, "94868c89-83c2-464b-929b-a1a8aa3c8487"),
    TLP.GREEN: _published(TLP.GREEN, "bab4a63c-aed9-4cf5-a766-dfca5abac2bb"),
    TLP.AMBER: _published(TLP.AMBER, "55d920b0-5e8b-4f79-9ee9-91f868d9b421"),
    TLP.AMBER_STRICT: _published(TLP.AMBER_STRICT, "939a9414-2ddd-4d32-a0cd-375ea402b003"),
    TLP.RED: _published(TLP.RED, "e828b379-4e03-4974-9ac4-e53a884c97c1"),
}
"""TLP -> its object. Nobody's word is no object."""
