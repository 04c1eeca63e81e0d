"""With a profile on, no own address and no own host is in any byte that any destination sends, whatever the input."""

import contextlib
import json
import uuid
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sharing.disguises import DISGUISES, DOMAINS, NETWORKS, OWN, own_in
from tocsin.destinations.warden.dressing import Dressing
from tocsin.entities import by_alert, defanged
from tocsin.errors import Skipped
from tocsin.formats import group_json, log_line
from tocsin.formats.ecs import EcsForm
from tocsin.formats.idea import IdeaForm
from tocsin.formats.idmef import IdmefForm
from tocsin.formats.letter import LetterForm
from tocsin.formats.slack import SlackForm
from tocsin.formats.stix import Writer, bundle, identity
from tocsin.formats.stix1 import Feed
from tocsin.model import Alert, Alertgroup, Delivery, Detection, Endpoint, Link
from tocsin.sharing import Profile, Redaction

PROFILE = Profile(networks=NETWORKS, domains=DOMAINS, users=True, mail="own", links=False)
KEY = b"a key of the tests"
REDACTIONS = {way: Redaction(PROFILE.model_copy(update={"way": way}), KEY) for way in ("pseudonym", "drop")}
ECS = EcsForm()
IDEA, IDEA_AS_SLIPS = IdeaForm(), IdeaForm(profile="slips")
WARDEN = [Dressing("a", hidden, (), test=False) for hidden in ("pseudonym", "omit")]
SLACK, LETTER = SlackForm(defanged), LetterForm(defanged)
STIX = Writer(identity("Tocsin"), lambda type, value: False)
STIX1 = Feed("Tocsin", own=lambda type, value: False, entities=by_alert, asserted=frozenset(("cidr", "file")))


def sent_of(group: Alertgroup) -> Iterator[tuple[str, bytes]]:
    """What each destination sends of it."""
    yield "webhook", group_json.document(group)
    recall = Delivery(id=1, uid="d", alertgroup=group, kind="recall", owed=1_700_000_000_000_000)
    for form in (IDEA, IDEA_AS_SLIPS):
        yield "idea_log", form.lines(group)
        yield "idea_log, recalled", form.delivered(recall)
        for dressing in WARDEN:
            yield "warden", b"".join(event.body for event in dressing.events(form.lines(group), test=False))
    for profile in (IdmefForm("08"), IdmefForm("slips")):
        yield "idmef", profile.lines(Delivery(id=1, uid="d", alertgroup=group))
        yield "idmef, recalled", profile.lines(recall)
    for sent in (Delivery(id=1, uid="d", alertgroup=group), recall):
        yield f"logstash {sent.kind}", b"\n".join(ECS.documents(sent))
    yield "text_log", log_line.lines(group)
    yield "text_log as Slips", log_line.lines(group, "slips")
    yield "slack", json.dumps([SLACK.blocks(group), SLACK.fallback(group)], ensure_ascii=False).encode()
    yield "slack digest", json.dumps(SLACK.digest([group], [""]), ensure_ascii=False).encode()
    yield "slack as Slips", "\n".join(SLACK.slips_lines(group, "sensor")).encode()
    after = Delivery(id=2, uid="d-2", alertgroup=group, kind="recall", reason="sent in error", owed=group.received)
    yield "webhook recall", group_json.recalled(after)
    yield "slack update", json.dumps(SLACK.blocks(group, "", SLACK.news(after)), ensure_ascii=False).encode()
    for kind in ("update", "recall"):
        change = msgspec.structs.replace(after, kind=kind)
        yield f"slack {kind} in a thread", json.dumps(SLACK.notes([change], [""]), ensure_ascii=False).encode()
    yield "slack recall", json.dumps(SLACK.recalled(after), ensure_ascii=False).encode()
    yield "email recall", "\n".join(LETTER.recalled(after)).encode()
    yield "email", f"{LETTER.title(group)}\n{LETTER.text(group)}".encode()
    yield "email digest", "\n".join(LETTER.digest([group], [""])).encode()
    yield "stix", bundle(STIX.write(group).objects)
    for kind in ("alert", "recall"):
        with contextlib.suppress(Skipped):  # where nothing of it is bad
            yield f"stix1 {kind}", STIX1.package(msgspec.structs.replace(after, kind=kind))


def everywhere(text: str) -> Alertgroup:
    """An alertgroup with the text in every place that takes one."""
    side = Endpoint(addresses=(text,), hostnames=(text,), macs=(text,), urls=(text, f"https://{text}/"), emails=(text,))
    said = Detection(
        name=text, category=text, description=text, sources=(side,), targets=(side,), protocols=(text,),
        flow_uids=(text,),
    )  # fmt: skip
    row = {text: text, "note": [[{text: [text]}]], "user": "eve", "raw": json.dumps({"deep": text})}
    event = {
        "Format": "IDEA0",
        "Source": [{"IP4": [text], "Hostname": [text], text: text}],
        "Category": [text],
        text: text,
    }
    message = {"Version": "2.0.3", "Analyzer": {"Name": text}, "ID": str(uuid.UUID(int=8)), "Note": text, text: [text]}
    rows: tuple[dict[str, Any], ...] = (row, event, message)
    alerts = tuple(
        msgspec.structs.replace(Alert.of(cells, said), uid=str(uuid.UUID(int=number)))
        for number, cells in enumerate(rows, 60)
    )
    return Alertgroup(
        subject=text, alerts=alerts, columns=tuple(row), tags=(text,), sources=(text,), message_id=f"<{text}>",
        body=f"<p>{text}</p>", body_plain=text, ahrefs=(Link(subject=text, link=text),), groups={text: [text]},
        owner=text, uid=str(uuid.UUID(int=5)), received=1_700_000_000_000_000,
    )  # fmt: skip


@pytest.mark.parametrize("way", REDACTIONS)
@pytest.mark.parametrize("disguise", DISGUISES)
@pytest.mark.parametrize(
    "own", ["10.1.2.3", "fd00::1:2", "dc01.corp.example", "10.1.2.0/24", "https://a.corp.example/?x=10.1.2.3"]
)
def test_no_spelling_gets_out_of_any_place(own: str, disguise: str, way: str) -> None:
    written = DISGUISES[disguise](own)
    group = everywhere(f"seen {written} there")
    assert own_in(group_json.document(group)), "the reader of these tests can read it"

    for name, sent in sent_of(REDACTIONS[way].applied(group)):
        assert own_in(sent) == [], name


inner = st.sampled_from(OWN).flatmap(
    lambda net: st.integers(0, net.num_addresses - 1).map(lambda n: str(net.network_address + n))
)
host = st.from_regex(r"[a-z][a-z0-9-]{0,8}\.corp\.example", fullmatch=True)
disguised = st.tuples(st.sampled_from(sorted(DISGUISES)), st.one_of(inner, host)).map(
    lambda it: DISGUISES[it[0]](it[1])
)
noise = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=12)
texts = st.lists(st.one_of(disguised, noise), max_size=4).map(" ".join)
cells = st.recursive(
    st.one_of(texts, st.integers(-9, 9), st.none()),
    lambda within: st.one_of(st.lists(within, max_size=3), st.dictionaries(texts, within, max_size=3)),
    max_leaves=6,
)


@given(
    texts,
    st.lists(st.dictionaries(texts, cells, max_size=3), max_size=2),
    texts,
    st.sampled_from(["pseudonym", "drop"]),
)
def test_no_own_address_or_host_is_in_any_byte_that_is_sent(
    subject: str, rows: list[dict[str, object]], body: str, way: str
) -> None:
    first = everywhere(subject)
    more = tuple(Alert.of(row, Detection(name=body)) for row in rows)
    more = tuple(msgspec.structs.replace(one, uid=str(uuid.UUID(int=n))) for n, one in enumerate(more, 7))
    group = msgspec.structs.replace(first, alerts=(*first.alerts, *more), body=body, body_plain=body)

    for name, sent in sent_of(REDACTIONS[way].applied(group)):
        assert own_in(sent) == [], name
