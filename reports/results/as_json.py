"""``results.json``: every number of the report."""

import json
import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import StrEnum
from typing import Any

from reports.results.measures import NotComputable


def to_json(results: object) -> str:
    """Every number of a report, or of a plan, as JSON: the same text for the same results.

    What is not computable is ``{"value": null, "why": "…"}``.
    """
    return json.dumps(_plain(results), ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def _plain(value: Any) -> Any:
    if isinstance(value, NotComputable):
        return {"value": None, "why": value.why}
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, (tuple, list)):
        return [_plain(each) for each in value]
    if isinstance(value, StrEnum):
        return str(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            return {"value": None, "why": "The computation gave no finite number."}
        return value
    return value
