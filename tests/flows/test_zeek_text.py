r"""Any text comes back as it was: Zeek writes \xNN for what would be read otherwise."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import example, given, settings
from hypothesis import strategies as st

from neighbours.imported import aside, imported, rows, some
from tocsin.flows.dataset import Dataset

LETTERS = st.characters(codec="utf-8")
TEXTS = st.text(LETTERS | st.sampled_from("\\x09,-#\t\n\r\"' \x00\x85\u2028("), max_size=12)
HEADER = "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tdns\n"


def written(text: str, *, utf8: bool) -> str:
    r"""As Zeek's ASCII writer writes a text: \xNN for separators, what is not printed, and its own words."""

    def escaped(letter: str) -> str:
        plain = letter.isascii() and letter.isprintable() and letter not in "\\,\t"
        if plain or (utf8 and not letter.isascii() and letter.isprintable()):
            return letter
        return "".join(f"\\x{byte:02x}" for byte in letter.encode())

    if text in ("-", "(empty)"):
        return f"\\x{ord(text[0]):02x}{text[1:]}"
    return "".join(map(escaped, text)) or "(empty)"


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(TEXTS, st.lists(TEXTS.filter(bool), max_size=3)), min_size=1, max_size=20), st.booleans())
@example([("\\x41", ["a,b", "-"]), ("-", []), ("(empty)", ["\\"]), ("\\", ["\\x"])], False)
@example([("ä\t\\x", ["\ud7ff", "\U0001f600"])], True)
def test_any_text_of_a_tab_separated_log_comes_back(texts: list[tuple[str, list[str]]], utf8: bool) -> None:
    lines = [
        f"{line}.5\t{written(text, utf8=utf8)}\t{','.join(written(each, utf8=utf8) for each in many) or '(empty)'}\n"
        for line, (text, many) in enumerate(texts)
    ]
    with TemporaryDirectory() as folder:
        log = Path(folder) / "dns.log"
        log.write_text(HEADER + "#fields\tts\tquery\tanswers\n" + "".join(lines), encoding="utf-8", newline="")
        dataset = imported(Dataset(Path(folder) / "flows", memory_mb=200, threads=2), log)

        assert aside(dataset) == []
        assert [some(row, "query", "answers") for row in rows(dataset, "dns")] == texts


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(TEXTS, st.lists(TEXTS, max_size=3)), min_size=1, max_size=20), st.booleans())
def test_any_text_of_a_json_log_comes_back(texts: list[tuple[str, list[str]]], ascii_only: bool) -> None:
    given = [{"ts": 1.5, "rejected": False, "trans_id": 1, "query": text, "answers": many} for text, many in texts]
    with TemporaryDirectory() as folder:
        log = Path(folder) / "dns.log"
        lines = "".join(json.dumps(line, ensure_ascii=ascii_only) + "\n" for line in given)
        log.write_text(lines, encoding="utf-8", newline="")
        dataset = imported(Dataset(Path(folder) / "flows", memory_mb=200, threads=2), log)

        assert aside(dataset) == []
        assert [some(row, "query", "answers") for row in rows(dataset, "dns")] == texts


def test_bytes_that_are_no_text_stay_as_zeek_wrote_them(tmp_path: Path) -> None:
    log = tmp_path / "dns.log"
    log.write_bytes(HEADER.encode() + b"#fields\tts\tquery\tanswers\n1.5\t\\xff\\x41\ta\xffb,\xc3\xa4\n")

    (row,) = rows(imported(Dataset(tmp_path / "flows"), log), "dns")

    assert some(row, "query", "answers") == ("\\xff\\x41", ["a\\xffb", "ä"])
