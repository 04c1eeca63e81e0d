"""Words and numbers of severity."""

from typing import Any

import pytest

from tocsin import detection
from tocsin.model import Alert, Severity


@pytest.mark.parametrize(
    ("row", "meant"),
    [
        ({"severity": "Informational"}, Severity.INFO),
        ({"severity": "VERY HIGH"}, Severity.HIGH),
        ({"severity": ["", "low"]}, Severity.LOW),
        ({"severity": "2"}, None),
        ({"severity": "2", "signature_id": 9}, Severity.MEDIUM),
        ({"severity": 4, "sid": "9"}, Severity.INFO),
        ({"alert": {"severity": 4}}, Severity.INFO),
        ({"alert_severity": "9"}, None),
        ({"threat_level": 0}, Severity.INFO),
        ({"threat_level": "0.5"}, Severity.MEDIUM),
        ({"threat_level": 0.8}, Severity.HIGH),
        ({"threat_level": 1}, Severity.CRITICAL),
        ({"event": {"severity": 2}}, None),
        ({"event.severity": 21}, Severity.LOW),
        ({"event.severity": 47}, Severity.MEDIUM),
        ({"event.severity": 99}, Severity.CRITICAL),
        ({"event.severity": 101}, None),
        ({"kibana.alert.risk_score": 0}, Severity.INFO),
        ({"cvss": "9.8"}, Severity.CRITICAL),
        ({"vulnerability.score.base": 3.9}, Severity.LOW),
        ({"cvss_score": 0}, Severity.INFO),
        ({"priority": 1, "severity": "low"}, Severity.LOW),
        ({"priority": "High"}, Severity.HIGH),
        ({"severity": "inf"}, None),
        ({"cvss": "nan"}, None),
    ],
)
def test_severity_is_read_on_the_scale_of_its_column(row: dict[str, Any], meant: Severity | None) -> None:
    assert detection.read(Alert.of(row)).severity == meant
    assert detection.severity(Alert.of(row)) == meant
