"""The configuration: defaults without a file, every problem at once, no secret in any of them."""

from pathlib import Path

import pytest

from tocsin import config
from tocsin.config import Config, flows
from tocsin.errors import Problem
from tocsin.rules.repeats import BY, HOUR, Rule


def read(data: Path, text: str) -> tuple[Config, dict[str, Problem]]:
    (data / "tocsin.toml").write_text(text, encoding="utf-8")
    tree, problems = config.read(data, None)
    return tree, {problem.key: problem for problem in problems}


def test_without_a_file_everything_has_its_default(tmp_path: Path) -> None:
    tree, problems = config.read(tmp_path, None)

    assert not problems
    assert (tree.http.host, tree.http.port, tree.http.max_body_mib, tree.http.max_rows) == (
        "127.0.0.1",
        8417,
        64,
        10_000,
    )
    assert tree.store.url.get_secret_value() == "sqlite"
    assert (tree.retention.originals_days, tree.retention.alerts_days, tree.retention.receipts_days) == (0, 0, 0)


def test_a_file_that_was_asked_for_must_be_there(tmp_path: Path) -> None:
    _, problems = config.read(tmp_path, tmp_path / "other.toml")

    assert [(Path(problem.file).name, problem.remedy) for problem in problems] == [
        ("other.toml", "there is no such file")
    ]


def test_values_and_plug_in_tables_are_read(tmp_path: Path) -> None:
    tree, problems = read(
        tmp_path,
        '[http]\nport = 1\n[detection.names]\nsrc = ["client"]\n[destinations.chat]\ntype = "webhook"\nurl = "x"\n',
    )

    assert not problems
    assert tree.http.port == 1
    assert tree.destinations == {"chat": {"type": "webhook", "url": "x"}}


def test_every_problem_is_found_at_once_and_the_rest_still_counts(tmp_path: Path) -> None:
    tree, problems = read(
        tmp_path,
        """
        colour = "red"
        [http]
        port = 99999
        hots = "0.0.0.0"
        max_rows = 5
        [delivery]
        first_wait_s = "soon"
        lease_s = nan
        [detection.names]
        scr = ["client"]
        src = ["client", "?"]
        [destinations]
        files = 3
        "a b" = {}
        """,
    )

    assert set(problems) == {
        *("colour", "http.port", "http.hots", "delivery.first_wait_s", "delivery.lease_s"),
        *("detection.names.scr", "detection.names.src.1", "destinations.files", "destinations.a b"),
    }
    assert {problem.file for problem in problems.values()} == {str(tmp_path / "tocsin.toml")}
    assert (problems["http.port"].value, problems["http.port"].remedy) == (
        "99999",
        "must be less than or equal to 65535",
    )
    assert problems["http.hots"].remedy == "unknown key; did you mean host?"
    assert problems["detection.names.scr"].remedy == "there is no such field of a detection; did you mean src?"
    assert "known are: accumulate, collections, " in problems["colour"].remedy
    assert (tree.http.max_rows, tree.http.port) == (5, 8417)


def test_an_unknown_section_is_offered_the_nearest_name(tmp_path: Path) -> None:
    _, problems = read(tmp_path, "[htpp]\nport = 1\n")

    assert problems["htpp"].remedy == "unknown key; did you mean http?"


def test_options_that_contradict_each_other_are_a_problem_of_their_section(tmp_path: Path) -> None:
    tree, problems = read(tmp_path, "[delivery]\nfirst_wait_s = 60\nlongest_wait_s = 30\n[log]\nlevel = 'loud'\n")

    assert problems["delivery"].remedy == "longest_wait_s must not be shorter than first_wait_s"
    assert problems["log.level"].value == '"loud"'
    assert tree.delivery.longest_wait_s == 3600


@pytest.mark.parametrize(("text", "says"), [(b"[http\n", "no TOML"), (b"# \xe9\n", "save the file as UTF-8")])
def test_a_file_that_is_no_toml_is_one_problem(tmp_path: Path, text: bytes, says: str) -> None:
    (tmp_path / "tocsin.toml").write_bytes(text)

    tree, problems = config.read(tmp_path, None)

    assert len(problems) == 1
    assert says in problems[0].remedy
    assert tree.http == Config().http


def test_a_folder_in_place_of_the_file_is_one_problem(tmp_path: Path) -> None:
    (tmp_path / "tocsin.toml").mkdir()

    assert [problem.remedy for problem in config.read(tmp_path, None)[1]] == ["make it readable (Is a directory)"]


def test_the_store_may_stand_in_a_file_or_a_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "store.url").write_text("postgresql://t:pw@db/t\r\n", encoding="utf-8")
    monkeypatch.setenv("STORE_URL", "postgresql://t:pw@db/u")

    from_file, problems = read(tmp_path, '[store]\nurl = { file = "store.url" }\n')
    from_env, more = read(tmp_path, '[store]\nurl = { env = "STORE_URL" }\n')

    assert not problems
    assert not more
    assert from_file.store.url.get_secret_value() == "postgresql://t:pw@db/t"
    assert from_env.store.url.get_secret_value() == "postgresql://t:pw@db/u"


def test_what_a_secret_names_but_is_not_there_is_a_problem_that_names_it(tmp_path: Path) -> None:
    _, unset = read(tmp_path, '[store]\nurl = { env = "TOCSIN_NOT_SET" }\n')
    _, missing = read(tmp_path, '[store]\nurl = { file = "not.there" }\n')

    assert unset["store.url"].remedy == "set the environment variable TOCSIN_NOT_SET"
    assert missing["store.url"].value == '{ file = "not.there" }'
    assert missing["store.url"].remedy == "make the file not.there readable (No such file or directory)"


@pytest.mark.parametrize(
    "text",
    [
        'url = "mysql://t:hunter2@db/t"',
        "url = ['hunter2']",
        'url = { environ = "hunter2" }',
        'ulr = "postgresql://t:hunter2@db/t"',
        'colour = "hunter2"',
    ],
)
def test_a_secret_is_in_no_problem(tmp_path: Path, text: str) -> None:
    _, problems = read(tmp_path, f"[store]\n{text}\n")

    assert problems
    assert "hunter2" not in "\n".join(map(str, problems.values()))


@pytest.mark.parametrize("text", ['password = "hunter2"', 'link = "postgresql://t:hunter2@db/t"', 'http = "hunter2"'])
def test_a_mistyped_line_at_the_top_shows_no_password(tmp_path: Path, text: str) -> None:
    _, problems = read(tmp_path, f"{text}\n")

    assert problems
    assert "hunter2" not in "\n".join(map(str, problems.values()))


def test_the_whole_tree_prints_no_secret(tmp_path: Path) -> None:
    tree, _ = read(tmp_path, '[store]\nurl = "postgresql://t:hunter2@db/t"\n')

    assert "hunter2" not in repr(tree) + str(tree.model_dump()) + tree.model_dump_json()


def test_the_context_for_plug_ins_reads_files_of_the_data_folder(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("abc\n", encoding="utf-8")

    context = Config().context(tmp_path)

    assert context["read"].file("token") == "abc"
    assert context["data"] == tmp_path


def test_every_option_is_described_in_one_sentence() -> None:
    sections = [field.annotation for field in Config.model_fields.values()]
    fields = [
        (section, name, field.description)
        for section in sections
        if isinstance(section, type) and issubclass(section, config.Section)
        for name, field in section.model_fields.items()
    ]

    assert len(fields) > 10
    assert not [(section, name) for section, name, text in fields if not text or not text.endswith(".")]


def test_repeats_are_folded_by_one_line_for_a_label(tmp_path: Path) -> None:
    tree, problems = read(
        tmp_path,
        """
        [repeats.splunk]
        window_h = 24
        [repeats."mail gateway 2"]
        window_h = 240
        by = ["source", "data.rule.id"]
        without = ["run"]
        subject_numbers = false
        reopen = true
        [repeats."*"]
        window_h = 0.5
        longest_h = 0.5
        """,
    )

    rules = {label: table.rule() for label, table in tree.repeats.items()}
    assert not problems
    assert (rules["splunk"].window, rules["splunk"].longest, rules["splunk"].by) == (24 * HOUR, 168 * HOUR, BY)
    assert rules["mail gateway 2"] == Rule(
        window=240 * HOUR,
        longest=240 * HOUR,
        by=("source", "data.rule.id"),
        without=("run",),
        numbers=False,
        reopen=True,
    )
    assert (rules["*"].window, rules["*"].longest) == (HOUR // 2, HOUR // 2)


def test_each_mistake_about_repeats_is_named_and_the_other_labels_stay(tmp_path: Path) -> None:
    tree, problems = read(
        tmp_path,
        """
        [repeats.splunk]
        [repeats.a]
        windw_h = 3
        by = ["subjct", "data."]
        [repeats.b]
        window_h = 5
        longest_h = 2
        [repeats.c]
        window_h = -1
        without = ["?"]
        by = []
        """,
    )

    assert set(problems) == {
        *("repeats.a.windw_h", "repeats.a.by.0", "repeats.a.by.1", "repeats.b"),
        *("repeats.c.window_h", "repeats.c.without.0", "repeats.c.by"),
    }
    assert problems["repeats.a.windw_h"].remedy == "unknown key; did you mean window_h?"
    assert "source, subject, columns, rows, tag, body" in problems["repeats.a.by.0"].remedy
    assert problems["repeats.b"].remedy == "longest_h must not be shorter than window_h"
    assert list(tree.repeats) == ["splunk"]


def test_flows_are_asked_for_by_what_is_followed_or_exported(tmp_path: Path) -> None:
    words, _ = read(tmp_path, '[flows]\nmalicious = "bad"\nkeep_days = 3\n')
    followed, _ = read(tmp_path, '[flows]\nfollow = ["zeek"]\n')
    exported, _ = read(tmp_path, "[flows]\nexport_labeled_flows = true\n")

    assert (words.flows.asks, followed.flows.asks, exported.flows.asks) == (False, True, True)
    assert words.flows.options().malicious == "bad"
    assert followed.flows.follow == [tmp_path / "zeek"]
    assert exported.flows.exports(tmp_path) == tmp_path / "flows"


def test_what_is_wrong_with_flows_is_named(tmp_path: Path) -> None:
    _, problems = read(tmp_path, '[flows]\nzone = "Mars/Base"\nexport_formats = ["xml"]\n')
    _, words = read(tmp_path, '[flows]\nmalicious = "x"\nbenign = "x"\n')

    assert "must be the name of a time zone" in problems["flows.zone"].remedy
    assert "flows.export_formats.0" in problems
    assert "must be different words" in words["flows"].remedy


def test_alerts_among_the_flows_may_not_come_under_the_name_of_another_source(tmp_path: Path) -> None:
    text = '[flows]\nfollow = ["zeek"]\nalert_source = "ids"\n[sources.ids]\ntype = "maildir"\npath = "mail"\n'
    tree, _ = read(tmp_path, text)

    assert [problem.key for problem in flows.faults(tree, "tocsin.toml")] == ["flows.alert_source"]
