"""`tocsin config check` and `tocsin plugins`."""

from pathlib import Path

import pytest

from tocsin import __version__
from tocsin.cli import main


def check(data: Path, capsys: pytest.CaptureFixture[str], *more: str) -> tuple[int | str | None, str, list[str]]:
    with pytest.raises(SystemExit) as ended:
        main(["config", "check", "--data", str(data), *more])
    said = capsys.readouterr()
    return ended.value.code, said.out, said.err.splitlines()


def test_no_file_is_good(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = check(tmp_path, capsys)

    assert (code, err) == (0, [])
    assert "the defaults are good" in out
    assert "idea_log, text_log" in out


def test_sections_and_plug_ins_are_checked_together(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "tocsin.toml").write_text(
        '[http]\nprot = 1\n[store]\nurl = { env = "TOCSIN_TEST_UNSET" }\n'
        '[destinations.soc]\ntype = "webhok"\n[destinations.chat]\ntype = "webhook"\nurl = { file = "chat.url" }\n'
        "[parsers.scot]\nfast = true\n"
    )

    code, out, err = check(tmp_path, capsys)

    assert (code, out) == (1, "")
    assert [line.removeprefix(f"tocsin: {tmp_path / 'tocsin.toml'}: ") for line in err] == [
        "http.prot = 1: unknown key; did you mean port?",
        'store.url = { env = "TOCSIN_TEST_UNSET" }: set the environment variable TOCSIN_TEST_UNSET',
        "parsers.scot.fast = true: unknown key; it takes none",
        'destinations.soc.type = "webhok": there is no such type of destination; did you mean webhook?',
        'destinations.chat.url = { file = "chat.url" }: make the file chat.url readable (No such file or directory)',
    ]


def test_another_file_may_be_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "other.toml").write_text("[log]\nlevel = 'debug'\n")

    code, out, _ = check(tmp_path, capsys, "--config", str(tmp_path / "other.toml"))

    assert code == 0
    assert "other.toml is good" in out


def test_plug_ins_are_listed_with_origin_and_the_names_they_are_used_under(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "tocsin.toml").write_text(
        '[destinations.idea_log]\nenabled = false\n[destinations.more]\ntype = "text_log"\n'
    )

    with pytest.raises(SystemExit) as ended:
        main(["plugins", "--data", str(tmp_path)])

    lines = {line.split()[1]: line.split() for line in capsys.readouterr().out.splitlines()}
    assert ended.value.code == 0
    assert lines["idea_log"][:3] == ["destination", "idea_log", "tocsin"]
    assert lines["idea_log"][4:] == ["-"]
    assert lines["text_log"][4:] == ["text_log,", "more"]
    assert lines["scot"][2:] == ["90", "tocsin", __version__, "scot"]
