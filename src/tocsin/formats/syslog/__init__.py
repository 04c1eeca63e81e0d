"""Syslog: what a record says (RFC 5424, and the older RFC 3164 when read), and how it stands on a line (RFC 6587)."""

from tocsin.formats.syslog.write import Facility, Form, framed, records

__all__ = ["Facility", "Form", "framed", "records"]
