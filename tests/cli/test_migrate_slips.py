"""`tocsin migrate slips`: what became of each key, and that the result can be used."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tocsin.cli import main
from tocsin.cli.migrate.slips import migrated
from tocsin.destinations.warden import Warden as WardenOut
from tocsin.sources.warden import Warden as WardenIn

SHIPPED = """
parameters:
  time_window_width: 3600
  analysis_direction: out
  label: normal
  export_labeled_flows: false
  export_format: json
  pcapfilter: 'ip or not ip'
detection:
  evidence_detection_threshold: 0.25
  popup_alerts: false
DisabledAlerts:
  disabled_detections: []
Docker: {UID: 0, GID: 0}
CESNET:
  send_alerts: false
  receive_alerts: false
  configuration_file: config/warden.conf
  receive_delay: 86400
exporting_alerts:
  export_to: [stix]
  slack_channel_name: proj_slips_alerting_module
  sensor_name: sensor1
  slack_api_path: config/slack_bot_token_secret
  TAXII_server: www.taxii.example
  port: 1234
  use_https: false
  discovery_path: taxii2/
  taxii_version: 2
  collection_name: Alerts
  push_delay: 3600
  direct_export: true
  direct_export_workers: 4
  direct_export_max_workers: 12
  direct_export_retry_max: 0
  direct_export_retry_backoff: 0.5
  direct_export_retry_max_delay: 5.0
  taxii_username: admin
  taxii_password: changeme_before_installing_a_medallion_server
  taxii_timeout: 10
"""
"""Slips' own file with what it says of exporting, its server and STIX switched on."""
KEYS = re.findall(r"^  (\w+):", SHIPPED, re.MULTILINE)


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[object, str, str]:
    with pytest.raises(SystemExit) as ended:
        main([str(each) for each in arguments])
    said = capsys.readouterr()
    return ended.value.code, said.out, said.err


class Slips:
    """A folder of Slips with a configuration, and what comes of it."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.root, self.data, self._capsys = folder / "slips", folder / "var", capsys
        (self.root / "config").mkdir(parents=True)
        self.data.mkdir()
        self.file = self.root / "config" / "slips.yaml"
        self.text = ""

    def migrated(self, yaml: str | bytes) -> dict[str, Any]:
        """The tree of what was written, which `tocsin config check` finds good."""
        self.file.write_bytes(yaml if isinstance(yaml, bytes) else yaml.encode())
        to = self.data / "tocsin.toml"
        to.unlink(missing_ok=True)
        assert run(self._capsys, "migrate", "slips", self.file, "--to", to)[0] == 0
        code, out, err = run(self._capsys, "config", "check", "--data", self.data)
        assert (code, err) == (0, ""), err
        assert "is good" in out
        self.text = to.read_text()
        return tomllib.loads(self.text)

    def refused(self, yaml: bytes) -> str:
        """What is said of a file that cannot be read; nothing is written then."""
        self.file.write_bytes(yaml)
        code, _, err = run(self._capsys, "migrate", "slips", self.file, "--to", self.data / "tocsin.toml")
        assert code == 1
        assert not (self.data / "tocsin.toml").exists()
        return err

    def became(self, key: str) -> str:
        """What the comment says of a key."""
        (found,) = re.findall(rf"^#   \w+\.{key} = .* -> (.*)$", self.text, re.MULTILINE)
        return str(found)


@pytest.fixture
def slips(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Slips:
    return Slips(tmp_path, capsys)


def exporting(**keys: object) -> str:
    return "exporting_alerts:\n" + "".join(f"  {name}: {value}\n" for name, value in keys.items())


def test_what_slips_ships_becomes_a_push_to_its_taxii_server(slips: Slips) -> None:
    made = slips.migrated(SHIPPED)

    assert made["destinations"] == {
        "idea_log": {"profile": "slips"},
        "text_log": {"form": "slips"},
        "slips_taxii": {
            "type": "taxii",
            "host": "taxii.example",
            "port": 1234,
            "https": False,
            "discovery": "/taxii2/",
            "collection": "Alerts",
            "user": "admin",
            "password": "changeme_before_installing_a_medallion_server",
            "timeout_s": 10.0,
            "profile": "slips",
            "first_wait_s": 0.5,
            "longest_wait_s": 5.0,
            "max_attempts": 0,
            "give_up_after_h": 0,
        },
    }
    assert "routes" not in made


def test_every_key_is_named_with_what_became_of_it(slips: Slips) -> None:
    slips.migrated(SHIPPED)

    for key in KEYS:
        if key != "pcapfilter":
            assert slips.became(key)
    assert slips.became("slack_channel_name") == "not needed: export_to does not name slack"
    assert slips.became("direct_export_workers").startswith("nothing: ")
    assert '#   parameters.* = ["pcapfilter"] -> nothing: not about exporting' in slips.text


def test_passwords_stand_in_no_comment_and_the_file_is_for_its_owner_alone(slips: Slips) -> None:
    slips.migrated(SHIPPED + "  my_api_token: abcdefgh\n")

    assert slips.text.count("changeme_before") == 1
    assert "abcdefgh" not in slips.text
    assert (slips.data / "tocsin.toml").stat().st_mode & 0o777 == 0o600


def test_without_direct_export_there_is_a_bundle_and_a_delay(slips: Slips) -> None:
    made = slips.migrated(
        exporting(
            export_to="[stix]",
            direct_export="false",
            push_delay=60.5,
            TAXII_server="t.example",
            collection_name="c",
            use_https="true",
            port=443,
        )
    )["destinations"]

    assert made["slips_bundle"] == {"type": "stix_bundle", "profile": "slips", "path": "STIX_data.json"}
    assert made["slips_taxii"]["push_delay"] == 60.5
    assert "port" not in made["slips_taxii"]  # Slips leaves the usual one out
    assert slips.became("push_delay") == "push_delay of [destinations.slips_taxii]"


def test_version_one_becomes_an_inbox_with_as_many_calls_at_once(slips: Slips) -> None:
    made = slips.migrated(
        exporting(
            export_to="[stix]",
            taxii_version=1.1,
            TAXII_server="t.example",
            port=9000,
            discovery_path="/services/discovery-a",
            collection_name="collection-a",
            jwt_auth_path="/management/auth",
            direct_export="false",
            direct_export_workers=4,
            inbox_path="/services/inbox",
            taxii_username="u",
            taxii_password="p",
        )
    )

    inbox = made["destinations"]["slips_taxii1"]
    assert inbox["url"] == "http://t.example:9000/services/discovery-a"
    assert inbox["service"] == "http://t.example:9000/services/inbox"
    assert inbox["auth_url"] == "http://t.example:9000/management/auth"
    assert (inbox["collections"], inbox["concurrency"]) == (["collection-a"], 4)
    assert "slips_bundle" not in made["destinations"]


def test_slack_is_switched_off_until_its_token_is_there(slips: Slips) -> None:
    yaml = exporting(export_to="[slack]", slack_channel_name="soc", sensor_name="s-1", slack_api_path="config/token")
    before = slips.migrated(yaml)["destinations"]["slips_slack"]
    said = slips.text
    (slips.root / "config" / "token").write_text("xoxb-1\n")
    after = slips.migrated(yaml)["destinations"]["slips_slack"]

    assert before.pop("enabled") is False
    assert before == after
    assert f"put the bot token (xoxb-…) into {slips.root}/config/token" in said
    assert after["token"] == {"file": f"{slips.root}/config/token"}
    assert (after["channel"], after["sensor"], after["style"], after["presence"]) == ("soc", "s-1", "slips", True)
    assert "xoxb-1" not in slips.text


def test_idmef_needs_its_three_files(slips: Slips) -> None:
    yaml = exporting(export_to="[idmef_manager]") + (
        "  idmef_manager: {url: 'https://m.example:8443/', client_certificate: a.pem, client_private_key: b.pem, "
        "trusted_ca: c.pem, timeout: 7, colour: red}\n"
    )
    off = slips.migrated(yaml)["destinations"]["slips_idmef"]
    for name in ("a.pem", "b.pem", "c.pem"):
        (slips.root / name).write_text("x")
    on = slips.migrated(yaml)["destinations"]["slips_idmef"]

    assert off["enabled"] is False
    assert "enabled" not in on
    assert (on["url"], on["timeout_s"], on["profile"]) == ("https://m.example:8443/", 7.0, "slips")
    assert on["client_key"] == str(slips.root / "b.pem")
    assert slips.became("colour").startswith("nothing: ")


def test_warden_is_read_from_its_own_file_where_that_is(slips: Slips) -> None:
    yaml = "cesnet:\n  send_alerts: true\n  receive_alerts: true\n  receive_delay: 60\n"
    made = slips.migrated(yaml)

    assert made["destinations"]["slips_warden"]["enabled"] is False
    assert made["sources"]["slips_warden_in"]["enabled"] is False
    assert f"there is no {slips.root}/config/warden.conf" in slips.text
    (slips.root / "config" / "warden.conf").write_text('{"url": "https://w.example/warden3", "name": "org.example.a"}')
    made = slips.migrated(yaml)
    conf = str(slips.root / "config" / "warden.conf")
    assert made["destinations"]["slips_warden"] == {"type": "warden", "configuration_file": conf}
    assert made["sources"]["slips_warden_in"] == {"type": "warden", "configuration_file": conf, "receive_delay": 60.0}


def test_warden_is_on_where_its_file_is_and_the_plug_ins_take_what_is_written(slips: Slips) -> None:
    (slips.root / "config").mkdir(exist_ok=True)
    (slips.root / "config" / "warden.conf").write_text('{"url": "https://warden.example/warden3", "name": "a.b"}')
    made = slips.migrated("cesnet:\n  send_alerts: true\n  receive_alerts: true\n  receive_delay: 60\n")

    tables = made["destinations"]["slips_warden"], made["sources"]["slips_warden_in"]
    told = [{key: value for key, value in table.items() if key != "type"} for table in tables]
    assert WardenOut.model_validate(told[0]).account().name == "a.b"
    assert WardenIn.model_validate(told[1]).receive_delay == 60


def test_where_slips_writes_is_followed(slips: Slips, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    slips.file.write_text(SHIPPED)
    (slips.data / "tocsin.toml").unlink(missing_ok=True)
    run(capsys, "migrate", "slips", slips.file, "--output", tmp_path / "out", "--to", slips.data / "tocsin.toml")
    checked = run(capsys, "config", "check", "--data", slips.data)
    made = tomllib.loads((slips.data / "tocsin.toml").read_text())

    assert checked[0] == 0, checked[2]
    assert made["sources"]["slips"]["paths"] == [str(tmp_path / "out" / "alerts" / "alerts.json")]
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "alerts.json").write_text("")  # as older ones wrote it
    older = run(capsys, "migrate", "slips", slips.file, "--output", tmp_path / "out")[1]
    assert tomllib.loads(older)["sources"]["slips"]["paths"] == [str(tmp_path / "out" / "alerts.json")]


@pytest.mark.parametrize(
    ("yaml", "window_h", "threshold"),
    [
        (SHIPPED, 1, 15),
        ("detection: {evidence_detection_threshold: 0.1}\nparameters: {time_window_width: 1800}", 0.5, 3),
        ("parameters: {time_window_width: only_one_tw}", 366 * 24, 131_760),
        ("detection: {evidence_detection_threshold: soon}", 1, 15),
        ("parameters: {time_window_width: .nan}", 1, 15),
        ("parameters: {time_window_width: [1]}", 1, 15),
        ("detection: {evidence_detection_threshold: 0}", 1, 0.000001),
    ],
)
def test_the_threshold_of_evidence_becomes_a_rule_that_is_off(
    slips: Slips, yaml: str, window_h: float, threshold: float
) -> None:
    made = slips.migrated(yaml)

    rule = {"enabled": False, "query": "parser:slips and not name:ALERT", "window_h": window_h, "threshold": threshold}
    assert made["accumulate"] == {"slips": rule}


def test_without_a_threshold_there_is_no_rule(slips: Slips) -> None:
    assert "accumulate" not in slips.migrated("detection: {popup_alerts: true}")


def test_what_is_disabled_goes_nowhere(slips: Slips) -> None:
    made = slips.migrated('DisabledAlerts:\n  disabled_detections: [ARP_SCAN, DHCP_SCAN, "a) or b"]\n')

    assert made["routes"] == [
        {"name": "not disabled", "query": "not category:(ARP_SCAN or DHCP_SCAN)", "to": ["idea_log", "text_log"]}
    ]
    assert 'disabled_detections = "a) or b" -> nothing: that is no name of an evidence' in slips.text


@pytest.mark.parametrize(
    "yaml",
    [
        "exporting_alerts:\n",
        "exporting_alerts: {export_to: 5}",
        exporting(export_to="[stix, slack, idmef_manager]"),
        exporting(export_to="[stix]", TAXII_server="'a\"b\\c\\n'", collection_name='"\\x7f \\ud800 \\U0001F514"'),
        exporting(
            export_to="[stix]",
            TAXII_server="t",
            collection_name="c",
            port="'x'",
            taxii_timeout="soon",
            direct_export_retry_max="-3",
            direct_export_retry_backoff=".inf",
            push_delay="[1]",
        ),
        exporting(export_to="[stix]", TAXII_server="t", collection_name="c", direct_export_workers="1" + "0" * 400),
        "exporting_alerts:\n  {a: &a [x, x], b: &b [*a, *a], 7: 2026-11-22, 'two\\nlines': 1}",
        "exporting_alerts:\n  l0: &l0 [x]\n" + "".join(f"  l{n}: &l{n} [{f'*l{n - 1},' * 20}]\n" for n in range(1, 12)),
        "loose: 1\nexporting_alerts: {export_to: [slack], slack_api_path: /proc/self/mem}",
    ],
)
def test_whatever_stands_there_the_result_can_be_used(slips: Slips, yaml: str) -> None:
    assert slips.migrated(yaml)["destinations"]["idea_log"] == {"profile": "slips"}


def test_what_is_no_configuration_is_refused_in_a_line(slips: Slips) -> None:
    assert "is no YAML: " in slips.refused(b"a: [1\n")
    assert "is no YAML: " in slips.refused(b"\xff\xfe\x00\xd8")
    assert "is no YAML: " in slips.refused(b"a: !!python/object/apply:os.system [ls]\n")
    assert "holds no sections" in slips.refused(b"- 1\n")
    assert "holds no sections" in slips.refused(b"")
    assert "nested too deeply" in slips.refused(b"[" * 5000)
    assert "larger than 4 MiB" in slips.refused(b"#" * (4 * 1024 * 1024 + 1))


def test_a_missing_file_and_one_that_is_there_are_named(
    slips: Slips, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = run(capsys, "migrate", "slips", tmp_path / "no.yaml")
    slips.file.write_text(SHIPPED)
    there = tmp_path / "mine.toml"
    there.write_text("# mine\n")
    taken = run(capsys, "migrate", "slips", slips.file, "--to", there)
    printed = run(capsys, "migrate", "slips", slips.file)

    assert missing[0] == 1
    assert f"{tmp_path / 'no.yaml'}: No such file or directory" in missing[2]
    assert taken[0] == 1
    assert "is there already" in taken[2]
    assert there.read_text() == "# mine\n"
    assert printed[0] == 0
    assert "slips_taxii" in tomllib.loads(printed[1])["destinations"]


def test_labelled_flows_are_exported_as_slips_was_to_do_it(slips: Slips) -> None:
    yaml = SHIPPED.replace("export_labeled_flows: false", "export_labeled_flows: true")

    made = slips.migrated(yaml.replace("export_format: json", "export_format: TSV"))["flows"]

    assert made == {"export_labeled_flows": True, "export_formats": ["tsv"], "timewindow_s": 3600}
    assert slips.became("export_labeled_flows") == "export_labeled_flows of [flows] where true"
    assert slips.became("label").startswith("nothing: ")
    assert "zeek_files" in slips.text


def test_in_both_directions_the_label_of_slips_is_the_word_for_what_is_not_malicious(slips: Slips) -> None:
    yaml = SHIPPED.replace("export_labeled_flows: false", "export_labeled_flows: true")

    made = slips.migrated(yaml.replace("direction: out", "direction: all"))["flows"]

    assert made["benign"] == "normal"
    assert slips.became("label") == "benign of [flows]"


def test_flows_stay_out_of_the_file_where_slips_was_not_to_export_them(slips: Slips) -> None:
    made = slips.migrated(SHIPPED)

    assert "flows" not in made
    assert slips.became("export_format") == "not needed: export_labeled_flows is not true"


def test_with_its_output_the_flows_of_slips_are_followed_and_exported_where_it_would(slips: Slips) -> None:
    slips.file.write_text("parameters: {export_labeled_flows: true, time_window_width: only_one_tw}\n")

    tree = tomllib.loads(migrated(slips.file, None, None, slips.root / "output"))["flows"]

    assert tree["follow"] == [str(slips.root / "output" / "zeek_files")]
    assert tree["export_to"] == str(slips.root / "output")
    assert tree["timewindow_s"] == 366 * 86_400
