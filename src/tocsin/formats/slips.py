"""The words of Slips 1.1: its evidence types, each with what we make of it, and its threat levels.

Category: as its last IDEA0 release (1.1.1) sorted them, later types beside their like; `Anomaly.File` of that release
is no word of the taxonomy, so EXECUTABLE_MIME_TYPE stands under traffic. Severity: for an evidence that says none.
Tag: what that release wrote as type of the source; nothing where it wrote nothing.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from tocsin.model import Severity


class Evidence(NamedTuple):
    """A type of evidence. `line` says in a few words what was seen, for an evidence without a description."""

    name: str
    category: str
    severity: Severity
    tag: str
    line: str


_TABLE = """
ARP_SCAN | Recon.Scanning | low | Recon | An ARP scan of the local network
ARP_OUTSIDE_LOCALNET | Anomaly.Behaviour | low | | ARP asking for an address outside of the local network
UNSOLICITED_ARP | Information | info | | An ARP answer that nobody asked for
MITM_ARP_ATTACK | Recon | critical | MITM | One address is claimed by two machines: a man in the middle by ARP
YOUNG_DOMAIN | Anomaly.Traffic | low | | A domain that was registered only recently
MULTIPLE_SSH_VERSIONS | Anomaly.Behaviour | medium | | One machine speaks SSH in several versions
DIFFERENT_LOCALNET | Anomaly.Behaviour | high | | A private address of another local network
DEVICE_CHANGING_IP | Anomaly.Behaviour | medium | | A device changed its address
NON_HTTP_PORT_80_CONNECTION | Anomaly.Connection | low | | Something else than HTTP on port 80
NON_SSL_PORT_443_CONNECTION | Anomaly.Connection | low | | Something else than TLS on port 443
WEIRD_HTTP_METHOD | Anomaly.Traffic | medium | | An HTTP method that is hardly ever used
INCOMPATIBLE_CN | Anomaly.Traffic | medium | | A certificate whose name does not fit the address it came from
CN_URL_MISMATCH | Anomaly.Traffic | low | | A certificate whose name is not that of the server asked for
DGA_NXDOMAINS | Anomaly.Behaviour | high | | Many names that do not exist, as a domain generator asks for
DNS_WITHOUT_CONNECTION | Anomaly.Connection | low | | A name was resolved and never connected to
PASTEBIN_DOWNLOAD | Anomaly.Behaviour | info | | A large download from Pastebin
CONNECTION_WITHOUT_DNS | Anomaly.Connection | info | | A connection to an address that no name was resolved to
DNS_ARPA_SCAN | Recon.Scanning | medium | Recon | A scan by reverse names
UNKNOWN_PORT | Anomaly.Connection | high | | A connection to a port that nothing known uses
PASSWORD_GUESSING | Attempt.Login | high | | Passwords are being guessed
HORIZONTAL_PORT_SCAN | Recon.Scanning | high | Recon | One port is tried on many machines
CONNECTION_TO_PRIVATE_IP | Recon | info | Recon | A connection to a private address
GRE_TUNNEL | Information | info | | A GRE tunnel
GRE_SCAN | Recon.Scanning | low | Recon | A scan for GRE tunnels
VERTICAL_PORT_SCAN | Recon.Scanning | high | Recon | Many ports are tried on one machine
SSH_SUCCESSFUL | Information | info | | A login over SSH that seems to have succeeded
LONG_CONNECTION | Anomaly.Connection | low | | A connection that lasts unusually long
SELF_SIGNED_CERTIFICATE | Anomaly.Behaviour | low | | A certificate that signs itself
MULTIPLE_RECONNECTION_ATTEMPTS | Anomaly.Connection | medium | | A refused connection is tried again and again
CONNECTION_TO_MULTIPLE_PORTS | Anomaly.Connection | info | | Connections to several ports of one machine
HIGH_ENTROPY_DNS_ANSWER | Anomaly.Traffic | medium | | A DNS answer that looks like packed or encrypted data
INVALID_DNS_RESOLUTION | Anomaly.Behaviour | info | | A name was resolved to an address that nobody can have
PORT_0_CONNECTION | Anomaly.Connection | high | | A connection from or to port 0
MALICIOUS_JA3 | Intrusion.Botnet | high | Botnet | A TLS client with the fingerprint of known malware
MALICIOUS_JA3S | Intrusion.Botnet | low | CC | A TLS server with the fingerprint of known malware
DATA_UPLOAD | Malware | info | Malware | Much data is sent out
BAD_SMTP_LOGIN | Attempt.Login | high | | A login at a mail server failed
SMTP_LOGIN_BRUTEFORCE | Attempt.Login | high | | Passwords of a mail server are being guessed
MALICIOUS_SSL_CERT | Intrusion.Botnet | medium | CC | A certificate of known malware
MALICIOUS_FLOW | Anomaly.Traffic | low | | A flow that the trained model takes for malicious
SUSPICIOUS_USER_AGENT | Anomaly.Traffic | high | SuspiciousUserAgent | A user agent that attack tools send
EMPTY_CONNECTIONS | Anomaly.Connection | medium | | Many empty HTTP connections to one server
INCOMPATIBLE_USER_AGENT | Anomaly.Behaviour | high | IncompatibleUserAgent | Not the user agent of such a machine
EXECUTABLE_MIME_TYPE | Anomaly.Traffic | low | ExecutableMIMEType | An executable was downloaded
MULTIPLE_USER_AGENT | Anomaly.Behaviour | info | MultipleUserAgent | One machine sends several user agents
HTTP_TRAFFIC | Anomaly.Traffic | low | SendingUnencryptedData | HTTP without encryption
MALICIOUS_JARM | Intrusion.Botnet | medium | CC | A TLS server that answers like known malware
NETWORK_GPS_LOCATION_LEAKED | Malware | low | | A position on the globe is sent without encryption
ICMP_TIMESTAMP_SCAN | Recon.Scanning | medium | Recon | A scan by ICMP time stamps
ICMP_ADDRESS_SCAN | Recon.Scanning | medium | Recon | A scan by ICMP echoes
ICMP_ADDRESS_MASK_SCAN | Recon.Scanning | medium | Recon | A scan by ICMP address masks
DHCP_SCAN | Recon.Scanning | medium | Recon | Many addresses are asked for by DHCP
MALICIOUS_IP_FROM_P2P_NETWORK | Anomaly.Traffic | medium | | An address that other Slips report
P2P_REPORT | Anomaly.Connection | medium | | Another Slips reports something
COMMAND_AND_CONTROL_CHANNEL | Intrusion.Botnet | high | Botnet | A command and control channel
THREAT_INTELLIGENCE_BLACKLISTED_ASN | Anomaly.Traffic | low | BlacklistedASN | An autonomous system on a blocklist
THREAT_INTELLIGENCE_FROM_BLACKLISTED_IP | Anomaly.Traffic | medium | BlacklistedIP | From an address on a blocklist
THREAT_INTELLIGENCE_TO_BLACKLISTED_IP | Anomaly.Traffic | medium | BlacklistedIP | To an address on a blocklist
THREAT_INTELLIGENCE_BLACKLISTED_DNS_ANSWER | Anomaly.Traffic | medium | BlacklistedIP | A DNS answer on a blocklist
THREAT_INTELLIGENCE_BLACKLISTED_DOMAIN | Anomaly.Traffic | medium | BlacklistedDomain | A domain on a blocklist
THREAT_INTELLIGENCE_ANSWER_OF_BLACKLISTED_QUERY | Anomaly.Traffic | medium | | The address of a domain on a blocklist
MALICIOUS_DOWNLOADED_FILE | Malware | critical | OriginMalware | A file of known malware was downloaded
THREAT_INTELLIGENCE_MALICIOUS_URL | Malware | medium | | A URL that is on a blocklist
LOGIN | Information | info | | A login
TOR_EXIT_NODE | Anomaly.Traffic | medium | | A connection with an exit node of Tor
"""

LEVELS = {Severity.INFO: 0.0, Severity.LOW: 0.2, Severity.MEDIUM: 0.5, Severity.HIGH: 0.8, Severity.CRITICAL: 1.0}
"""Slips' threat levels as the numbers it weighs them by."""


def _evidence(line: str) -> Evidence:
    name, category, severity, tag, said = (cell.strip() for cell in line.split("|"))
    return Evidence(name, category, Severity[severity.upper()], tag, said)


EVIDENCE = {each.name: each for each in map(_evidence, _TABLE.strip().splitlines())}
"""All evidence types of Slips 1.1.21 by their names."""


def told(cells: Mapping[str, Any], key: str) -> Any:
    """What a row of Slips says beside the rest, or in the Note of its IDMEFv2, which is JSON in a text; or None."""
    if key in cells:
        return cells[key]
    note = cells.get("Note")
    if isinstance(note, str) and note[:1] == "{":
        try:
            inner = msgspec.json.decode(note)
        except (msgspec.DecodeError, RecursionError):
            return None
        return inner.get(key) if isinstance(inner, dict) else None
    return None


def accumulated(cells: Mapping[str, Any]) -> float | None:
    """The accumulated threat level that a row names."""
    level = told(cells, "accumulated_threat_level")
    return level if isinstance(level, int | float) and not isinstance(level, bool) else None
