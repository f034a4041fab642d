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
        ValueError: The moment is naive: it has no time zone.
    """
    if moment.utcoffset() is None:
        raise ValueError(f"The time {moment.isoformat()} has no time zone. Pass an aware one: datetime.now(UTC).")
    return moment.astimezone(UTC)


class UtcDateTime(TypeDecorator[datetime]):
    """A moment, aware and in UTC when it is written and when it is read. (SQLite itself keeps no time zone.)"""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Convert an aware time to UTC, and refuse a naive one."""
        return None if value is None else utc(value)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Add the time zone that SQLite does not keep, or convert from that of the server."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Loss64(TypeDecorator[float]):
    """A float64 that may be infinite or NaN. SQLite would turn NaN into NULL, so it is kept as text there."""

    impl = Float()
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Any:
        """Write NaN as text on SQLite. (After ``process_bind_param``, Float would make a number of the text again.)"""
        return _nan_as_text if dialect.name == "sqlite" else super().bind_processor(dialect)

    def process_result_value(self, value: Any, dialect: Dialect) -> float | None:  # noqa: ARG002
        """Make a number of the text."""
        return None if value is None else float(value)


def _nan_as_text(value: float | None) -> float | str | None:
    return "nan" if value is not None and math.isnan(value) else value


def choice(kind: type[StrEnum]) -> Any:
    """The type of a column that holds one value of an enumeration, as readable text.

    It is not a native enumeration: PostgreSQL can add a value to such a type, but cannot remove one.
    """
    return Enum(
        kind,
        native_enum=False,
        length=32,
        validate_strings=True,
        values_callable=lambda members: [member.value for member in members],
    )
