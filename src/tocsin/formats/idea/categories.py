"""Detectors' words for a kind of attack -> IDEA0 categories (the taxonomy of idea.cesnet.cz, as Warden 3 maps it).

One table of Slips' evidence types, Suricata's and Snort's classtypes, words of other detectors, and those that users
add. Words are compared by their letters and digits in lower case, so `attempted-recon`, `Attempted Recon` and
`ATTEMPTED_RECON` are one. A word of the taxonomy stands for itself; `Test` only as it is written there.
"""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

from tocsin.formats.slips import EVIDENCE

TAXONOMY = frozenset(
    f"{top}.{sub}" if sub else top
    for top, subs in {
        "Abusive": "Spam Harassment Child Sexual Violence",
        "Malware": "Virus Worm Trojan Spyware Dialer Rootkit",
        "Recon": "Scanning Sniffing SocialEngineering Searching",
        "Attempt": "Exploit Login NewSignature",
        "Intrusion": "AdminCompromise UserCompromise AppCompromise Botnet",
        "Availability": "DoS DDoS Sabotage Outage",
        "Information": "UnauthorizedAccess UnauthorizedModification",
        "Fraud": "UnauthorizedUsage Copyright Masquerade Phishing Scam",
        "Vulnerable": "Open Config",
        "Anomaly": "Traffic Connection Protocol System Application Behaviour",
        "Other": "",
        "Test": "",
    }.items()
    for sub in ("", *subs.split())
)
"""Every word a Warden server knows."""

CLASSTYPES = """
not-suspicious | Not Suspicious Traffic | Other
unknown | Unknown Traffic | Anomaly.Traffic
bad-unknown | Potentially Bad Traffic | Anomaly.Traffic
attempted-recon | Attempted Information Leak | Recon
successful-recon-limited | Information Leak | Information.UnauthorizedAccess
successful-recon-largescale | Large Scale Information Leak | Information.UnauthorizedAccess
attempted-dos | Attempted Denial of Service | Availability.DoS
successful-dos | Denial of Service | Availability.DoS
denial-of-service | Detection of a Denial of Service Attack | Availability.DoS
attempted-user | Attempted User Privilege Gain | Attempt.Exploit
unsuccessful-user | Unsuccessful User Privilege Gain | Attempt.Exploit
successful-user | Successful User Privilege Gain | Intrusion.UserCompromise
attempted-admin | Attempted Administrator Privilege Gain | Attempt.Exploit
successful-admin | Successful Administrator Privilege Gain | Intrusion.AdminCompromise
rpc-portmap-decode | Decode of an RPC Query | Recon
shellcode-detect | Executable code was detected | Attempt.Exploit
string-detect | A suspicious string was detected | Anomaly.Traffic
suspicious-filename-detect | A suspicious filename was detected | Anomaly.Traffic
suspicious-login | An attempted login using a suspicious username was detected | Attempt.Login
system-call-detect | A system call was detected | Anomaly.System
tcp-connection | A TCP connection was detected | Anomaly.Connection
trojan-activity | A Network Trojan was detected | Malware.Trojan
unusual-client-port-connection | A client was using an unusual port | Anomaly.Connection
network-scan | Detection of a Network Scan | Recon.Scanning
non-standard-protocol | Detection of a non-standard protocol or event | Anomaly.Protocol
protocol-command-decode | Generic Protocol Command Decode | Anomaly.Protocol
web-application-activity | access to a potentially vulnerable web application | Recon
web-application-attack | Web Application Attack | Attempt.Exploit
misc-activity | Misc activity | Anomaly.Traffic
misc-attack | Misc Attack | Attempt
icmp-event | Generic ICMP event | Anomaly.Traffic
inappropriate-content | Inappropriate Content was Detected | Abusive
kickass-porn | SCORE! Get the lotion! | Abusive.Sexual
policy-violation | Potential Corporate Privacy Violation | Fraud.UnauthorizedUsage
default-login-attempt | Attempt to login by a default username and password | Attempt.Login
targeted-activity | Targeted Malicious Activity was Detected | Intrusion
exploit-kit | Exploit Kit Activity Detected | Attempt.Exploit
external-ip-check | Device Retrieving External IP Address Detected | Anomaly.Behaviour
domain-c2 | Domain Observed Used for C2 Detected | Intrusion.Botnet
pup-activity | Possibly Unwanted Program Detected | Malware
credential-theft | Successful Credential Theft Detected | Intrusion.UserCompromise
social-engineering | Possible Social Engineering Attempted | Recon.SocialEngineering
coin-mining | Crypto Currency Mining Activity Detected | Fraud.UnauthorizedUsage
command-and-control | Malware Command and Control Activity Detected | Intrusion.Botnet
malware-cnc | Known malware command and control traffic | Intrusion.Botnet
client-side-exploit | Known client side exploit attempt | Attempt.Exploit
file-format | Known malicious file or file based exploit | Malware
sdf | Sensitive Data was Transmitted Across the Network | Information
"""
"""Suricata's and Snort's classification.config: short name, text, category."""

WORDS = {
    "Recon.Scanning": """Scan::Port_Scan Scan::Address_Scan Scan::Random_Scan portscan port-scan scan scanning scanner
        network-scanning sweep""",
    "Recon.Sniffing": "sniffing mitm man-in-the-middle",
    "Recon": "recon reconnaissance discovery information-gathering",
    "Attempt.Login": """SSH::Password_Guessing FTP::Bruteforcing brute-force bruteforce password-guessing
        login-attempt credential-access""",
    "Attempt.Exploit": """exploit exploit-attempt initial-access code-injection sql-injection
        HTTP::SQL_Injection_Attacker HTTP::SQL_Injection_Victim Heartbleed::SSL_Heartbeat_Attack web-attack""",
    "Intrusion.Botnet": "c2 c&c botnet command_control beacon beaconing c2server",
    "Intrusion": "intrusion compromise lateral-movement privilege-escalation",
    "Malware": "malware malicious-code TeamCymruMalwareHashRegistry::Match ransomware infected-system",
    "Malware.Virus": "virus",
    "Malware.Worm": "worm",
    "Malware.Trojan": "trojan backdoor",
    "Malware.Spyware": "spyware",
    "Malware.Rootkit": "rootkit",
    "Availability.DoS": "dos",
    "Availability.DDoS": "ddos",
    "Abusive.Spam": "spam",
    "Fraud.Phishing": "phishing",
    "Fraud.Scam": "scam",
    "Information": "exfiltration data-leak data-exfiltration data-theft",
    "Information.UnauthorizedAccess": "unauthorized-access",
    "Vulnerable": "vulnerability vulnerable",
    "Vulnerable.Config": "misconfiguration weak-password SSL::Weak_Key",
    "Anomaly.Protocol": "weird protocol-anomaly SSL::Invalid_Server_Cert",
    "Anomaly.Traffic": "anomaly traffic-anomaly",
}
"""Single words of other detectors: Zeek notices, CIM, ECS, MITRE tactics."""

NOT_WORD = re.compile(r"[\W_]+")


class Categories:
    """Words -> categories, with those that users add in front. Raises ValueError for what IDEA0 does not allow."""

    def __init__(self, added: Mapping[str, Sequence[str]] | None = None) -> None:
        """`added`: a detector's word -> categories of the taxonomy."""
        self._table = dict(_BUILT_IN)
        for word, categories in (added or {}).items():
            unknown = [category for category in categories if category not in TAXONOMY]
            if unknown or not categories:
                raise ValueError(f"{word}: give categories of IDEA0, not {', '.join(unknown) or 'nothing'}")
            self._table[_plain(word)] = tuple(categories)
        self.of = lru_cache(4096)(self._of)
        """The categories of a detector's word; `Other`, the taxonomy's own word, for one that is not known."""

    def _of(self, word: str) -> tuple[str, ...]:
        if word in TAXONOMY:
            return (word,)
        return self._table.get(_plain(word), ("Other",))


def _plain(word: str) -> str:
    return NOT_WORD.sub("", word.lower())


def _built_in() -> dict[str, tuple[str, ...]]:
    table: dict[str, tuple[str, ...]] = {
        _plain(word): (category,) for category, words in WORDS.items() for word in words.split()
    }
    table |= {_plain(each.name): (each.category,) for each in EVIDENCE.values()}
    table |= {_plain(category): (category,) for category in TAXONOMY - {"Test"}}
    for line in CLASSTYPES.strip().splitlines():
        short, text, category = line.split(" | ")
        table[_plain(short)] = table[_plain(text)] = (category,)
    return table


_BUILT_IN = _built_in()
DEFAULT = Categories()
"""Without words of users."""
