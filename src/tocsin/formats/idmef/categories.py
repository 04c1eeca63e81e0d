"""Categories of IDEA0 -> those of IDMEFv2, draft 08, which sorts by what is harmed and knows no attempts."""

_TABLE = {
    "Abuse.Other": "Abusive Abusive.Spam Abusive.Child Abusive.Sexual Abusive.Violence",
    "Abuse.Harassment": "Abusive.Harassment",
    "Malware.Other": "Malware Malware.Dialer Intrusion.Botnet",
    "Malware.Virus": "Malware.Virus",
    "Malware.Worm": "Malware.Worm",
    "Malware.Trojan": "Malware.Trojan",
    "Malware.Spyware": "Malware.Spyware",
    "Malware.Rootkit": "Malware.Rootkit",
    "Recon.Network": "Recon.Scanning Recon.Sniffing",
    "Recon.OSINT": "Recon.Searching",
    "Recon.Other": "Recon",
    "SocialEng.Other": "Recon.SocialEngineering",
    "Access.Other": "Attempt Attempt.Exploit Attempt.Login Attempt.NewSignature",
    "Access.Compromise": "Intrusion Intrusion.AdminCompromise Intrusion.UserCompromise Intrusion.AppCompromise",
    "Access.Unauthorized": "Information.UnauthorizedAccess",
    "Sabotage.Data": "Information.UnauthorizedModification",
    "Sabotage.Disruption": "Availability.Sabotage",
    "Availability.Other": "Availability",
    "Availability.DoS": "Availability.DoS",
    "Availability.DDoS": "Availability.DDoS",
    "Availability.Outage": "Availability.Outage",
    "Availability.Misconfiguration": "Vulnerable.Open Vulnerable.Config",
    "Fraud.Other": "Fraud Fraud.Scam",
    "Fraud.Usage": "Fraud.UnauthorizedUsage",
    "Fraud.Copyright": "Fraud.Copyright",
    "Fraud.Masquerade": "Fraud.Masquerade",
    "Fraud.Phishing": "Fraud.Phishing",
    "Other.Undetermined": """Anomaly Anomaly.Traffic Anomaly.Connection Anomaly.Protocol Anomaly.System
        Anomaly.Application Anomaly.Behaviour""",
    "Other.Uncategorised": "Information Vulnerable Other",
    "Other.Test": "Test",
}
OF_IDEA = {idea: category for category, words in _TABLE.items() for idea in words.split()}
"""Every word of IDEA0's taxonomy -> the category that is nearest."""
