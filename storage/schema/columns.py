"""Column types that behave the same on SQLite and PostgreSQL."""

import math
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import DateTime, Dialect, Enum, Float
from sqlalchemy.types import TypeDecorator


def utc(moment: datetime) -> datetime:
    """The same moment in UTC.

    Raises:
        ValueError: The moment is naive: it carries no time zone, so nobody knows when it was.
    """
    if moment.utcoffset() is None:
        raise ValueError(f"The time {moment.isoformat()} has no time zone. Pass an aware one: datetime.now(UTC).")
    return moment.astimezone(UTC)


class UtcDateTime(TypeDecorator[datetime]):
    """A moment, aware and in UTC on both sides. SQLite keeps no zone, so it is put back when read."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Refuse naive times, convert the others."""
        return None if value is None else utc(value)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Put the zone back, or convert from the server's."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Loss64(TypeDecorator[float]):
    """A float64 that may be infinite or not a number. SQLite turns NaN into NULL, so there it is kept as text."""

    impl = Float()
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Any:
        """Keep NaN from becoming NULL. (``process_bind_param`` comes too early: Float makes a number of the text.)"""
        return _nan_as_text if dialect.name == "sqlite" else super().bind_processor(dialect)

    def process_result_value(self, value: Any, dialect: Dialect) -> float | None:  # noqa: ARG002
        """Read the text back."""
        return None if value is None else float(value)


def _nan_as_text(value: float | None) -> float | str | None:
    return "nan" if value is not None and math.isnan(value) else value


def choice(kind: type[StrEnum]) -> Any:
    """A column for one of an enumeration's values, kept as readable text.

    No native enumeration: PostgreSQL can add a value to one, but never take one away.
    """
    return Enum(
        kind,
        native_enum=False,
        length=32,
        validate_strings=True,
        values_callable=lambda members: [member.value for member in members],
    )
