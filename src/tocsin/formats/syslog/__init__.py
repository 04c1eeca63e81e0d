"""Syslog: what a record says (RFC 5424, and the older RFC 3164 when read), and how it stands on a line (RFC 6587)."""

from tocsin.formats.syslog.frames import Frame, Frames
from tocsin.formats.syslog.read import BAD, Record, record
from tocsin.formats.syslog.write import Facility, Form, framed, records

__all__ = ["BAD", "Facility", "Form", "Frame", "Frames", "Record", "framed", "record", "records"]
