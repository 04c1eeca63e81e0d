"""Ours beside what a destination gets, on the page and over the API; and the whole ledger of an alertgroup."""

import dataclasses
import functools
import re

import pytest

from tocsin import query
from tocsin.app import Hub
from tocsin.indexing.views import load
from tocsin.model import TLP
from tocsin.sharing import Gate, Profile, Redaction
from tocsin.store import search, sending
from tocsin.store.sending import Outcome, Settled
from tocsin.web.notes import now_micros
from web.conftest import Caller
from web.person import csrf, signed_in

PROFILE = Profile(networks=["10.0.0.0/8"], domains=["corp.example"], columns=["comment"], users=True)
KEY = b"a key of the tests"
ROW = {
    "src_ip": "10.1.2.3", "dc01.corp.example": "x", "comment": "ours alone", "note": "<b>none</b>", "user": "eve",
    "deep": {"comment": 1, "n": 2},
}  # fmt: skip


@pytest.fixture
def gated(hub: Hub) -> Hub:
    """A hub whose `idea_log` is a partner's: cleared up to GREEN, and redacted."""
    hub.gate = Gate({"idea_log": TLP.GREEN}, redactions={"idea_log": Redaction(PROFILE, KEY)})
    hub.wiring = dataclasses.replace(hub.wiring, redactions={"idea_log": "partner"})
    return hub


@pytest.fixture
def person(admin: Caller) -> Caller:
    return signed_in(admin)


def seen(page: str) -> str:
    """The page without the tags that stand around strangers' words."""
    return re.sub(r"</?bdi>", "", page)


def line_of(page: str, name: str) -> list[str]:
    """The name, ours and theirs of a line of the comparison, without tags."""
    found = re.search(
        rf'<tr[^>]*><th scope="row">({re.escape(name)}.*?)</th><td>(.*?)</td><td>(.*?)</td></tr>', seen(page)
    )
    assert found, page
    return [re.sub(r"<[^>]*>", "", one) for one in found.groups()]


def test_ours_stands_beside_what_they_get_with_every_difference_named(
    gated: Hub, admin: Caller, person: Caller
) -> None:
    group = admin.post_group(subject="beacon from 10.1.2.3", data=[ROW], tlp="green")
    page = person.get(f"/alerts/{group}/shared/idea_log")
    assert page.status_code == 200

    name, ours, theirs = line_of(page.text, "Subject")
    assert (name, ours) == ("Subject ≠ changed", "beacon from 10.1.2.3")
    assert re.fullmatch(r"beacon from 24\d\.\d+\.\d+\.\d+", theirs)
    assert line_of(page.text, "comment") == ["comment − left out", "ours alone", ""]
    assert line_of(page.text, "note") == ["note", "&lt;b&gt;none&lt;/b&gt;", "&lt;b&gt;none&lt;/b&gt;"]
    assert re.match(r"dc01\.corp\.example → host-\w+\.redacted\.invalid ≠", line_of(page.text, "dc01.corp.example")[0])
    assert line_of(page.text, "deep")[2] == "{&#34;n&#34;:2}"
    assert line_of(page.text, "read as sources")[0].endswith("≠ changed")
    assert 'profile <span class="mono">partner</span>' in seen(page.text)
    assert "pseudonyms in place of addresses of 10.0.0.0/8" in page.text
    assert "the alertgroup is GREEN; idea_log is cleared up to GREEN" in seen(page.text)
    assert "What they get, as JSON" in page.text


def test_what_goes_as_it_stands_is_said_to(gated: Hub, admin: Caller, person: Caller) -> None:
    group = admin.post_group(data=[{"n": 1}])
    page = person.get(f"/alerts/{group}/shared/text_log").text

    assert "They get it as it stands here." in page
    assert 'class="differs"' not in page
    assert "carries no TLP and so counts as AMBER" in page


@pytest.mark.parametrize(("tlp", "told"), [("red", "is RED"), ("unset", "carries no TLP and so counts as AMBER")])
def test_what_is_withheld_says_why_and_what_would_have_to_change(
    gated: Hub, admin: Caller, person: Caller, tlp: str, told: str
) -> None:
    group = admin.post_group(subject="ours alone", tlp=tlp)
    page = seen(person.get(f"/alerts/{group}/shared/idea_log").text)

    assert f"Nothing leaves. TLP: the alertgroup {told}, idea_log is cleared up to GREEN" in page
    assert f"clearance = &#34;{'red' if tlp == 'red' else 'amber'}&#34; in [destinations.idea_log]" in page
    assert ("[sharing] unmarked" in page) is (tlp == "unset")
    assert "as JSON" not in page


def test_the_api_tells_the_document_or_why_there_is_none(gated: Hub, admin: Caller, analyst: Caller) -> None:
    passes = admin.post_group(subject="beacon from 10.1.2.3", data=[ROW], tlp="green")
    held = admin.post_group(tlp="red")
    got = analyst.json(f"/api/v2/alertgroup/{passes}/shared/idea_log")
    no = analyst.json(f"/api/v2/alertgroup/{held}/shared/idea_log")

    assert (got["counts_as"], got["clearance"], got["profile"], got["withheld"]) == ("green", "green", "partner", None)
    assert got["group"]["subject"].startswith("beacon from 24")
    assert "comment" not in got["group"]["alerts"][0]["data"]
    assert no["group"] is None
    assert no["withheld"] == "TLP: the alertgroup is RED, idea_log is cleared up to GREEN"


def test_only_analysts_see_it_and_only_what_there_is(
    gated: Hub, admin: Caller, analyst: Caller, viewer: Caller, person: Caller
) -> None:
    group = admin.post_group()
    assert viewer.get(f"/api/v2/alertgroup/{group}/shared/idea_log").status_code == 403
    assert analyst.get(f"/api/v2/alertgroup/{group}/shared/nobody").status_code == 404
    assert analyst.get(f"/api/v2/alertgroup/{group + 99}/shared/idea_log").status_code == 404
    assert person.get(f"/alerts/{group}/shared/nobody").status_code == 404
    admin.delete(f"/api/v2/alertgroup/{group}")
    assert analyst.get(f"/api/v2/alertgroup/{group}/shared/idea_log").status_code == 404


def settle(hub: Hub, outcome: Outcome, detail: str = "because") -> None:
    """Claim the next delivery to `idea_log`, and say what came of it."""
    now = now_micros()
    [claimed] = hub.store.write(lambda tx: sending.claim(tx, "idea_log", 1, now, now + 60_000_000))
    done = Settled(
        id=claimed.id, attempt=claimed.attempt, outcome=outcome, at=now, took=1500, remote_id="r-1", detail=detail,
        due=now if outcome == "retry" else None,
    )  # fmt: skip
    hub.store.write(lambda tx: sending.settle(tx, "idea_log", [done], None))


def test_the_page_tells_every_attempt_with_time_duration_answer_and_remote_id(
    hub: Hub, admin: Caller, person: Caller
) -> None:
    group = admin.post_group()
    settle(hub, "retry", "503")
    settle(hub, "delivered", "200 OK")
    page = person.get(f"/alerts/{group}").text

    assert "idea_log: delivered at the second attempt" in page
    assert "2 attempts" in page
    assert "attempt 1: retry, after 1.5 ms, remote id r-1, 503" in page
    assert "attempt 2: delivered, after 1.5 ms, remote id r-1, 200 OK" in page
    assert f'href="/alerts/{group}/shared/idea_log"' in page


@pytest.mark.parametrize(
    ("state", "again"), [("failed", "Try again"), ("withheld", "Send now"), ("silenced", "Send now")]
)
@pytest.mark.parametrize("do", ["retry", "drop"])
def test_what_does_not_go_by_itself_is_sent_or_given_up_by_a_person(
    hub: Hub, admin: Caller, person: Caller, state: str, again: str, do: str
) -> None:
    group = admin.post_group()
    hub.store.write(lambda tx: tx.run("UPDATE delivery SET state = :state WHERE lane = 'idea_log'", state=state))
    page = person.get(f"/alerts/{group}")
    form = re.search(r'action="(/deliveries/\d+)".*?</form>', page.text)
    assert form
    assert f">{again}</button>" in form[0]
    assert ">Give up</button>" in form[0]

    person.post(form[1], data={"csrf_token": csrf(page), "alertgroup": str(group), "do": do})
    owed = admin.json(f"/api/v2/alertgroup/{group}/delivery")["records"]
    assert [one["state"] for one in owed if one["lane"] == "idea_log"] == ["due" if do == "retry" else "dropped"]


@pytest.mark.parametrize("state", ["due", "delivered", "failed", "withheld", "silenced", "dropped"])
def test_every_state_of_a_delivery_is_found_alike_by_the_store_and_by_the_predicate(
    hub: Hub, admin: Caller, state: str
) -> None:
    one, other = admin.post_group(), admin.post_group()
    hub.store.write(lambda tx: tx.run("UPDATE delivery SET state = :s", s="due" if state != "due" else "failed"))
    change = "UPDATE delivery SET state = :s WHERE lane = 'idea_log' AND alertgroup = :g"
    hub.store.write(lambda tx: tx.run(change, s=state, g=one))
    now = now_micros()
    for text in (f"delivery.idea_log:{state}", f"delivery:{state}"):
        tree = query.parse(text)
        assert hub.store.read(functools.partial(search.ids, tree=tree, now=now)) == [one]
        views = hub.store.read(lambda tx: load(tx, [one, other], hub.names, hub.known))
        holds = query.predicate(tree, now)
        assert [holds(views[id]) for id in (one, other)] == [True, False]
