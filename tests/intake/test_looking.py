"""Looking at a message: every parser is asked, apart, and none of them can spoil it for the others."""

from collections.abc import Iterator

import pytest

from neighbours.letters import a_letter, received
from neighbours.messages import posted
from neighbours.parsers import Cells, Picky, Slow
from tocsin.errors import NotFound
from tocsin.intake import Intake
from tocsin.intake import again as again_
from tocsin.intake.again import Again, as_it_stands
from tocsin.store import Store, open_store


@pytest.fixture
def again(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Again]:
    store: Store = open_store("sqlite", tmp_path_factory.mktemp("looking"))
    intake = Intake(store, {}, ())
    again = Again(store, intake, {"slow": Slow(), "picky": Picky(), "cells": Cells()})
    yield again
    again.close()
    intake.close()
    store.close()


@pytest.mark.parametrize("order", ["hang", "die", "grow"])
def test_a_parser_that_hangs_dies_or_grows_costs_its_own_answer_only(
    again: Again, order: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(again_, "LOOK_S", 6 if order == "hang" else 60)  # no other reason may come first
    monkeypatch.setattr(again_, "LOOKS_S", 120)
    cells, picky, slow = again.answers(posted(f"slow {order}".encode()))

    assert [one.parser for one in (cells, picky, slow)] == ["cells", "picky", "slow"]
    assert "ValueError" in picky.reading.reason
    assert {"hang": "longer than", "die": "died", "grow": "memory"}[order] in slow.reading.reason
    assert [one.claims for one in again.answers(posted(b"picky 2"))] == [False, True, False]


def test_once_all_the_time_is_spent_the_rest_is_not_asked(again: Again, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(again_, "LOOKS_S", 0)
    said = again.answers(posted(b"picky 2"))

    assert {one.reading.reason for one in said} == {"not asked: the others took too long"}


def test_what_is_no_mail_has_neither_preview_nor_attachments(again: Again) -> None:
    assert again.preview(posted(b"x")) is None
    with pytest.raises(NotFound, match="no mail"):
        again.enclosed(posted(b"x"), 0)


@pytest.mark.parametrize(
    "html",
    [
        "<p>" + "\u202e" * 3 + "text</p>",
        "<td colspan='99999'>a</td><td rowspan='2\" onmouseover=x'>b</td>",
        "<style><img src=x></style><noscript><p title='</noscript><img src=x>'>",
        "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1&gt;'>",
        "<b id=x name=y class=z data-live=/flow hx-get=/x hx-target=body>bold</b>",
        "<a href='javascript:alert(1)'>x</a><base href=//evil.example><meta http-equiv=refresh content=0>",
        "<!--><img src=x>--><![CDATA[<img src=x>]]><?xml <img src=x>?>",
        "<template><img src=x></template><object data=x></object><embed src=x><link rel=stylesheet href=x>",
    ],
)
def test_no_html_gets_more_than_words_and_tables_through(again: Again, html: str) -> None:
    seen = again.preview(received(a_letter("x", html=html)))

    assert seen is not None
    assert not seen.reason
    for evil in (
        "<img",
        "<a",
        "href",
        "src=",
        "style",
        "title=",
        "id=",
        "class",
        "hx-",
        "data-",
        "onm",
        "99999",
        "<t ",
        "<!",
    ):
        assert evil not in seen.html


def test_a_message_taken_as_it_stands_keeps_its_text_and_its_names(again: Again) -> None:
    group = as_it_stands(posted("grüße \0 x".encode()), None)

    assert group.alerts[0].data == {"text": "grüße \ufffd x"}
    assert (group.subject, group.sources) == ("Message 0 from here", ("here",))
