"""`tocsin migrate scot FILE.cfg.pl`: SCOT's mailboxes as sources; and Perl's data, read without running anything."""

import contextlib
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.cli import main
from tocsin.cli.migrate.perl import Unread, hashes
from tocsin.errors import Malformed

ALERT = r"""
# the sample that SCOT ships
%environment = (
    time_zone   => 'America/Denver',    # isn't read
    log_config  => { layout => '%d %7p [%P]', appender_name => 'scot_log' },
    fetch_mode  => 'unseen',            # or 'since'
    since       => { hour => 2 },
    max_processes => 0,
    interactive => 'no',
    verbose     => 1,
    leave_unseen => 1,
    parser_dir  => '/opt/scot/lib/Scot/Parser',
    get_method  => 'mongo',
    approved_accounts => [ 'user@server.domain.tld' ],
    approved_alert_domains => [ 'domain\.tld' ],
    imap => {
        mailbox  => 'INBOX',
        hostname => 'mail.domain.tld',
        port     => 993,
        username => 'scot-alerts',
        password => 'changemenow',
        ssl      => [ 'SSL_verify_mode' => 0 ],
        uid      => 1,
        ignore_size_errors => 1,
    },
);
1;
__END__
it's over
"""

INBOX = r"""
{   mode => 'single',
    max_processes => 5,
    msv_filters => { host => [qw(bad.example worse.example)] },
    mailboxes => [
        { name => 'alerts box', active => 1, check_interval => 30, processor => 'Scot::Email::Processor::Alert',
          imap => { mailbox => 'INBOX', hostname => 'm.example', username => "scot\@m.example", password => q{a'b},
                    permitted_senders => [ '*' ], peeking => 0, colour => 'red' } },
        { name => 'alerts box', active => 0, test => 1,
          imap => { hostname => 'm.example', username => 'u', password => $ENV{IMAP_PASSWORD}, seconds_ago => 7200,
                    permitted_senders => [ qr/@example[.]com/i, 'ids@example.org' ] } },
    ],
};
"""


class Files:
    """What comes of SCOT's files; the result is good for `tocsin config check`."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self._folder, self._capsys = folder, capsys
        self.text = ""

    def migrated(self, *texts: str) -> dict[str, Any]:
        """The tables of the sources."""
        to = self._folder / "tocsin.toml"
        to.unlink(missing_ok=True)
        paths = [self._folder / f"{n}.cfg.pl" for n in range(len(texts))]
        for path, text in zip(paths, texts, strict=True):
            path.write_text(text)
        assert self.call("migrate", "scot", *map(str, paths), "--to", str(to))[0] == 0
        checked = self.call("config", "check", "--data", str(self._folder))
        assert checked[0] == 0, checked[2]
        self.text = to.read_text()
        sources: dict[str, Any] = tomllib.loads(self.text)["sources"]
        return sources

    def refused(self, text: str) -> str:
        """What is said of a file that cannot be read."""
        path = self._folder / "bad.cfg.pl"
        path.write_text(text)
        code, _, err = self.call("migrate", "scot", str(path))
        assert code == 1
        return err

    def call(self, *arguments: str) -> tuple[object, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(list(arguments))
        said = self._capsys.readouterr()
        return ended.value.code, said.out, said.err


@pytest.fixture
def files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Files:
    return Files(tmp_path, capsys)


def test_the_sample_of_the_first_generation_becomes_a_mailbox(files: Files) -> None:
    assert files.migrated(ALERT) == {
        "scot_mail": {
            "type": "imap",
            "host": "mail.domain.tld",
            "port": 993,
            "user": "scot-alerts",
            "folder": "INBOX",
            "password": "changemenow",
            "permitted_senders": ["user@server.domain.tld", "domain.tld"],
            "fetch": "unseen",
            "afterwards": "leave",
            "health_subject": "*SCOT Health Check*",
        }
    }


def test_every_key_is_named_and_no_password_stands_in_a_comment(files: Files) -> None:
    files.migrated(ALERT, INBOX)

    comments = [line for line in files.text.splitlines() if line.startswith("#   ")]
    for key in ("time_zone", "fetch_mode", "since", "max_processes", "leave_unseen", "parser_dir", "imap.ssl",
                "approved_accounts", "approved_alert_domains", "imap.uid", "msv_filters", "mailboxes", "mode",
                "alerts box.check_interval", "alerts box.processor", "alerts box.imap.colour"):  # fmt: skip
        assert any(line.startswith(f"#   {key} = ") and " -> " in line for line in comments), key
    assert not any("changemenow" in line or "a'b" in line for line in comments)


def test_mailboxes_of_the_second_generation_become_a_source_each(files: Files) -> None:
    made = files.migrated(INBOX)

    first, second = made["alerts_box"], made["alerts_box_2"]
    assert (first["user"], first["password"], first["permitted_senders"]) == ("scot@m.example", "a'b", ["*"])
    assert (first["fetch"], first["afterwards"], first["interval_s"]) == ("unseen", "seen", 30.0)
    assert "enabled" not in first
    assert second["enabled"] is False
    assert (second["fetch"], second["since_hours"], second["afterwards"]) == ("since", 2.0, "leave")
    assert second["permitted_senders"] == ["ids@example.org"]
    assert "password is worked out by Perl ($ENV{IMAP_PASSWORD}): write it here" in files.text
    assert "as domains, or patterns with *: qr/@example[.]com/i" in files.text
    assert "it was not active in SCOT" in files.text


def test_mail_since_a_while_and_settings_among_the_modules_are_read(files: Files) -> None:
    made = files.migrated(
        "%environment = ( fetch_mode => 'since', since => { day => 1, hour => 12 }, leave_unseen => 0,"
        " approved_alert_domains => [ '.example.com' ], modules => [ { attr => 'mongo', config => { port => 1 } },"
        " { attr => 'imap', config => { hostname => 'm.example', port => 143, password => 'p' } } ] );"
    )["scot_mail"]

    assert (made["fetch"], made["since_hours"], made["afterwards"]) == ("since", 36.0, "seen")
    assert (made["host"], made["port"], made["tls"], made["user"]) == ("m.example", 143, "starttls", "scot-alerts")
    assert made["permitted_senders"] == ["example.com"]


def test_other_hashes_before_the_settings_do_not_hide_them(files: Files) -> None:
    assert files.migrated("my %other = ( a => { b => 1 } );\n" + ALERT)["scot_mail"]["host"] == "mail.domain.tld"


def test_without_senders_or_password_it_is_switched_off_and_says_why(files: Files) -> None:
    assert files.migrated("%environment = ( imap => { hostname => 'm' } );")["scot_mail"]["enabled"] is False
    assert "name who may be heard in permitted_senders" in files.text
    assert "password is not given" in files.text


def test_a_file_that_is_none_is_refused_with_its_line(files: Files) -> None:
    assert "line 2: what ' begins has no end" in files.refused("%e = (\n a => 'b );")
    assert "line 1: what ( begins has no end" in files.refused("%e = ( a => 1,")
    assert "holds no hash" in files.refused("1;")
    assert "nested too deeply" in files.refused("%e = (" + "[" * 100)
    assert "larger than 1 MiB" in files.refused("#" * (1024 * 1024 + 1))


def test_perl_is_read_as_perl_reads_it_and_never_run(tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    text = rf"""
        use lib '/opt';
        =pod
        it's text
        =cut
        my %h = (
            one => 1, 'two' => 1_000, three => -0.5, hex => 0x1F, "fo\tur" => "a\$b \"c\"", five => q(a (b) c),
            six => [qw/x y/], seven => undef, -eight => {{ nine => [ [1], {{}} ] }}, q => 5,
            call => system("touch {ran}"), code => sub {{ return (1, 2) }}, joined => 'a' . 'b', var => $home,
            inter => "in $home", deep => f({"g(" * 40}1{")" * 40}),
        );
    """.replace("        =", "=")

    (found,) = hashes(text)

    assert found == {
        "one": 1, "two": 1000, "three": -0.5, "hex": 31, "fo\tur": 'a$b "c"', "five": "a (b) c", "six": ["x", "y"],
        "seven": None, "-eight": {"nine": [[1], {}]}, "q": 5, "call": Unread(f'system("touch {ran}")'),
        "code": Unread("sub { return (1, 2) }"), "joined": Unread("'a' . 'b'"), "var": Unread("$home"),
        "inter": Unread("in $home"), "deep": Unread(f"f({'g(' * 40}1{')' * 40})"),
    }  # fmt: skip
    assert not ran.exists()


def test_a_list_within_a_list_is_part_of_it_as_in_perl() -> None:
    (found,) = hashes("%h = ( a => (1, b => 2), c => 3 );")

    assert found == {"a": 1, "b": 2, "c": 3}


def test_what_only_perl_could_work_out_is_told_from_what_stands_there() -> None:
    (found,) = hashes("%h = ( a => $x, b => 'y' . z(), c => \"in $x\", d => sub { my ($q) = @_; }, e => 5 );")

    assert found == {
        "a": Unread("$x"),
        "b": Unread("'y' . z()"),
        "c": Unread("in $x"),
        "d": Unread("sub { my ($q) = @_; }"),
        "e": 5,
    }


def test_a_bracket_that_nothing_began_is_refused() -> None:
    with pytest.raises(Malformed, match="line 2: ] ends nothing"):
        list(hashes("%h = ( a =>\n ] b, c => 1 );"))


@given(st.text(alphabet="(){}[]'\"\\,=>;#$%@qwrx/ab1 \n.-_"))
def test_whatever_stands_in_a_file_it_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(Malformed):
        assert all(isinstance(each, dict) for each in hashes(text))
