"""Coming in and going out: sign-in, sign-out, and the choice of light or dark."""

from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from tocsin.web.pages.drawing import THEME, draw
from tocsin.web.reading import query_of, read_form
from tocsin.web.state import web_of

A_YEAR_S = 365 * 86_400
WRONG = "Name or password is wrong. Nothing was changed; try again."


def inside(address: str) -> str:
    """The address if it is one of ours, else the alerts: nobody is sent elsewhere by a link to our sign-in."""
    parts = urlsplit(address) if address.isprintable() else None
    ours = parts is not None and not parts.scheme and not parts.netloc and address.startswith("/")
    return address if ours and not address.startswith(("//", "/\\")) and "\\" not in address else "/alerts"


async def sign_in_page(request: Request) -> Response:
    """GET /sign-in."""
    to = inside(query_of(request).get("next", ["/alerts"])[-1])
    return await run_in_threadpool(_form, request, to)


async def sign_in(request: Request) -> Response:
    """POST /sign-in: `name`, `password`, and where to go `next`."""
    form = await read_form(request, limit=16 * 1024)
    name, password, to = (form.get(field, [""])[-1] for field in ("name", "password", "next"))
    access = web_of(request).access
    try:
        session = await access.sign_in(request, name, password)
    except HTTPException as error:
        return await run_in_threadpool(_form, request, inside(to), name, error.detail, error.status_code)
    if session is None:
        return await run_in_threadpool(_form, request, inside(to), name, WRONG, 401)
    response = RedirectResponse(inside(to), 303)
    access.set_cookie(request, response, session)
    return response


async def sign_out(request: Request) -> Response:
    """POST /sign-out: the session ends here and in the store."""
    response = RedirectResponse("/sign-in", 303)
    await web_of(request).access.sign_out(request, response)
    return response


async def theme(request: Request) -> Response:
    """POST /theme: light or dark from now on, kept in a cookie. Without script, the other than the one chosen last."""
    form = await read_form(request, limit=16 * 1024)
    wanted = form.get("theme", [""])[-1]
    if wanted not in ("light", "dark"):
        wanted = "light" if request.cookies.get(THEME) == "dark" else "dark"
    response = RedirectResponse(inside(form.get("next", ["/alerts"])[-1]), 303)
    response.set_cookie(THEME, wanted, max_age=A_YEAR_S, path="/", samesite="lax")
    return response


def _form(request: Request, to: str, name: str = "", problem: str = "", status: int = 200) -> Response:
    return draw(request, "signin.html", status, next=to, name=name[:200], problem=problem)
