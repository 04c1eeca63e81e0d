"""A failure as a person reads it: what happened, what is safe, what to do."""

from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from tocsin.web.answers import Failure
from tocsin.web.pages.drawing import address_of_page, draw, piece


class Words(NamedTuple):
    """What stands on the page besides the sentence of the failure."""

    title: str
    safe: str
    remedy: str
    again: bool = False


KEPT = "Every alert that was received is kept; nothing was changed."
WORDS: Mapping[int, Words] = {
    400: Words("That could not be understood", KEPT, "Go back, look at what was typed, and try again."),
    401: Words("You are not signed in", KEPT, "Sign in and try again.", again=True),
    403: Words("You may not do that", KEPT, "Reload the page and try again, or ask an administrator for the role."),
    404: Words("There is nothing here", KEPT, "Look at the address: the id may be wrong, or retention removed it."),
    405: Words("That is not done here", KEPT, "Go back to the alerts."),
    413: Words("That is too much at once", KEPT, "Choose fewer alerts and try again."),
    429: Words("Too many attempts", KEPT, "Wait a little and try again.", again=True),
    500: Words(
        "Something went wrong inside Tocsin",
        "What was stored before is kept. If you were changing something, look whether it was done.",
        "The log of the server says what happened. Try again; if it comes back, report it with the log.",
        again=True,
    ),
    503: Words(
        "The store cannot be used right now",
        "Alerts that were acknowledged are on disk. Senders are told to try again, and they keep what they have.",
        "Tocsin goes on by itself when the cause is gone: see /readyz and the log of the server.",
        again=True,
    ),
}


def show_failure(request: Request, failure: Failure) -> Response:
    """The failure as a page, as a part for htmx, or as the way to the sign-in."""
    failure = Failure(failure.status, _sentence(failure.sentence), failure.headers)
    words = WORDS.get(failure.status) or WORDS[500 if failure.status >= 500 else 400]
    part = "hx-request" in request.headers
    if failure.status == 401 and request.method in ("GET", "HEAD"):
        target = f"/sign-in?{urlencode({'next': address_of_page(request)})}"
        if not part:
            return RedirectResponse(target, 303)
    if part:
        shown = piece(request, "error_part.html", failure.status, title=words.title, happened=failure.sentence,
                      remedy=words.remedy)  # fmt: skip
        shown.headers.update({"HX-Retarget": "#alarm", "HX-Reswap": "innerHTML", "HX-Push-Url": "false"})
        if failure.status == 401:
            shown.headers["HX-Redirect"] = "/sign-in"
    else:
        again = address_of_page(request) if words.again and request.method == "GET" else ""
        shown = draw(request, "error.html", failure.status, code=failure.status, title=words.title,
                     happened=failure.sentence, safe=words.safe, remedy=words.remedy, again=again)  # fmt: skip
    shown.headers.update({name: value for name, value in failure.headers.items() if name.lower() != "www-authenticate"})
    return shown


def _sentence(words: str) -> str:
    """Messages of errors begin small and end open; a page writes sentences."""
    return words[:1].upper() + words[1:] + ("" if words.endswith((".", "!", "?")) else ".")
