"""How commands find the running server: a file that only a living server holds."""

import stat
from pathlib import Path

from tocsin.cli.control import FILE_NAME, Control, announcing, new_token, running

HERE = Control(url="http://127.0.0.1:8417", token="t", pid=1)


def test_no_file_means_no_server(tmp_path: Path) -> None:
    assert running(tmp_path) is None


def test_a_server_is_found_while_it_holds_the_file_and_not_after(tmp_path: Path) -> None:
    with announcing(tmp_path) as announce:
        announce(HERE)
        found = running(tmp_path)

    assert found == HERE
    assert running(tmp_path) is None
    assert not (tmp_path / FILE_NAME).exists()


def test_only_the_owner_may_read_the_token(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).touch(mode=0o666)

    with announcing(tmp_path) as announce:
        announce(HERE)
        mode = stat.S_IMODE((tmp_path / FILE_NAME).stat().st_mode)

    assert mode == 0o600


def test_what_a_killed_server_left_counts_as_none_and_is_taken_over(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text('{"url":"http://127.0.0.1:1","token":"a very long old token","pid":1}')

    before = running(tmp_path)
    with announcing(tmp_path) as announce:
        announce(HERE)
        after = running(tmp_path)

    assert before is None
    assert after == HERE


def test_a_server_that_has_not_said_where_it_is_counts_as_none(tmp_path: Path) -> None:
    with announcing(tmp_path):
        assert running(tmp_path) is None


def test_tokens_are_long_and_never_the_same() -> None:
    tokens = {new_token() for _ in range(100)}

    assert len(tokens) == 100
    assert min(map(len, tokens)) >= 43
