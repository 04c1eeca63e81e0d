"""Evidence: what accumulate rules gather of what comes in, and the message that is made of enough of it."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import NamedTuple

import msgspec
import structlog

from tocsin import detection
from tocsin.entities import Known
from tocsin.formats import accumulated
from tocsin.formats.accumulated import Accumulated, Piece
from tocsin.formats.times import rfc3339
from tocsin.intake.deciding import Decider, fresh
from tocsin.model import TLP, Alertgroup, Message, Why, worst_of
from tocsin.query import FIELDS
from tocsin.rules import Rulebook, accumulate
from tocsin.rules.accumulate import ONE, Rule
from tocsin.rules.routes import Question
from tocsin.store import Entry, Part, entry
from tocsin.store.gathering import Enough, Gather, Share
from tocsin.store.rule import Ruled

log = structlog.get_logger()

HUB = "tocsin"
SENDER = "accumulate"
PARSER = "accumulated"
"""Who reads what is raised. Nothing that it reads is evidence again."""
KIND = "accumulate"
_MARKS = (TLP.CLEAR, TLP.GREEN, TLP.AMBER, TLP.AMBER_STRICT, TLP.RED)

CountsAs = Callable[[Alertgroup], tuple[TLP, str]]
"""The TLP that an alertgroup is held for, as the gate says it."""


class Gathered(NamedTuple):
    """What was found of an alertgroup, and the reason for it; without `gather` it is no evidence all the same."""

    why: Why
    gather: Gather | None = None


class Evidence:
    """The accumulate rules at work. The first that means an alertgroup gathers it."""

    def __init__(
        self,
        rules: Sequence[Rule],
        destinations: Sequence[str],
        names: detection.Names,
        known: Known,
        decider: Decider | None,
        counts_as: CountsAs,
    ) -> None:
        """Without a decider, what is raised is owed to all `destinations`."""
        self._rules = [(rule, Question(rule.query)) for rule in rules]
        self._destinations, self._names, self._known = tuple(destinations), names, known
        self._decider, self._counts_as = decider, counts_as
        fields = {field for _, asked in self._rules for field in asked.fields}
        self._rows = any(FIELDS[field].row or field == "severity" for field in fields)
        self._entities = bool(fields & {"entity", "entity.type"})

    def of(
        self, group: Alertgroup, message: Message, parser: str, lanes: Sequence[str], book: Rulebook | None
    ) -> Gathered | None:
        """What the first rule that means the alertgroup makes of it; None where none does.

        `lanes` are those that it would be owed to, `book` the rules that said so and will be asked of what is raised.
        """
        if parser == PARSER or not self._rules:
            return None
        view = fresh(group, message, parser, self._names, self._known, rows=self._rows, entities=self._entities)
        rule = next((rule for rule, asked in self._rules if asked.means(view, message.received)), None)
        if rule is None:
            return None
        found = accumulate.shares(view.group, rule, message.received, self._names)
        if found.unknown:
            return Gathered(Why(kind=KIND, name=rule.name, said=f"not gathered as evidence: {found.unknown}"))
        gather = Gather(
            rule=rule.name,
            width=rule.width,
            threshold=rule.threshold,
            shares=tuple(Share(*one) for one in found.found),
            lanes=tuple(lanes),
            made=partial(self._raised, book),
        )
        return Gathered(Why(kind=KIND, name=rule.name, said=_said(gather)), gather)

    def _raised(self, book: Rulebook | None, enough: Enough) -> Entry:
        """Called within the transaction that stores the evidence: it asks nothing of the store."""
        message = self._message(enough)
        group = accumulated.read(message.body)
        known = detection.known(group, self._names)
        ruled = self._decided(group, message, book)
        weights = f"{accumulate.written(enough.weight)}, and {accumulate.written(enough.threshold)} is enough"
        raised = Why(kind=KIND, name=enough.rule, said=f"raised: the evidence weighs {weights}")
        ruled = msgspec.structs.replace(ruled, why=(raised, *ruled.why))
        part = Part(group=group, severity=worst_of(known), lanes=tuple(ruled.due), ruled=ruled)
        return entry(message, (part,), PARSER, "1")

    def _decided(self, group: Alertgroup, message: Message, book: Rulebook | None) -> Ruled:
        ruled = None
        try:
            if self._decider and book:
                ruled = self._decider.decide(group, message, PARSER, book)
        except Exception:
            # Were it handed on, neither this nor any later evidence of that heap could be stored: everybody is told.
            log.exception("rules failed on what is raised: every destination is owed it", sender=SENDER)
        return ruled or Ruled(due=dict.fromkeys(self._destinations, message.received), held={}, why=())

    def _message(self, enough: Enough) -> Message:
        groups = list(enough.groups.values())
        found = Accumulated(
            rule=enough.rule,
            source=enough.source,
            begun=rfc3339(enough.begun),
            ended=rfc3339(accumulate.ended(enough.begun, enough.width)),
            n=enough.n,
            weight=enough.weight / ONE,
            threshold=enough.threshold / ONE,
            columns=_each(group.columns for group in groups),
            tags=_each(group.tags for group in groups),
            sources=_each(group.sources for group in groups),
            tlp=self._guarded([(group.tlp, tuple(group.sources)) for group in groups]),
            evidence=tuple(
                Piece(
                    alert=one.alert,
                    alertgroup=one.alertgroup,
                    message=(message := enough.groups[one.alertgroup].message),
                    sha256=enough.digests.get(message, ""),
                    weight=one.weight / ONE,
                    row=msgspec.Raw(one.json.encode()),
                    detection=one.detection,
                )
                for one in enough.copied
            ),
            more=enough.more,
        )
        key = (enough.rule, enough.width, enough.source, enough.begun, enough.n)
        return Message(
            source=HUB,
            sender=SENDER,
            body=accumulated.written(found),
            media_type=accumulated.MEDIA_TYPE,
            received=enough.received,
            idempotency_key="|".join(map(str, key)),
        )

    def _guarded(self, marks: Sequence[tuple[TLP, tuple[str, ...]]]) -> TLP:
        """The most guarded of them, as the gate holds them; unset where that says the same of them together."""
        most = max((self._held_for(*mark) for mark in marks), key=_MARKS.index)
        together = self._held_for(TLP.UNSET, _each(sources for _, sources in marks))
        marked = any(tlp is not TLP.UNSET for tlp, _ in marks)
        return most if marked or _MARKS.index(together) < _MARKS.index(most) else TLP.UNSET

    def _held_for(self, tlp: TLP, sources: tuple[str, ...]) -> TLP:
        return self._counts_as(Alertgroup(subject="", alerts=(), sources=sources, tlp=tlp))[0]


def _said(gather: Gather) -> str:
    if not gather.shares:
        return "evidence that weighs nothing: kept, and sent to nobody"
    weight = accumulate.written(sum(share.weight for share in gather.shares))
    whom = ", ".join(dict.fromkeys(share.source for share in gather.shares))
    shown = whom if len(whom) <= 200 else f"{whom[:200]}…"
    enough = accumulate.written(gather.threshold)
    return f"evidence against {shown} that weighs {weight}: sent with others once they weigh {enough} together"


def _each(lists: Iterable[Sequence[str]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one for found in lists for one in found))
