"""What breaks the finding of entities in a text that names the poison."""

from tocsin.entities import Known

POISON = "203.0.113.66"


class Fragile(Known):
    """Raises."""

    def is_own(self, type: str, value: str) -> bool:
        """As for others, but for the poison."""
        if value == POISON:
            raise ZeroDivisionError("poison")
        return super().is_own(type, value)


class Deadly(Known):
    """Ends the process."""

    def is_own(self, type: str, value: str) -> bool:
        """As for others, but for the poison."""
        if value == POISON:
            raise SystemExit(1)
        return super().is_own(type, value)


def unready() -> Known:
    """Never made."""
    raise MemoryError("no room")
