import pytest

from tocsin.entities import Known, find
from tocsin.errors import ConfigError


def found(text: str, known: Known) -> list[tuple[str, str, str]]:
    return [(f.entity.type, f.entity.value, f.text) for f in find(text, known)]


def test_own_strings_are_found_as_whole_words_in_any_case() -> None:
    known = Known(strings={"Fancy Bear": "actor", "apt29": "actor", "C++": "language"})

    assert found("FANCY bear, not apt299 or xapt29 but APT29; c++!", known) == [
        ("actor", "fancy bear", "FANCY bear"),
        ("actor", "apt29", "APT29"),
        ("language", "c++", "c++"),
    ]


def test_of_own_strings_that_begin_together_the_longest_is_outside_and_a_broken_longer_one_hides_none() -> None:
    known = Known(strings={"new york": "place", "new york city": "place", "new york c": "odd"})

    assert found("new york city", known) == [
        ("place", "new york city", "new york city"),
        ("place", "new york", "new york"),
    ]
    assert found("new york cx", known) == [("place", "new york", "new york")]


def test_own_strings_keep_their_place_behind_letters_that_change_their_length_in_lower_case() -> None:
    (one,) = find("İİİ žluť İ", Known(strings={"ŽLUŤ": "colour"}))

    assert (one.start, one.end, one.text) == (4, 8, "žluť")


def test_own_patterns_are_found_with_their_type() -> None:
    known = Known(patterns=[("ticket", r"\bINC[0-9]{6}\b"), ("nothing", "x*")])

    assert found("é INC123456 and INC1234567", known) == [("ticket", "INC123456", "INC123456")]


def test_an_own_pattern_is_found_across_the_windows_in_which_long_texts_are_read() -> None:
    known = Known(patterns=[("ticket", "INC[0-9]{6}")])
    text = "".join(f"{'.' * at}INC{number:06}" for number, at in enumerate([4090, 4080, 0, 9, 5000, 4085]))

    assert [f.entity.value for f in find(text, known)] == [f"INC{number:06}" for number in range(6)]


def test_own_suffixes_make_names_of_hosts_that_the_public_list_does_not_know() -> None:
    known = Known(suffixes=["corp.local"], own_domains=["corp.local"])

    assert found("dc01.corp.local", known) == [("domain", "dc01.corp.local", "dc01.corp.local")]
    assert [f.own for f in find("dc01.corp.local evil.com joe@a.corp.local", known)] == [True, False, True, True]
    assert [f.own for f in find("http://dc01.corp.local/", known)] == [True, True]


def test_private_addresses_are_own_unless_told_otherwise() -> None:
    text = "10.1.1.1 fe80::1 192.0.2.1"

    assert [f.own for f in find(text)] == [True, True, False]
    assert [f.own for f in find(text, Known(own_networks=[]))] == [False, False, False]


def test_everything_wrong_with_what_was_told_is_said_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        Known(
            own_networks=["10.0.0.0/33"],
            own_domains=["-"],
            strings={"x": "type", "word": "no type"},
            patterns=[("a", "("), ("b c", "x"), ("d", "ž")],
        )

    assert [problem.key for problem in caught.value.problems] == [
        "own_networks", "own_domains", "strings", "strings", "patterns", "patterns", "patterns",
    ]  # fmt: skip


def test_a_pattern_that_could_match_for_ever_matches_what_is_short_enough() -> None:
    known = Known(patterns=[("run", "a(?:.*z)?")])

    founds = find("a" * 20_000, known)

    assert len(founds) == 20_000
