"""One way in for every path: the method is found, the role asked for, the route run, each error given its answer.

There is no middleware: this is the only code between the router and a route.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Literal, NamedTuple

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from tocsin.errors import TocsinError
from tocsin.web.answers import Failure, error_json, failure_of, refusal
from tocsin.web.auth import Access, Need

Handle = Callable[[Request], Awaitable[Response]]
Method = Literal["GET", "POST", "PUT", "DELETE"]
ShowFailure = Callable[[Request, Failure], Response]


class Route(NamedTuple):
    """A row of the table: which methods of which path need which role, and what answers them."""

    methods: Sequence[Method]
    path: str
    role: Need
    handler: Handle


class Door:
    """All rows of one path, as an ASGI application."""

    def __init__(self, path: str, rows: Sequence[Route], access: Access, show: ShowFailure | None = None) -> None:
        self.path = path
        self._access = access
        self._show = show or (lambda request, failure: error_json(failure))
        self._rows: dict[str, Route] = {}
        for row in rows:
            for method in row.methods:
                self._rows[method] = row
        if "GET" in self._rows:
            self._rows["HEAD"] = self._rows["GET"]
        self.allow = ", ".join(sorted({*self._rows, "OPTIONS"}))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive, send)
        try:
            response = await self._answered(request)
        except (TocsinError, HTTPException) as error:
            response = self._show(request, failure_of(error))
        except ClientDisconnect:
            return
        await response(scope, receive, send)

    async def _answered(self, request: Request) -> Response:
        row = self._rows.get(request.method)
        if row is None:
            if request.method == "OPTIONS":
                return Response(status_code=204, headers={"Allow": self.allow})
            raise refusal(405, f"This address takes {self.allow}, not {request.method}.", Allow=self.allow)
        if row.role != "none":
            request.state.principal = await self._access.enter(request, row.role)
        return await row.handler(request)
