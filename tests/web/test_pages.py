"""The pages as the server draws them: what a browser without script gets."""

import re
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette

from tocsin.app import Hub
from tocsin.errors import StoreUnavailable
from tocsin.web.pages.drawing import POLICY
from web.conftest import Caller

PASSWORD = "correct horse battery staple"
HOSTILE = (
    "<script>document.title='owned'</script>",
    '"><img src=x onerror=alert(1)>',
    "'><svg/onload=alert(2)>",
    "{{7*7}} {% raw %} ${7*7}",
    "</textarea></title></style></script><marquee>",
    "javascript:alert(3)",
    "<hx-partial hx-target='#detail'>gone</hx-partial>",
    "a\u202egpj.exe\u202c",
    "zero\u200bwidth\ufeff",
    "nul\\u0000 &lt; &amp; \u0007 \x1b[31m",
    "é" * 300,
)


@pytest.fixture
def person(admin: Caller) -> Caller:
    """An analyst who has signed in with a form, as a browser does."""
    return signed_in(admin, "analyst")


def signed_in(admin: Caller, role: str) -> Caller:
    made = admin.post("/api/v2/user", json={"name": f"the {role}", "password": PASSWORD, "role": role})
    assert made.status_code == 200, made.text
    answer = admin.anonymous().post("/sign-in", data={"name": f"the {role}", "password": PASSWORD, "next": "/flow"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/flow"), answer.text
    return admin.anonymous(cookie=answer.headers["set-cookie"].partition(";")[0])


def csrf(page: httpx2.Response) -> str:
    found = re.search(r'name="csrf_token" value="(\w+)"', page.text)
    assert found, page.text
    return found[1]


def test_whoever_is_not_signed_in_is_led_to_the_sign_in_and_back(nobody: Caller) -> None:
    answer = nobody.get("/alerts/7?status=open")

    assert answer.status_code == 303
    assert answer.headers["location"] == "/sign-in?next=%2Falerts%2F7%3Fstatus%3Dopen"
    assert 'value="/alerts/7?status=open"' in nobody.get(answer.headers["location"]).text


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "/\x01/e", "x"]
)
def test_nobody_is_sent_elsewhere_by_a_link_to_the_sign_in(nobody: Caller, elsewhere: str) -> None:
    page = nobody.get("/sign-in", params={"next": elsewhere})

    assert 'name="next" value="/alerts"' in page.text


def test_a_wrong_password_is_said_so_without_saying_which_half_was_wrong(person: Caller) -> None:
    wrong = person.anonymous().post("/sign-in", data={"name": "the analyst", "password": "guess"})
    unknown = person.anonymous().post("/sign-in", data={"name": "nobody here", "password": "guess"})

    assert wrong.status_code == unknown.status_code == 401
    said = "Name or password is wrong."
    assert said in wrong.text
    assert said in unknown.text
    assert "set-cookie" not in wrong.headers


def test_signing_out_ends_the_session_itself(person: Caller) -> None:
    token = csrf(person.get("/alerts"))

    assert person.post("/sign-out", data={"csrf_token": token}).headers["location"] == "/sign-in"
    assert person.get("/alerts").status_code == 303


def test_every_page_forbids_script_and_style_that_are_not_ours(person: Caller, admin: Caller) -> None:
    group = admin.post_group()
    for path in ("/alerts", f"/alerts/{group}", f"/alerts/{group}/original", "/flow", "/quarantine", "/alerts/999",
                 "/sign-in", f"/alerts/{group}/now", "/alerts/news?ids=1", "/balance"):  # fmt: skip
        page = person.get(path)
        assert page.headers["content-security-policy"] == POLICY, path
        assert page.headers["cache-control"] == "no-store", path
        assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", page.text), path


def test_text_of_strangers_stands_as_text_in_every_field(person: Caller, admin: Caller) -> None:
    for text in HOSTILE:
        group = admin.post_group(
            subject=text, columns=[text, "b"], data=[{text: text, "b": [text, "x"], text + "2": {"deep": text}}],
            tag=[text], source=[text], message_id=text, ahrefs=[{"subject": text, "link": text}], body=text,
            body_plain=text, owner=text,
        )  # fmt: skip
        for path in (f"/alerts/{group}", f"/alerts/{group}/original", f"/alerts?subject={text}", "/alerts"):
            page = person.get(path) if "?" not in path else person.get("/alerts", params={"subject": text, "tag": text})
            assert page.status_code == 200
            body = re.sub(
                r'<script type="module" src="[^"]*"></script>|<script defer src="[^"]*"></script>', "", page.text
            )
            assert not re.search(r"<script|<img|<hx-partial|<marquee|<svg/|href=.javascript", body), (text, path)


def test_a_character_that_turns_or_hides_text_is_shown_by_its_number(person: Caller, admin: Caller) -> None:
    group = admin.post_group(subject="invoice\u202efdp.exe")

    page = person.get(f"/alerts/{group}").text
    assert 'data-c="202E" title="U+202E RIGHT-TO-LEFT OVERRIDE"' in page
    assert "<title>invoice\ufffdfdp.exe · Alerts · Tocsin</title>" in page


def test_cells_keep_the_exact_text_that_came(person: Caller, admin: Caller) -> None:
    row = '{"n": 1.50e10, "big": 12345678901234567890123, "mail": "Bob <bob@example.com>", "both": "a & b", "no": null}'
    answer = admin.post("/api/v2/alertgroup", content=f'{{"subject": "exact", "data": [{row}]}}')
    group = answer.json()["id"]

    page = person.get(f"/alerts/{group}").text
    for shown in ("1.50e10", "12345678901234567890123", "Bob &lt;bob@example.com&gt;", "a &amp; b"):
        assert f"<td><bdi>{shown}</bdi></td>" in page, shown
    assert '<td><span class="null">null</span></td>' in page


def test_only_links_to_the_web_can_be_clicked(person: Caller, admin: Caller) -> None:
    links = [{"subject": "good", "link": "https://siem.example/1"}, {"subject": "bad", "link": "javascript:alert(1)"}]
    group = admin.post_group(ahrefs=links)

    page = person.get(f"/alerts/{group}").text
    assert 'href="https://siem.example/1" target="_blank" rel="noopener noreferrer nofollow"' in page
    assert 'href="javascript' not in page
    assert "javascript:alert(1)" in page


def test_the_list_goes_on_behind_its_last_line_in_every_order(person: Caller, admin: Caller) -> None:
    for n in range(120):
        admin.post_group(subject=f"number {n % 7}", data=[{"n": n}] * (n % 3 + 1))
    for sort in ("-received", "id", "subject", "-subject", "status", "-alert_count", "views", "-updated", "created"):
        seen: list[int] = []
        path = f"/alerts?sort={sort}"
        while path:
            page = person.get(path).text
            seen += [int(found) for found in re.findall(r'<tr id="g(\d+)"', page)]
            more = re.search(r'<a href="([^"]*after=[^"]*)"', page)
            path = more[1].replace("&amp;", "&") if more else ""
        assert sorted(seen) == list(range(1, 121)), sort
        assert len(seen) == 120, sort


def test_a_filter_stands_in_the_address_and_in_its_fields(person: Caller, admin: Caller) -> None:
    admin.post_group(subject="Beacon one", tag=["c2"], source=["splunk"])
    admin.post_group(subject="Scan two", tag=["c2", "test"], source=["ids"])

    def subjects(**query: Any) -> list[str]:
        page = person.get("/alerts", params=query).text
        return [
            subject for subject in ("Beacon one", "Scan two") if f"<bdi>{subject}</bdi>" in page
        ]  # fmt: skip

    assert subjects(tag="c2") == ["Beacon one", "Scan two"]
    assert subjects(tag="c2,!test") == ["Beacon one"]
    assert subjects(source="ids") == ["Scan two"]
    assert subjects(subject="one beacon") == ["Beacon one"]
    assert subjects(id="2") == ["Scan two"]
    assert subjects(status="closed") == []
    assert subjects(last="1h") == ["Beacon one", "Scan two"]
    assert subjects(to="2020-01-01T00:00") == []
    page = person.get("/alerts", params={"subject": "one", "tag": "c2", "status": "open"}).text
    assert 'name="subject" value="one"' in page
    assert 'name="tag" value="c2"' in page
    assert "<option selected>open</option>" in page
    assert 'href="/alerts/1?status=open&amp;subject=one&amp;tag=c2"' in page
    assert "1 alertgroup matches" in page


@pytest.mark.parametrize(
    "query", ["id=abc", "id=1-99999999999", "from=yesterday", "sort=nonsense", "sort=--id", "after=%5B1%5D",
              "after=%5B%22x%22,1%5D", "after=%5B99999999999999999999,1%5D", "status=melted", "last=9y", "subject=%5B"]
)  # fmt: skip
def test_a_query_that_makes_no_sense_is_no_error_page(person: Caller, query: str) -> None:
    assert person.get(f"/alerts?{query}").status_code == 200


def test_closing_the_ticked_alerts_or_all_when_none_is_ticked_and_taking_it_back(person: Caller, admin: Caller) -> None:
    group = admin.post_group()
    page = person.get(f"/alerts/{group}")
    token = csrf(page)
    first = re.findall(r'name="alert" value="(\d+)"', page.text)[0]

    def counts() -> tuple[int, int]:
        known = admin.json(f"/api/v2/alertgroup/{group}")
        return known["open_count"], known["closed_count"]

    some = person.post(f"/alerts/{group}/status", data={"csrf_token": token, "status": "closed", "alert": first})
    assert (some.status_code, counts()) == (303, (1, 1))
    told = person.get(some.headers["location"])
    assert "Closed 1 alert." in told.text
    before = re.search(r'name="before" value="([^"]*)"', told.text)
    assert before
    person.post(f"/alerts/{group}/undo", data={"csrf_token": token, "before": before[1]})
    assert counts() == (2, 0)
    person.post(f"/alerts/{group}/status", data={"csrf_token": token, "status": "closed"})
    assert counts() == (0, 2)


def test_an_undo_in_a_link_from_somebody_else_is_not_offered(person: Caller, admin: Caller) -> None:
    group = admin.post_group()

    page = person.get(f"/alerts/{group}?done=Click+here&undo=closed:all&mark={'0' * 32}").text
    assert "Click here" not in page
    assert 'name="before"' not in page


def test_a_form_without_its_token_changes_nothing(person: Caller, admin: Caller) -> None:
    group = admin.post_group()
    for data in ({"status": "closed"}, {"status": "closed", "csrf_token": "0" * 40}):
        assert person.post(f"/alerts/{group}/status", data=data).status_code == 403
    assert admin.json(f"/api/v2/alertgroup/{group}")["open_count"] == 2


def test_a_viewer_sees_everything_and_may_press_nothing(admin: Caller) -> None:
    viewer = signed_in(admin, "viewer")
    group = admin.post_group()

    page = viewer.get(f"/alerts/{group}")
    assert 'id="close"' not in page.text
    assert 'type="checkbox"' not in page.text
    refused = viewer.post(f"/alerts/{group}/status", data={"csrf_token": csrf(page), "status": "closed"})
    assert refused.status_code == 403
    assert "You may not do that" in refused.text


def test_labels_come_and_go_even_when_they_hold_quotes_and_line_ends(person: Caller, admin: Caller) -> None:
    group = admin.post_group(tag=['say "hi"\n', "kept"])
    token = csrf(person.get(f"/alerts/{group}"))

    def tags() -> list[str]:
        return [tag["value"] for tag in admin.json(f"/api/v2/alertgroup/{group}/tag")["records"]]

    removed = {"csrf_token": token, "kind": "tag", "remove": '"say \\"hi\\"\\n"'}
    person.post(f"/alerts/{group}/labels", data=removed)
    person.post(f"/alerts/{group}/labels", data={"csrf_token": token, "kind": "tag", "add": "new one, c2"})
    assert tags() == ["kept", "new one", "c2"]


def test_the_way_says_what_happened_and_the_original_is_byte_for_byte(person: Caller, admin: Caller) -> None:
    body = b'{"subject": "kept  as it  came", "data": [{"a": 1.0}]}'
    group = admin.post("/api/v2/alertgroup", content=body).json()["id"]

    page = person.get(f"/alerts/{group}").text
    assert "Read by scot 1: 1 alert, 1 column" in page
    assert f"{len(body)} bytes kept" in page
    assert "idea_log: waiting to be sent" in page
    download = person.get(f"/alerts/{group}/original/download")
    assert download.content == body
    assert download.headers["content-disposition"].startswith("attachment")
    assert download.headers["content-type"] == "application/octet-stream"


def test_rows_behind_the_first_hundred_are_fetched_in_order(person: Caller, admin: Caller) -> None:
    group = admin.post_group(data=[{"n": n} for n in range(250)])

    page = person.get(f"/alerts/{group}").text
    assert page.count('name="alert"') == 100
    last = re.search(r'data-last="(\d+)"', page)
    assert last
    rest = person.json(f"/alerts/{group}/rows?after={last[1]}")
    assert [row[2] for row in rest["rows"]] == [[str(n)] for n in range(100, 250)]
    assert rest["more"] is False
    assert person.json(f"/alerts/{group}/rows?after={last[1]}&limit=10")["more"] is True


def test_a_view_is_counted_when_a_person_looks_and_not_when_the_page_keeps_itself_current(
    person: Caller, admin: Caller
) -> None:
    group = admin.post_group()
    person.get(f"/alerts/{group}")
    person.get(f"/alerts/{group}/now")
    person.get("/alerts/news", params={"ids": str(group)})

    assert 'class="n">1</td>' in person.get("/alerts").text


def test_the_balance_stands_on_every_page_and_adds_up(person: Caller, admin: Caller) -> None:
    admin.post_group()
    admin.post("/api/v2/alertgroup", content=b"{not json")
    admin.post_group()
    admin.application.state.web.notes.every_s = 0

    page = person.get("/flow").text
    assert "today received <b>2</b> = stored <b>2</b> + quarantined <b>0</b>" in page
    for words in ("Sources", "Lanes", "idea_log", "text_log", "rest"):
        assert words in page


def test_an_error_says_what_happened_what_is_safe_and_what_to_do(person: Caller) -> None:
    missing = person.get("/alerts/999")

    assert missing.status_code == 404
    for words in ("There is no alertgroup 999.", "Every alert that was received is kept", "Look at the address"):
        assert words in missing.text
    part = person.anonymous(**person.headers, HX_Request="true", HX_Target="article#detail").get("/alerts/999")
    assert (part.status_code, part.headers["hx-retarget"]) == (404, "#alarm")
    assert "<html" not in part.text
    assert person.get("/nowhere").status_code == 404
    assert person.get("/alerts/99999999999999999999").status_code == 400


def test_while_the_store_is_away_the_pages_say_so_and_what_is_safe(
    person: Caller, admin: Caller, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin.post_group()
    read = hub.store.read

    def away(work: Any) -> Any:
        if "session" in work.__code__.co_names:  # the sign-in still works: it is remembered by the store's cache
            return read(work)
        raise StoreUnavailable("the disk is full")

    monkeypatch.setattr(hub.store, "read", away)
    page = person.get("/alerts")

    assert page.status_code == 503
    assert int(page.headers["retry-after"]) >= 1
    for words in ("The disk is full.", "Alerts that were acknowledged are on disk", "Try again"):
        assert words in page.text


def test_style_and_scripts_are_kept_for_ever_under_an_address_that_names_their_content(
    nobody: Caller, application: Starlette
) -> None:
    address = re.findall(r'(?:href|src)="(/static/[^"]+)"', nobody.get("/sign-in").text)
    assert any(name.endswith("tocsin.css") for name in address)
    for name in address:
        file = nobody.get(name)
        assert file.status_code == 200
        assert file.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert nobody.get(name, headers={"If-None-Match": file.headers["etag"]}).status_code == 304
    assert nobody.get("/static/0000/tocsin.css").headers["cache-control"] == "no-cache"
    assert nobody.get("/static/0000/../page.js").status_code == 404
    assert nobody.get("/static/0000/..%2f..%2fauth.py").status_code == 404


def test_light_or_dark_is_kept_in_a_cookie_and_drawn_by_the_server(nobody: Caller) -> None:
    chosen = nobody.post("/theme", data={"theme": "toggle", "next": "/sign-in"})

    assert (chosen.status_code, chosen.headers["location"]) == (303, "/sign-in")
    cookie = chosen.headers["set-cookie"].partition(";")[0]
    assert cookie == "tocsin_theme=dark"
    assert '<html lang="en" data-theme="dark">' in nobody.get("/sign-in", headers={"cookie": cookie}).text
