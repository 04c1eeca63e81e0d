"""Splunk's mails: every shape that was seen, and what becomes of each cell."""

from typing import Any

import msgspec
import pytest

from neighbours.mails import a_mail, mail_from, only
from tocsin import detection
from tocsin.model import Alertgroup, Link, Message
from tocsin.parsers.splunk import Splunk

SUMMARY = "<table><tr><th>Alert:</th><td>beacons</td></tr><tr><th>Search String:</th><td>index=a</td></tr></table>"
SEARCH = (
    'index=proxy sourcetype="bluecoat:access" tag=web user_agent="Mozilla/4.0 (compatible; Sample)"'
    " | stats count by src_ip, http.host | sort - count"
)


def read(message: Message) -> Alertgroup:
    assert Splunk().claims(message)
    return only(Splunk().parse(message))


def table(html: str) -> Alertgroup:
    return read(a_mail(html=f"<html><body>{SUMMARY}{html}</body></html>"))


def cells(group: Alertgroup) -> list[dict[str, Any]]:
    assert all(alert.data["alert_name"] == "beacons" for alert in group.alerts)
    return [{k: v for k, v in alert.data.items() if k not in ("alert_name", "search")} for alert in group.alerts]


def test_reads_the_mail_that_splunk_writes() -> None:
    group = read(mail_from("splunk/inline_table.eml"))

    said = {"alert_name": "Beacons by proxy", "search": SEARCH}
    assert group.columns == ("_time", "src_ip", "http.host", "count", "_raw")
    assert [alert.data for alert in group.alerts] == [
        {
            "_time": "2026-03-02T06:14:09.000+00:00",
            "src_ip": "192.0.2.14",
            "http.host": ["a.example.net", "b.example.net"],
            "count": "412",
            "_raw": "GET /a  HTTP/1.1\n  Host: a.example.net",
            **said,
        },
        {
            "_time": "2026-03-02T06:14:40.000+00:00",
            "src_ip": "2001:db8:77::5",
            "http.host": "München.example",
            "count": "97",
            "_raw": "a <b@c.example> & d",
            **said,
        },
    ]
    assert msgspec.structs.replace(group, alerts=(), columns=(), body="", body_plain="") == Alertgroup(
        subject="Splunk Alert: Beacons by proxy (München)",
        alerts=(),
        tags=("index=proxy", "sourcetype=bluecoat:access", "tag=web"),
        sources=("email", "splunk"),
        message_id="<20260302061503.1@splunk.example.com>",
        created=1_772_432_103_000_000,
        ahrefs=(
            Link(subject="Beacons by proxy", link="https://splunk.example.com/app/search/alert?s=%2Fbeacons"),
            Link(
                subject="View results in Splunk",
                link="https://splunk.example.com/app/search/@go?sid=scheduler__soc__beacons",
            ),
        ),
    )
    assert group.body.startswith("<!DOCTYPE html")
    assert group.body_plain.startswith("The alert condition for 'Beacons by proxy' was triggered.")


def test_a_row_means_what_its_columns_say_under_the_name_of_the_alert() -> None:
    meaning = detection.read(read(mail_from("splunk/inline_table.eml")).alerts[0])

    assert (meaning.name, meaning.detected) == ("Beacons by proxy", 1_772_432_049_000_000)
    assert meaning.sources[0].addresses == ("192.0.2.14",)


def test_reads_what_outlook_made_of_it_when_it_was_forwarded() -> None:
    group = read(mail_from("splunk/outlook_forward.eml"))

    search = "index=wineventlog EventCode=4625 | table user host note"
    assert group.columns == ("user", "host", "note")
    assert [alert.data for alert in group.alerts] == [
        {"user": "jörg", "host": "ws-1.example.com", "note": ["l1", "l2"], "alert_name": "Logons by night"}
        | {"search": search},
        {"user": "", "host": "ws-2.example.com", "note": "see wiki", "alert_name": "Logons by night", "search": search},
    ]
    assert Link(subject="see wiki", link="https://wiki.example.com/x?a=1&b=2") in group.ahrefs
    assert group.tags == ("index=wineventlog",)


def test_a_file_of_results_stands_for_the_table_that_is_not_there() -> None:
    group = read(mail_from("splunk/csv_attached.eml"))

    assert group.columns == ("_time", "src", "query")
    assert [alert.data for alert in group.alerts] == [
        {
            "_time": "2026-03-02T08:00:00.000+00:00",
            "src": "192.0.2.77",
            "query": "a,b.t.example.net",
            "alert_name": "DNS tunnel",
        }
    ]
    assert group.ahrefs == (Link(subject="View results", link="https://splunk.example.com/go"),)
    assert group.created == 1_772_438_400_000_000


def test_a_mail_of_plain_text_is_one_alert_with_name_and_search() -> None:
    group = read(mail_from("splunk/plain_text.eml"))

    assert group.columns == ("alert_name", "search", "alert")
    assert group.alerts[0].data == {
        "alert_name": "Beacons by night",
        "search": "index=proxy tag=web | stats count",
        "alert": group.body_plain.strip(),
    }
    assert group.tags == ("index=proxy", "tag=web", "no_table")
    assert group.ahrefs == (Link(subject="Link to results", link="https://splunk.example.com/app/search/@go?sid=7"),)


def test_html_without_any_table_is_one_alert_that_holds_its_text() -> None:
    group = read(a_mail(html="<html><body><p>one</p><p>two <b>three</b></p></body></html>", subject="Splunk Alert: y"))

    assert [alert.data for alert in group.alerts] == [{"alert_name": "y", "alert": "one\ntwo three"}]
    assert group.tags == ("no_table",)


def test_a_fragment_without_an_html_tag_is_read_as_well() -> None:
    assert cells(read(a_mail(html=f"{SUMMARY}<table><tr><th>a</th></tr><tr><td>1</td></tr></table>"))) == [{"a": "1"}]


def test_a_summary_without_results_keeps_text_and_name() -> None:
    group = table("")

    assert [alert.data for alert in group.alerts] == [
        {"alert_name": "beacons", "search": "index=a", "alert": "Alert: beacons\nSearch String: index=a"}
    ]
    assert group.tags == ("index=a", "no_table")


@pytest.mark.parametrize("tag", ["th", "td"])
def test_a_header_without_rows_says_that_there_are_no_results(tag: str) -> None:
    group = table(f"<table><tr><{tag}>a</{tag}><{tag}>b</{tag}></tr></table>")

    assert [alert.data["results"] for alert in group.alerts] == [0]
    assert group.alerts[0].data["alert"].startswith("Alert: beacons")
    assert group.tags == ("index=a", "no_results")


def test_an_empty_table_of_results_keeps_the_mail() -> None:
    group = table("<table></table>")

    assert [alert.data["alert_name"] for alert in group.alerts] == ["beacons"]
    assert group.tags == ("index=a", "no_table")


def test_a_header_of_td_is_a_header() -> None:
    group = table("<table><tr><td>a</td><td>b</td></tr><tr><td>1</td><td>2</td></tr></table>")

    assert cells(group) == [{"a": "1", "b": "2"}]


def test_repeated_and_empty_names_are_all_kept_and_the_same_in_every_row() -> None:
    header = "<tr><th>a</th><th>a</th><th></th><th>&nbsp;</th><th>a_2</th></tr>"
    row = "<tr><td>1</td><td>2</td><td>3</td><td>4</td><td>5</td></tr>"
    group = table(f"<table>{header}{row}{row}</table>")

    assert group.columns == ("a", "a_3", "c3", "c4", "a_2")
    assert cells(group) == [{"a": "1", "a_3": "2", "c3": "3", "c4": "4", "a_2": "5"}] * 2


def test_short_rows_lack_their_last_columns_and_long_ones_get_more() -> None:
    rows = "<tr><td>1</td></tr><tr></tr><tr><td>1</td><td>2</td><td>3</td><td>4</td></tr>"
    group = table(f"<table><tr><th>a</th><th>b</th></tr>{rows}</table>")

    assert group.columns == ("a", "b", "c3", "c4")
    assert cells(group) == [{"a": "1"}, {}, {"a": "1", "b": "2", "c3": "3", "c4": "4"}]
    assert "uneven_rows" in group.tags


def test_spans_are_expanded() -> None:
    rows = "<tr><td colspan=2>x</td><td rowspan=2>z</td></tr><tr><td>1</td><td>2</td></tr>"
    group = table(f"<table><tr><th>a</th><th>b</th><th>c</th></tr>{rows}</table>")

    assert cells(group) == [{"a": "x", "b": "x", "c": "z"}, {"a": "1", "b": "2", "c": "z"}]


def test_a_table_in_a_cell_is_text_of_the_cell() -> None:
    inner = "<table><tr><td>in1</td><td>in2</td></tr></table>"
    group = table(f"<table><tr><th>a</th><th>b</th></tr><tr><td>{inner}</td><td>2</td></tr></table>")

    assert cells(group) == [{"a": "in1 in2", "b": "2"}]


def test_later_tables_stay_in_the_body() -> None:
    first = "<table><tr><th>a</th><th>b</th></tr><tr><td>1</td><td>2</td></tr></table>"
    group = table(first + first.replace("1", "other"))

    assert cells(group) == [{"a": "1", "b": "2"}]
    assert "other" in group.body


def test_a_table_that_only_lays_out_the_mail_is_looked_through() -> None:
    results = "<table><tr><th>a</th></tr><tr><td>1</td></tr></table>"
    group = read(a_mail(html=f"<table><tr><td>{SUMMARY}</td></tr><tr><td><p>x</p>{results}</td></tr></table>"))

    assert cells(group) == [{"a": "1"}]


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("", ""),
        ("&nbsp;", ""),
        ("<div>1</div><div>2</div>", ["1", "2"]),
        ("l1<br>l2", ["l1", "l2"]),
        ("a <b>bold</b>er word", "a bolder word"),
        ("Jun  3\n 4", "Jun 3 4"),
        ("<pre>Jun  3\n 4</pre>", "Jun  3\n 4"),
        ('<div style="white-space: pre-wrap;">Jun  3</div>', "Jun  3"),
        ("&lt;a@b.example&gt; &amp;amp;", "<a@b.example> &amp;"),
        ("x<script>no</script><style>no</style><!-- no -->", "x"),
    ],
)
def test_what_becomes_of_a_cell(cell: str, value: object) -> None:
    assert cells(table(f"<table><tr><th>a</th></tr><tr><td>{cell}</td></tr></table>")) == [{"a": value}]


def test_columns_of_the_parsers_own_names_are_not_overwritten() -> None:
    group = table("<table><tr><th>search</th><th>columns</th></tr><tr><td>1</td><td>2</td></tr></table>")

    assert group.alerts[0].data == {"search": "1", "columns": "2", "alert_name": "beacons", "search_2": "index=a"}


@pytest.mark.parametrize(
    ("search", "tags"),
    [
        ("index=a sourcetype=b:c", ("index=a", "sourcetype=b:c")),
        ("(index=a OR index='b c') tag::host=x | search tag=d|stats", ("index=a", "index=b c", "tag=d")),
        ('search source="/var/log/x y.log" my_index=no xindex=no', ("source=/var/log/x y.log",)),
        ("| tstats count where index = main", ("index=main",)),
        ("index=a index=a", ("index=a",)),
    ],
)
def test_tags_come_from_the_search(search: str, tags: tuple[str, ...]) -> None:
    html = SUMMARY.replace("index=a", search) + "<table><tr><th>a</th></tr><tr><td>1</td></tr></table>"

    assert read(a_mail(html=html)).tags == tags


def test_who_says_so_in_subject_or_sender_is_claimed() -> None:
    assert Splunk().claims(a_mail(subject="Fwd: SPLUNK REPORT: x", sender="ann@example.com"))
    assert Splunk().claims(a_mail(subject="x", sender="Splunk Cloud <alerts@example.com>"))
    assert not Splunk().claims(a_mail(subject="x", sender="ann@example.com"))
    assert Splunk(subjects=("alarm",)).claims(a_mail(subject="Alarm!", sender="ann@example.com"))


def test_a_body_of_more_than_a_million_characters_stays_in_the_original() -> None:
    group = table("<table><tr><th>a</th></tr><tr><td>" + "x" * 1_000_000 + "</td></tr></table>")

    assert group.body.startswith("These are 1,000,")
    assert len(cells(group)[0]["a"]) == 1_000_000
