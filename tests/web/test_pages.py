"""The pages as the server draws them: what a browser without script gets."""

import re
from typing import Any

import pytest
from starlette.applications import Starlette

from tocsin.app import Hub
from tocsin.errors import StoreUnavailable
from tocsin.web.pages.drawing import POLICY
from web.conftest import Caller
from web.person import csrf, signed_in

pytestmark = pytest.mark.parametrize("engine", ["sqlite"])
"""What is drawn does not depend on the engine; what is read does: see test_page_lists."""
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
    return signed_in(admin)


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
    cells = [re.sub(r"<[^>]*>", "", cell) for cell in re.findall(r"<td>(.*?)</td>", page)]
    for shown in ("1.50e10", "12345678901234567890123", "Bob &lt;bob@example.com&gt;", "a &amp; b"):
        assert shown in cells
    assert '<td><span class="null">null</span></td>' in page


def test_only_links_to_the_web_can_be_clicked(person: Caller, admin: Caller) -> None:
    links = [{"subject": "good", "link": "https://siem.example/1"}, {"subject": "bad", "link": "javascript:alert(1)"}]
    group = admin.post_group(ahrefs=links)

    page = person.get(f"/alerts/{group}").text
    assert 'href="https://siem.example/1" target="_blank" rel="noopener noreferrer nofollow"' in page
    assert 'href="javascript' not in page
    assert "javascript:alert(1)" in page


@pytest.mark.parametrize(
    "query", ["id=abc", "id=1-99999999999", "from=yesterday", "sort=nonsense", "sort=--id", "after=%5B1%5D",
              "after=%5B%22x%22,1%5D", "after=%5B99999999999999999999,1%5D", "status=melted", "last=9y", "subject=%5B",
              "q=%28", "q=sorce:x&tag=a", "q=data.a:/%28%3F=x%29/", "q=%0a%0d"]
)  # fmt: skip
def test_a_query_that_makes_no_sense_is_no_error_page(person: Caller, query: str) -> None:
    assert person.get(f"/alerts?{query}").status_code == 200


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
    assert 'name="alert"' not in page.text
    refused = viewer.post(f"/alerts/{group}/status", data={"csrf_token": csrf(page), "status": "closed"})
    assert refused.status_code == 403
    assert "You may not do that" in refused.text


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
