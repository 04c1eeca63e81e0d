"""Tables: nothing cut when read by programs, nothing that steers a terminal."""

import pytest

from tocsin.cli.table import moment, plain, print_table


def test_cells_are_never_cut_outside_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(["name", "what"], [("x" * 500, "y" * 500)], "none")

    heading, line = capsys.readouterr().out.splitlines()
    assert heading.split() == ["name", "what"]
    assert line.split() == ["x" * 500, "y" * 500]


def test_markup_and_escapes_in_a_name_stay_text(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(["name"], [("[red]key[/red] \x1b[31m\r\n",)], "none")

    shown = capsys.readouterr().out
    assert "[red]key[/red] �[31m��" in shown
    assert "\x1b" not in shown


def test_no_rows_are_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(["name"], [], "There is nothing.")

    assert capsys.readouterr().out == "There is nothing.\n"


def test_nothing_is_shown_as_nothing() -> None:
    assert (plain(None), moment(None), moment(0)) == ("", "", "1970-01-01 00:00:00Z")
