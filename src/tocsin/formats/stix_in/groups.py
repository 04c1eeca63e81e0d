"""Objects -> alertgroups: one for each grouping and report with what it refers to, one for the others of each TLP."""

from collections import Counter
from collections.abc import Iterator, Sequence

from tocsin.formats.stix_in import marks
from tocsin.formats.stix_in.document import Thing, document, objects_in
from tocsin.formats.stix_in.rows import RANK, VERSIONED, Rows
from tocsin.model import TLP, Alert, Alertgroup, Link, union_of_keys

AROUND = ("grouping", "report")
REVOKED = "revoked"
"""Tag: its author took something of it back."""
SOURCE = "stix"
MOST_REPEATED = 10_000
"""Rows of objects that stand in several groupings: beyond that each stands in the first alone."""
MOST_TAGS, LONGEST_TAG = 50, 100
LONGEST_SUBJECT = 500
_TOLD = VERSIONED | {
    "name", "description", "context", "object_refs", "labels", "external_references", "published", "report_types",
}  # fmt: skip


def read(body: bytes) -> list[Alertgroup]:
    """The alertgroups of a bundle or an envelope. Raises Malformed, TooLarge, and Unreadable if no object is in it."""
    found = document(body)
    return list(_Reading(found.id, found.things, len(body)).groups())


class _Reading:
    """One document being read."""

    def __init__(self, id: str, things: Sequence[Thing], size: int) -> None:
        self._id, self._things = id, things
        self._rows = Rows(things)
        self._standing: set[int] = set()
        self._bytes, self._repeats = 2 * size, MOST_REPEATED
        self._around = [one for one in things if one.type in AROUND and self._rows.is_latest(one) and not one.revoked]
        self._shown = self._all_shown()

    def groups(self) -> Iterator[Alertgroup]:
        inside = [(one, self._members(one)) for one in self._around]
        for one, members in inside:
            yield self._group(one, members)
        rest = [one for one in self._things if id(one) in self._shown and id(one) not in self._standing]
        for tlp in TLP:
            if alike := [one for one in rest if self._rows.tlp(one) is tlp]:
                yield self._remaining(alike, tlp)

    def _all_shown(self) -> set[int]:
        """Which objects are rows: all that no row of another tells, and no alertgroup."""
        around = {id(one) for one in self._around}
        waiting = [one for one in self._things if id(one) not in around]
        quiet = {id(one) for one in waiting if self._rows.is_quiet(one)}
        shown = {id(one) for one in waiting if id(one) not in quiet}
        for one in waiting:
            if id(one) in shown:
                self._rows.alert(one)
        for one in self._around:
            self._rows.author(one)
            if self._has_more(one):
                shown.add(id(one))
                self._rows.alert(one)
        # What is left may tell others of what is left: connections their ends, relationships both of theirs.
        for types in (("relationship",), ("network-traffic",), ()):
            for one in waiting:
                left = id(one) in quiet and id(one) not in shown and one.id not in self._rows.told
                if left and (not types or one.type in types):
                    shown.add(id(one))
                    self._rows.alert(one)
        return shown

    def _has_more(self, around: Thing) -> bool:
        """Whether there is more in a grouping than its alertgroup tells: properties, or objects that are elsewhere."""
        refs = around.listed("object_refs")
        return not _TOLD.issuperset(around.properties) or any(
            self._rows.latest(ref) is None and ref not in marks.PUBLISHED for ref in refs
        )

    def _members(self, around: Thing) -> list[Thing]:
        """The rows of a grouping: what it refers to, and itself where it says more."""
        refs = (self._rows.latest(ref) for ref in around.listed("object_refs"))
        found = [one for one in refs if one is not None and self._may(one)]
        if id(around) in self._shown or not found:
            self._shown.add(id(around))
            self._standing.add(id(around))
            found.append(around)
        return found

    def _may(self, thing: Thing) -> bool:
        """Whether it is a row, and not already one too often."""
        if id(thing) not in self._shown or thing.type in AROUND:
            return False
        if id(thing) in self._standing:
            if self._repeats <= 0 or self._bytes < len(thing.text):
                return False
            self._repeats -= 1
            self._bytes -= len(self._rows.alert(thing).json)
        self._standing.add(id(thing))
        return True

    def _group(self, around: Thing, members: Sequence[Thing]) -> Alertgroup:
        said = [around.type, f"by {author}" if (author := self._rows.author(around)) else ""]
        said += [around.said("context"), around.said("published"), around.id]
        text = "\n\n".join(filter(None, (around.said("description"), ", ".join(filter(None, said)))))
        tags = (around.said("context"), *around.listed("report_types"), *around.listed("labels"))
        return self._made(
            subject=around.said("name") or f"STIX {around.type} {around.id}",
            members=members,
            tlp=marks.guarded([self._rows.tlp(one) for one in (around, *members)]),
            tags=[tag[:LONGEST_TAG] for tag in tags if tag][:MOST_TAGS],
            id=around.id,
            body=text,
            links=_links(around),
            created=[around],
        )

    def _remaining(self, members: Sequence[Thing], tlp: TLP) -> Alertgroup:
        authors = list(dict.fromkeys(filter(None, map(self._rows.author, members))))
        by = f" from {authors[0]}" if len(authors) == 1 else ""
        if len(members) == 1:
            one = members[0]
            name = one.said("name") or one.said("value") or one.said("pattern")[:200] or one.id
            subject = f"STIX {one.type} {name}{by}"
        else:
            counted = Counter(one.type or "unknown" for one in members).most_common(5)
            subject = f"STIX{by}: " + ", ".join(f"{count} {type[:50]}" for type, count in counted)
        return self._made(subject=subject, members=members, tlp=tlp, tags=[], id=self._id, created=members)

    def _made(
        self,
        *,
        subject: str,
        members: Sequence[Thing],
        tlp: TLP,
        tags: Sequence[str],
        id: str,
        created: Sequence[Thing],
        body: str = "",
        links: tuple[Link, ...] = (),
    ) -> Alertgroup:
        alerts: tuple[Alert, ...] = tuple(map(self._rows.alert, members))
        names = union_of_keys(alert.data for alert in alerts)
        taken_back = [REVOKED] if any(one.revoked for one in members) else []
        words = [SOURCE, *(["slips"] if any("threat_level" in alert.data for alert in alerts) else [])]
        times = [time for one in created if (time := one.time("modified", "published", "created")) is not None]
        return Alertgroup(
            subject=" ".join(subject.split())[:LONGEST_SUBJECT] or "STIX",
            alerts=alerts,
            columns=tuple(sorted(names, key=lambda name: RANK.get(name, len(RANK)))),
            tags=tuple(dict.fromkeys((*tags, *taken_back))),
            sources=tuple(words),
            tlp=tlp,
            message_id=id,
            created=max(times, default=None),
            body_plain=body,
            ahrefs=links,
        )


def _links(around: Thing) -> tuple[Link, ...]:
    """Where its author has more of it."""
    found = objects_in(around.properties.get("external_references"))
    urls = {url: str(one.get("source_name", "")) for one in found if isinstance(url := one.get("url"), str)}
    return tuple(
        Link(subject=name[:LONGEST_SUBJECT].replace("\0", ""), link=url)
        for url, name in list(urls.items())[:MOST_TAGS]
        if url.lower().startswith(("https://", "http://")) and "\0" not in url
    )
