"""What analysts change on the Alerts page: open and close, tags and sources, undo, failed deliveries."""

from collections.abc import Callable, Sequence
from json import JSONDecodeError, loads

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from tocsin.errors import Malformed
from tocsin.model import Status
from tocsin.store import alertgroup, delivery
from tocsin.store.engine import Tx
from tocsin.web.notes import now_micros
from tocsin.web.pages import false, head, ranges
from tocsin.web.pages.alerts import asked_of, store_of
from tocsin.web.pages.chosen import choose, statuses_of
from tocsin.web.pages.drawing import Form, piece
from tocsin.web.pages.notices import Notice, in_address, statuses_before
from tocsin.web.state import path_id, principal_of

LONGEST_LABEL = 200
MOST_LABELS = 100
ALL_PARTS = ("facts", "labels", "repeats", "evidence", "counts", "way", "why", "past")


def status(request: Request, form: Form) -> Response:
    """POST /alerts/ID/status: `status` for the alerts in `alert` and `alerts` (ranges), or for all if none is named.

    With `false` the whole alertgroup is closed with the tag that says so; opened again, it loses that tag.
    """
    wanted = _choice(form, "status", ("open", "closed", "false"))
    ids = sorted({*ranges.read(",".join(form.get("alert", []))), *ranges.read(",".join(form.get("alerts", [])))})
    group, who, now, tags = path_id(request), _who(request), now_micros(), false.tags_of(request)

    def work(tx: Tx) -> Notice:
        known = alertgroup.get(tx, group)
        before = statuses_of(tx, known).written
        if wanted == "false":
            return false.close(tx, known, tags, who, now)._replace(undo=false.undo_of(before, known, tags))
        if ids:
            alertgroup.set_alerts(tx, group, ids, Status(wanted), who, now)
        else:
            alertgroup.set_status(tx, group, Status(wanted), who, now)
        if wanted == "open":
            before += false.reopened(tx, group, tags, who, now)
        n = len(ids) or known.alert_count
        done = "Closed" if wanted == "closed" else "Opened"
        return Notice(f"{done} {n:,} {'alert' if n == 1 else 'alerts'}.", before)

    return done(request, group, work)


def undo(request: Request, form: Form) -> Response:
    """POST /alerts/ID/undo: set the alerts back to the statuses in `before`."""
    wish = form.get("before", [""])[-1]
    before = statuses_before(false.statuses_in(wish))
    group, who, now, tags = path_id(request), _who(request), now_micros(), false.tags_of(request)

    def work(tx: Tx) -> Notice:
        false.undone(tx, group, wish, tags, who, now)
        for wanted, ids in before:
            if ids is None:
                alertgroup.set_status(tx, group, wanted, who, now)
            else:
                alertgroup.set_alerts(tx, group, ids, wanted, who, now)
        return Notice("Undone: every alert stands as it did.")

    return done(request, group, work)


def labels(request: Request, form: Form) -> Response:
    """POST /alerts/ID/labels: `add` (commas separate) or `remove` (one, as a JSON string) of `kind` tag or source."""
    kind = _choice(form, "kind", ("tag", "source"))
    removed = _json_text(form.get("remove", [""])[-1])
    added = [part.strip() for part in ",".join(form.get("add", [])).split(",") if part.strip()]
    if any(len(label) > LONGEST_LABEL for label in added):
        raise Malformed(f"A {kind} has at most {LONGEST_LABEL} characters.")
    group, who, now = path_id(request), _who(request), now_micros()

    def work(tx: Tx) -> Notice:
        known = alertgroup.get(tx, group)
        before = known.tags if kind == "tag" else known.sources
        after = [*(label for label in before if label != removed), *added]
        if len(set(after)) > max(MOST_LABELS, len(before)):
            raise Malformed(f"An alertgroup has at most {MOST_LABELS} {kind}s.")
        if after == before:
            return Notice(f"The {kind}s stand as they did.")
        alertgroup.set_labels(tx, group, kind, after, who, now)
        return Notice(f"Removed the {kind} {removed}." if removed else f"Added the {kind} {', '.join(added)}.")

    return done(request, group, work)


def owed(request: Request, form: Form) -> Response:
    """POST /deliveries/ID: `do` retry or drop, for a delivery that failed."""
    what = _choice(form, "do", ("retry", "drop"))
    group = one_id(form.get("alertgroup", [""])[-1])
    one, who, now = path_id(request), _who(request), now_micros()

    def work(tx: Tx) -> Notice:
        if one not in {owed.id for owed in delivery.of_groups(tx, [group])[group]}:
            raise Malformed(f"Alertgroup {group} has no delivery {one}.")
        act = delivery.retry if what == "retry" else delivery.drop
        done = act(tx, [one], who, now)
        words = "It will be tried again now." if what == "retry" else "Given up; it stays in the history."
        return Notice(words if done else "It is no longer waiting for a decision.")

    return done(request, group, work)


def done(request: Request, group: int, work: Callable[[Tx], Notice]) -> Response:
    """Change, then show what is changed: its parts for htmx, the page anew for a plain form."""
    store = store_of(request)
    notice = store.write(work)
    head.forget(store)
    asked = asked_of(request)
    if "hx-request" not in request.headers:
        query = "&".join(filter(None, (asked.text, in_address(request, group, notice))))
        return RedirectResponse(f"/alerts/{group}?{query}", 303)
    chosen = store.read(lambda tx: choose(tx, group, asked))
    return piece(request, "changed.html", asked=asked, chosen=chosen, parts=ALL_PARTS, in_list=True, notice=notice)


def _who(request: Request) -> str:
    return principal_of(request).name


def _choice(form: Form, name: str, choices: Sequence[str]) -> str:
    value = form.get(name, [""])[-1]
    if value not in choices:
        raise Malformed(f"{name} must be one of: {', '.join(choices)}.")
    return value


def one_id(text: str) -> int:
    """The one id in a field of a form. Raises Malformed."""
    found = ranges.read(text)
    if len(found) != 1:
        raise Malformed("The form names no alertgroup.")
    return found[0]


def _json_text(text: str) -> str:
    """A label written as a JSON string, since a form would bend its line ends. Raises Malformed."""
    if not text:
        return ""
    try:
        value = loads(text)
    except (JSONDecodeError, RecursionError):
        value = None
    if not isinstance(value, str):
        raise Malformed("remove must be a JSON string.")
    return value
