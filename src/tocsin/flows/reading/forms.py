"""The forms that are read, in the order in which they are asked."""

from tocsin.flows.reading import argus, eve, nfdump, pcap, zeek_json, zeek_tab
from tocsin.flows.reading.reader import Form, Ignored, Reader, Translator

FORMS: tuple[Form, ...] = (
    pcap.recognise,
    nfdump.recognise,
    zeek_tab.recognise,
    eve.recognise,
    zeek_json.recognise,
    argus.recognise,
)


def recognise(head: bytes) -> Reader | Translator | Ignored | None:
    """What reads a file that begins so; None where nothing does."""
    return next((reader for form in FORMS if (reader := form(head)) is not None), None)
