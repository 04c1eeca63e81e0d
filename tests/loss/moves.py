"""What a person does to a running hub: lanes held and let go, rules, decisions, replays, draining, over the API.

Each move is asked for once, and written into the deeds before and after. Where the answer is lost or no yes, the hub is
asked how it stands as soon as it answers.
"""

import http.client
import json
import random
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from loss import gathering
from loss.deeds import LANES, LONG, Change, Decision, Deeds, ReplayDeed, RouteRule, Rules, SilenceRule
from loss.hub import Hub
from loss.numbered import TAGS

LOOK_FOR_S = 90.0
"""How long to ask a hub how it stands; faults of the round may keep it away for long."""


class Mover(threading.Thread):
    """One person, with a seed for a mind; `script` is done in its order, again and again, instead."""

    def __init__(
        self, hub: Hub, seed: str, started: float, note: Callable[[str], None], script: Sequence[str] = ()
    ) -> None:
        super().__init__(name="mover", daemon=True)
        self.deeds = Deeds()
        self.problems: list[str] = []
        self._hub, self._zero, self._note, self._script = hub, started, note, tuple(script)
        self._chance = random.Random(f"{seed} moves")
        self._enough = threading.Event()
        self._names = 0
        self._pace = self._chance.choice((0.03, 0.1, 0.3))

    def enough(self) -> None:
        """Begin nothing new."""
        self._enough.set()

    def run(self) -> None:
        """Move, until enough."""
        place = 0
        while not self._enough.is_set():
            kind = self._script[place % len(self._script)] if self._script else self._chance.choice(DRAWN)
            place += 1
            try:
                MOVES[kind](self)
            except (AssertionError, KeyError, TypeError, ValueError) as error:
                self.problems.append(f"the move {kind} at {self._now():.2f} s: {error!r}")
            self._enough.wait(self._chance.uniform(0.5, 1.5) * self._pace)

    def finish(self, resume: bool) -> None:
        """With every fault lifted: what is due much later is drained, and lanes are let go on if so wanted."""
        for lane in sorted(self.deeds.long_digests):
            self.deeds.drained.add(lane)
            while (said := self._ask("POST", f"/api/v2/lane/{lane}/drain", {}))[0] == 200 and said[1]["more"]:
                pass
        for lane in LANES if resume else ():
            if self.deeds.paused[lane]:
                self._hold(lane, paused=False)

    def hold(self) -> None:
        """Pause a lane."""
        self._hold(self._chance.choice(LANES), paused=True)

    def let_go(self) -> None:
        """Resume a lane, one that is paused if there is one."""
        held = [lane for lane, paused in self.deeds.paused.items() if paused]
        self._hold(self._chance.choice(held or LANES), paused=False)

    def _hold(self, lane: str, *, paused: bool) -> None:
        status, _ = self._ask("PUT", f"/api/v2/lane/{lane}", {"paused": paused})
        if status == 200:
            self.deeds.paused[lane] = paused
        elif (told := self._look(gathering.lanes)) is not None:
            self.deeds.paused[lane] = told[lane].paused

    def make_route(self) -> None:
        """A route behind all others; the first one is for everything, so that most is still owed to somebody."""
        rules = self.deeds.rules
        to = LANES if not rules.routes else tuple(self._chance.sample(LANES, self._chance.randrange(1, 4)))
        made = RouteRule(
            self._fresh(),
            self._chance.choice(("", *TAGS)) if rules.routes else "",
            to,
            last=bool(rules.routes) and self._chance.random() < 0.2,
            every=self._chance.choice(("", "", "1s", "2s", LONG)) if rules.routes else "",
        )
        body = {"name": made.name, "query": _query(made.tag), "to": list(to), "last": made.last, "every": made.every}
        self._change(Rules((*rules.routes, made), rules.silences), "POST", "/api/v2/route", body)

    def change_route(self) -> None:
        """Others get what a route means, or it is not asked any more."""
        routes = self.deeds.rules.routes
        if not routes:
            return self.make_route()
        old = self._chance.choice(routes)
        new = RouteRule(
            old.name,
            old.tag,
            tuple(self._chance.sample(LANES, self._chance.randrange(2, 6))),
            old.last,
            old.every,
            self._chance.random() < 0.7,
        )
        changed = tuple(new if one is old else one for one in routes)
        body = {"to": list(new.to), "active": new.active}
        return self._change_made("route", old.name, Rules(changed, self.deeds.rules.silences), "PUT", "", body)

    def end_route(self) -> None:
        """Remove a route."""
        rules = self.deeds.rules
        if rules.routes:
            old = self._chance.choice(rules.routes)
            left = tuple(one for one in rules.routes if one is not old)
            self._change_made("route", old.name, Rules(left, rules.silences), "DELETE", "", None)

    def make_silence(self) -> None:
        """A silence from now on."""
        rules = self.deeds.rules
        to = tuple(self._chance.sample(LANES, self._chance.randrange(3)))
        made = SilenceRule(self._fresh(), self._chance.choice(TAGS), to)
        body = {"name": made.name, "query": _query(made.tag), "to": list(to), "reason": "the finder wants quiet"}
        self._change(Rules(rules.routes, (*rules.silences, made)), "POST", "/api/v2/silence", body)

    def change_silence(self) -> None:
        """It holds for other destinations."""
        rules = self.deeds.rules
        if not rules.silences:
            return self.make_silence()
        old = self._chance.choice(rules.silences)
        new = SilenceRule(old.name, old.tag, tuple(self._chance.sample(LANES, self._chance.randrange(3))))
        changed = tuple(new if one is old else one for one in rules.silences)
        wanted = Rules(rules.routes, changed)
        return self._change_made("silence", old.name, wanted, "PUT", "", {"to": list(new.to)})

    def end_silence(self) -> None:
        """Let it be heard again."""
        rules = self.deeds.rules
        if rules.silences:
            old = self._chance.choice(rules.silences)
            left = tuple(one for one in rules.silences if one is not old)
            self._change_made("silence", old.name, Rules(rules.routes, left), "POST", "/end", {})

    def _change_made(self, kind: str, name: str, wanted: Rules, method: str, more: str, body: Any) -> None:
        listed = self._ask("GET", f"/api/v2/{kind}", None)
        ids = {one["name"]: one["id"] for one in listed[1]["records"]} if listed[0] == 200 else {}
        if name in ids:
            self._change(wanted, method, f"/api/v2/{kind}/{ids[name]}{more}", body)
        elif listed[0] == 200:
            self.problems.append(f"the {kind} {name} is gone at {self._now():.2f} s, and nobody had ended it")

    def _change(self, wanted: Rules, method: str, path: str, body: Any) -> None:
        before, asked = self.deeds.rules, self._now()
        # Both may hold from here on, also to those who judge what was sent before this one is known.
        self.deeds.changes.append(Change(asked, float("inf"), wanted))
        status, _ = self._ask(method, path, body)
        found = wanted if status == 200 else self._look(gathering.rules)
        if found is None:
            found = before
        if found not in (before, wanted):
            self.problems.append(f"{method} {path} at {asked:.2f} s left rules that are neither old nor new: {found}")
        known = self._now()
        self.deeds.changes[-1] = Change(asked, known, wanted)
        if found != wanted:
            self.deeds.changes.append(Change(known, known, found))

    def retry_one(self) -> None:
        """Somebody looks at an alertgroup that did not arrive somewhere, and sends it again."""
        self._decide("retry", ("failed", "withheld", "silenced", "dropped"))

    def drop_one(self) -> None:
        """Somebody gives a delivery up."""
        self._decide("drop", ("failed", "withheld", "silenced"))

    def edit_and_retry(self) -> None:
        """What the gate withheld is looked at, marked as free for all, and sent again."""
        found = self._delivery(("withheld",))
        if found:
            self.deeds.tlps.setdefault(found["alertgroup"], set()).add("clear")
            if self._ask("PUT", f"/api/v2/alertgroup/{found['alertgroup']}", {"tlp": "clear"})[0] == 200:
                self._decided("retry", found)

    def _decide(self, what: str, states: Sequence[str]) -> None:
        found = self._delivery(states)
        if found:
            self._decided(what, found)

    def _decided(self, what: Any, found: dict[str, Any]) -> None:
        (self.deeds.dropped if what == "drop" else self.deeds.touched).add(found["id"])
        at = self._now()
        status, told = self._ask("POST", f"/api/v2/delivery/{what}", {"ids": [found["id"]]})
        if status == 200 and told["changed"] == 1:
            self.deeds.decisions.append(Decision(at, what, found["id"], found["lane"]))

    def _delivery(self, states: Sequence[str]) -> dict[str, Any] | None:
        """One in such a state, of an alertgroup chosen at random among some."""
        status, newest = self._ask("GET", "/api/v2/alertgroup/maxid", None)
        for _ in range(6 if status == 200 and newest["max_id"] else 0):
            group = self._chance.randrange(1, newest["max_id"] + 1)
            status, told = self._ask("GET", f"/api/v2/alertgroup/{group}/delivery", None)
            found = [one for one in told["records"] if one["state"] in states] if status == 200 else []
            if found:
                return dict(self._chance.choice(found))
        return None

    def retry_all(self) -> None:
        """All that is parked in a lane, once more."""
        self._ask("POST", f"/api/v2/lane/{self._chance.choice(LANES)}/retry", {})

    def drop_all(self) -> None:
        """All that is parked in a lane is given up."""
        lane = self._chance.choice(LANES)
        self.deeds.swept.add(lane)
        self._ask("POST", f"/api/v2/lane/{lane}/drop", {})

    def drain(self) -> None:
        """A lane is emptied into a file: what it owes, or what is parked."""
        lane = self._chance.choice(LANES)
        self.deeds.drained.add(lane)
        self._ask("POST", f"/api/v2/lane/{lane}/drain", {"parked": self._chance.random() < 0.4})

    def replay(self) -> None:
        """Send what is stored to a destination, again or for the first time."""
        lane, tag, again = self._chance.choice(LANES), self._chance.choice(("", *TAGS)), self._chance.random() < 0.3
        self.deeds.maybe_replayed.add(lane)
        if again:
            self.deeds.maybe_again.add(lane)
        rate = self._chance.choice(("0", "200/s", "30/s"))
        body = {"to": lane, "query": _query(tag), "again": again, "rate": rate}
        status, told = self._ask("POST", "/api/v2/replay", body)
        if status == 200:
            self.deeds.replays[told["id"]] = ReplayDeed(told["id"], lane, tag, again)

    def stop_replay(self) -> None:
        """It owes no more."""
        self._tell_replay("stop", stopped=True)

    def resume_replay(self) -> None:
        """It goes on."""
        self._tell_replay("resume", stopped=False)

    def _tell_replay(self, what: str, *, stopped: bool) -> None:
        if self.deeds.replays:
            known = self._chance.choice(list(self.deeds.replays.values()))
            status, _ = self._ask("POST", f"/api/v2/replay/{known.id}/{what}", {})
            if status == 200:
                known.stopped = stopped
            elif status not in (400, 409):  # it is over: nothing was changed
                known.stopped = None

    def _fresh(self) -> str:
        self._names += 1
        return f"rule {self._names}"

    def _look(self, look: Callable[[Hub], Any]) -> Any:
        """How it stands, once it answers; None where the time for that is over."""
        until = time.monotonic() + LOOK_FOR_S
        while time.monotonic() < until:
            try:
                return look(self._hub)
            except (OSError, http.client.HTTPException, AssertionError, ValueError):
                time.sleep(0.1)
        self.problems.append(f"at {self._now():.2f} s the hub could not be asked how it stands")
        return None

    def _ask(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        """Status and decoded answer; 0 where none came."""
        sent = None if body is None else json.dumps(body).encode()
        try:
            status, text = self._hub.ask(method, path, sent)
        except (OSError, http.client.HTTPException):
            status, text = 0, ""
        if method != "GET":
            self._note(f"{method} {path} {json.dumps(body) if body else ''}: {status or 'no answer'}")
        if status >= 500 and status != 503:
            self.problems.append(f"{method} {path} at {self._now():.2f} s was answered {status} {text[:200]}")
        return status, json.loads(text) if status == 200 else None

    def _now(self) -> float:
        return time.monotonic() - self._zero


def _query(tag: str) -> str:
    return f"tag:{tag}" if tag else ""


MOVES: dict[str, Callable[[Mover], None]] = {
    "hold": Mover.hold,
    "let go": Mover.let_go,
    "make route": Mover.make_route,
    "change route": Mover.change_route,
    "end route": Mover.end_route,
    "make silence": Mover.make_silence,
    "change silence": Mover.change_silence,
    "end silence": Mover.end_silence,
    "retry one": Mover.retry_one,
    "drop one": Mover.drop_one,
    "edit and retry": Mover.edit_and_retry,
    "retry all": Mover.retry_all,
    "drop all": Mover.drop_all,
    "drain": Mover.drain,
    "replay": Mover.replay,
    "stop replay": Mover.stop_replay,
    "resume replay": Mover.resume_replay,
}
DRAWN = (*MOVES, "let go", "let go", "change route", "end silence", "edit and retry", "replay")
