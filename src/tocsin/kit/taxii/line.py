"""Asks a TAXII 2.1 server, and sorts what goes wrong into words."""

from tocsin.errors import Rejected


class Refused(Rejected):
    """The server will not take a request, by its `status`: another one, smaller or without one object, it may."""

    def __init__(self, reason: str, status: int) -> None:
        super().__init__(reason)
        self.status = status
