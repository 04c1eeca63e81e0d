"""Times as TAXII servers understand them."""

from datetime import UTC, datetime, timedelta


def instant(text: str) -> str:
    """A time with zone (RFC 3339) in UTC with six digits and Z, the one form every server takes.

    What is finer is cut off. Raises ValueError for what is none.
    """
    try:
        time = datetime.fromisoformat(text.strip())
        if time.tzinfo is None:
            raise ValueError(f"{text!r} has no zone")
        return _written(time.astimezone(UTC))
    except OverflowError:
        raise ValueError(f"{text!r} is no time") from None


def just_before(text: str) -> str:
    """A microsecond earlier, in that form."""
    return _written(datetime.fromisoformat(text) - timedelta(microseconds=1))


def version(text: str) -> str:
    """A version to compare by: `2026-01-01T00:00:00Z` is `2026-01-01T00:00:00.000Z`."""
    try:
        return instant(text)
    except ValueError:
        return text


def _written(time: datetime) -> str:
    return time.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
