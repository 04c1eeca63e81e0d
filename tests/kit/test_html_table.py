"""Tables, links and text of HTML, and the guard before them."""

import pytest

from tocsin.errors import Unreadable
from tocsin.kit import html_table
from tocsin.kit.html_depth import DEEPEST, check_depth
from tocsin.kit.html_table import Page
from tocsin.model import Link


def texts(html: str) -> list[list[list[str]]]:
    return [[[cell.text for cell in row] for row in table] for table in Page(html).tables()]


def test_tables_rows_and_cells_in_order() -> None:
    html = "<table><thead><tr><th>a<th>b</thead><tbody><tr><td>1<td>2</tbody></table><p>x<table><tr><td>y</table>"

    assert texts(html) == [[["a", "b"], ["1", "2"]], [["y"]]]
    assert [cell.header for cell in Page(html).tables()[0][0]] == [True, True]


def test_a_nested_table_is_text_of_its_cell_and_gives_no_row() -> None:
    inner = "<table><tr><td>in1</td><td>in2</td></tr><tr><td>in3</td></tr></table>"

    assert texts(f"<table><tr><td>a {inner}</td><td>b</td></tr></table>") == [[["a in1 in2 in3", "b"]]]


def test_a_table_that_lays_out_others_is_looked_through() -> None:
    inner = "<table><tr><td>1</td><td>2</td></tr></table>"

    assert texts(f"<table><tr><td>{inner}</td></tr><tr><td>x{inner}</td></tr></table>") == [[["1", "2"]]] * 2
    assert texts(f"<table><tr><th>h</th></tr><tr><td>{inner}</td></tr></table>") == [[["h"], ["1 2"]]]


def test_spans_are_expanded_within_bounds() -> None:
    assert texts("<table><tr><td rowspan=2>a<td colspan=2>b<tr><td>c<td>d</table>") == [
        [["a", "b", "b"], ["a", "c", "d"]]
    ]
    assert texts("<table><tr><td colspan=0>a<td colspan=x>b<td colspan=-1>c</table>") == [[["a", "b", "c"]]]
    assert len(texts("<table><tr><td colspan=99999>a</table>")[0][0]) == html_table.MOST_SPAN


def test_spans_beyond_a_million_cells_are_unreadable() -> None:
    with pytest.raises(Unreadable, match="spans more than 1,000,000 cells"):
        Page("<table>" + "<tr><td colspan=1000>x" * 1100 + "</table>").tables()


def test_quick_and_long_way_read_the_same() -> None:
    cells = [
        "a",
        " a\n b ",
        "a<b>c</b>",
        "a<br>b",
        "<p>a</p><p>b</p>",
        "<pre>a  b</pre>",
        "<a href=x>y</a>",
        "",
        "&nbsp;",
    ]
    row = "".join(f"<td>{cell}</td>" for cell in cells)
    quick, long = (Page(f"<table><tr>{row}</tr>{more}</table>").tables()[0][0] for more in ("", "<tr><td colspan=2>"))

    assert quick == long
    assert [cell.values for cell in quick] == [
        *(("a",), ("a b",), ("ac",), ("a", "b"), ("a", "b"), ("a  b",), ("y",), (), ()),
    ]
    assert quick[6].links == (Link(subject="y", link="x"),)


def test_text_of_a_page_keeps_words_apart_and_leaves_out_what_is_not_shown() -> None:
    html = "<title>t</title><style>s</style><h1>a</h1>b <i>c</i>d<ul><li>e<li>f</ul><script>g</script><!--h-->&lt;i&gt;"

    assert Page(html).text() == "a\nb cd\ne\nf\n<i>"


def test_links_with_their_text() -> None:
    html = "<a href=' https://x.example/?a=1&amp;b=2 '>v <b>w</b></a><a name=n>no</a><a href=''>no</a>"

    assert Page(html).links() == (Link(subject="v w", link="https://x.example/?a=1&b=2"),)


@pytest.mark.parametrize("html", ["", " ", "\0", "<", "no tags", "<table>", "<td>x"])
def test_nothing_much_is_a_page(html: str) -> None:
    assert isinstance(Page(html).text(), str)
    assert isinstance(Page(html).tables(), list)


TOO_MANY = DEEPEST + 1


@pytest.mark.parametrize(
    "tag",
    [
        *("<div>", "<DIV>", "<div></b>", "<b><div></b>", "<div><div>x</div>", "<div/>", "<o:p>", "<optgroup>", "<rt>"),
        *('<div title="</div>">', "<div title='</div>'>", "<div title= '</div>'>", "<div a\"b='></div>'>"),
        *(
            "<div><!-- </div> -->",
            "<div><!-- </div> --!>",
            "<div><title></div></title>",
            "<div><script></div></script>",
        ),
        *("<div a=b>", "<div\n>", "<b a=1><i>", "<table><tr><td>"),
    ],
)
def test_tags_open_inside_each_other_are_counted(tag: str) -> None:
    with pytest.raises(Unreadable, match=f"more than {DEEPEST} open tags"):
        check_depth(tag * TOO_MANY)


@pytest.mark.parametrize("tag", ["<tr>", "<td>", "<area>", "<input>", "<option>"])
def test_in_foreign_content_nothing_closes_itself(tag: str) -> None:
    with pytest.raises(Unreadable):
        check_depth("<svg>" + tag * TOO_MANY)


def test_closing_tags_without_an_opening_one_lend_no_depth() -> None:
    with pytest.raises(Unreadable):
        check_depth("</div>" * TOO_MANY + "<div>" * TOO_MANY)


@pytest.mark.parametrize(
    "html",
    [
        *("<div><br><p>x<p>y</div>", "<table><tr><td>a<td>b</table>", "<b>x</b>", "<a href='x>y' title=\"it's\">z</a>"),
        *(
            "<p class=MsoNormal><span style='a:b'>x<o:p></o:p></span></p>",
            "<ul><li>a<li>b</ul>",
            "<script>'<div>'</script>",
        ),
        *("<img><hr><input>", "<!-- <div> -->", "1 < 2 <3", "</x>", "<!DOCTYPE html>", "<svg><path/></path></svg>"),
    ],
)
def test_what_people_write_may_be_as_long_as_it_likes(html: str) -> None:
    assert Page(html * 2000).text() is not None


def test_a_page_that_is_too_large_is_unreadable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(html_table, "MOST_BYTES", 10)

    with pytest.raises(Unreadable, match="larger than"):
        Page("x" * 11)
