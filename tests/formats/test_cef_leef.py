"""CEF and LEEF: what is written is read back, and no text ends a field before its time."""

import hypothesis.strategies as st
from hypothesis import given

from tocsin.formats import cef, leef
from tocsin.model import Alert, Alertgroup, Detection, Endpoint, Severity

TEXT = st.text(max_size=40)
MEANT = Detection(
    name="Scan | of = all\\ports",
    category="Recon.Scanning",
    description="first line\nsecond = line | \\ end",
    severity=Severity.HIGH,
    detected=1_795_000_000_000_000,
    sources=(Endpoint(addresses=("2001:db8::7", "192.0.2.7"), ports=(4444,), hostnames=("a.example",)),),
    targets=(Endpoint(addresses=("198.51.100.9",), ports=(23,), urls=("http://x.example/?a=b|c",)),),
    protocols=("tcp",),
)


def of(meant: Detection, subject: str = "a subject") -> tuple[Alertgroup, Alert]:
    alert = Alert(json="{}", uid="a-1", detection=meant)
    return Alertgroup(subject=subject, alerts=(alert,), uid="g-1", received=1_795_000_000_000_000), alert


def test_a_cef_line_is_as_the_standard_has_it() -> None:
    line = cef.event(*of(MEANT), "1.0")

    assert line.startswith(
        "CEF:0|Tocsin|Tocsin|1.0|Recon.Scanning|Scan \\| of = all\\\\ports|8|externalId=a-1 rt=1795000000000 "
    )
    assert (
        "src=192.0.2.7 c6a2Label=Source IPv6 Address c6a2=2001:db8::7 spt=4444 shost=a.example dst=198.51.100.9" in line
    )
    assert "msg=first line\\nsecond \\= line | \\\\ end cs1Label=" in line
    assert "request=http://x.example/?a\\=b|c " in line


def test_a_leef_line_is_as_qradar_reads_it() -> None:
    line = leef.event(*of(MEANT), "1.0")

    assert line.startswith(
        "LEEF:2.0|Tocsin|Tocsin|1.0|Recon.Scanning|x09|devTime=1795000000000\tsev=8\tcat=Recon.Scanning\t"
    )
    assert "\tsrc=2001:db8::7\tsrcPort=4444\t" in line
    assert "\tmsg=first line second = line | \\ end\t" in line


@given(TEXT, TEXT, TEXT, TEXT)
def test_whatever_stands_in_a_text_stays_in_its_field(name: str, category: str, said: str, subject: str) -> None:
    meant = Detection(name=name, category=category, description=said)
    line = cef.event(*of(meant, subject), "1.0")
    cells = cef.read(line)

    assert "\n" not in line
    assert (cells["vendor"], cells["severity"], cells["externalId"], cells["cs2"]) == (
        "Tocsin",
        "Unknown",
        "a-1",
        "g-1",
    )
    assert cells["name"].split() == _plain(name or category or subject).split()
    if wanted := _plain(said or name or subject).strip():
        assert cells["msg"].split() == wanted.split()
    line = leef.event(*of(meant, subject), "1.0")
    cells = leef.read(line)

    assert "\n" not in line
    assert (cells["vendor"], cells["uid"], cells["alertgroupUid"]) == ("Tocsin", "a-1", "g-1")
    if wanted := _plain(said or name or subject).strip():
        assert cells["msg"].split() == wanted.split()


def _plain(text: str) -> str:
    """Without what no line can hold."""
    return "".join(
        " " if each < " " or each in "\x7f\x85\u2028\u2029" or "\ud800" <= each <= "\udfff" else each for each in text
    )


@given(TEXT)
def test_any_text_can_be_read_or_holds_nothing(text: str) -> None:
    for before in ("", "CEF:0|a|b|1|x|n|5|", "CEF:", "LEEF:1.0|", "LEEF:2.0|a|b|1|e|"):
        for reader in (cef.read, leef.read):
            assert all(key for key in reader(before + text))


def test_cef_of_others_is_read() -> None:
    line = (
        "Sep 19 08:26:10 host CEF:0|Security|threat\\|manager|1.0|100|worm successfully stopped|10|"
        "src=10.0.0.1 act=blocked a \\= dst=2.1.2.2 msg=Detected a\\nthreat. No action needed. fname=C:\\\\a b.exe  "
    )
    cells = cef.read(line)

    assert cells["product"] == "threat|manager"
    assert cells["act"] == "blocked a ="
    assert cells["msg"] == "Detected a\nthreat. No action needed."
    assert cells["fname"] == "C:\\a b.exe"
    assert cef.read("CEF:0|too|short") == {}


def test_leef_of_others_is_read_with_any_delimiter() -> None:
    wanted = {
        "vendor": "L",
        "product": "P",
        "product_version": "1",
        "signature_id": "E",
        "src": "192.0.2.1",
        "cat": "a b",
    }

    assert leef.read("<13>x LEEF:1.0|L|P|1|E|src=192.0.2.1\tcat=a b") == wanted
    assert leef.read("LEEF:2.0|L|P|1|E|^|src=192.0.2.1^cat=a b") == wanted
    assert leef.read("LEEF:2.0|L|P|1|E|0x5E|src=192.0.2.1^cat=a b") == wanted
    assert leef.read("LEEF:2.0|L|P|1|E|src=192.0.2.1\tcat=a b") == wanted
    assert leef.read("LEEF:2.0|L") == {}
