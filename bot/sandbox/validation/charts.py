"""The ``data_visualization`` block: line, bar, area and pie charts in messages.

Limits: https://docs.slack.dev/reference/block-kit/blocks/data-visualization-block
"""

import math
from typing import Any

from bot.sandbox.json_types import Json
from bot.sandbox.validation.block_elements import Findings

_XY = frozenset({"line", "bar", "area"})


def check_chart(findings: Findings, block: Json, at: str) -> None:
    """Check one chart block."""
    findings.only(block, {"type", "block_id", "title", "chart"}, at)
    findings.length(block.get("title"), f"{at}/title", 50)
    chart = block.get("chart")
    if not isinstance(chart, dict):
        findings.error("missing required field: chart", at)
    elif chart.get("type") in _XY:
        findings.only(chart, {"type", "series", "axis_config"}, f"{at}/chart")
        categories = _check_axes(findings, chart.get("axis_config"), f"{at}/chart/axis_config")
        _check_series(findings, chart.get("series"), categories, f"{at}/chart/series")
    elif chart.get("type") == "pie":
        findings.only(chart, {"type", "segments"}, f"{at}/chart")
        for index, point in enumerate(findings.items(chart.get("segments"), f"{at}/chart/segments", 6)):
            _check_point(findings, point, f"{at}/chart/segments/{index}", positive=True)
    else:
        findings.error("must be one of: pie, bar, area, line", f"{at}/chart/type")


def _check_axes(findings: Findings, axes: Any, at: str) -> list[str]:
    if not isinstance(axes, dict):
        findings.error("missing required field: axis_config", at)
        return []
    findings.only(axes, {"categories", "x_label", "y_label"}, at)
    categories = findings.items(axes.get("categories"), f"{at}/categories", 20)
    for index, category in enumerate(categories):
        findings.length(category, f"{at}/categories/{index}", 20)
    if len({str(category) for category in categories}) < len(categories):
        findings.error("categories must be unique", f"{at}/categories")
    for label in ("x_label", "y_label"):
        if axes.get(label) is not None:
            findings.length(axes[label], f"{at}/{label}", 50)
    return categories


def _check_series(findings: Findings, series: Any, categories: list[str], at: str) -> None:
    names: set[str] = set()
    for index, each in enumerate(findings.items(series, at, 6)):
        pointer = f"{at}/{index}"
        if not isinstance(each, dict):
            findings.error("must be an object", pointer)
            continue
        findings.only(each, {"name", "data"}, pointer)
        if findings.length(each.get("name"), f"{pointer}/name", 20):
            if each["name"] in names:
                findings.error("series names must be unique", f"{pointer}/name")
            names.add(each["name"])
        points = findings.items(each.get("data"), f"{pointer}/data", 20)
        for number, point in enumerate(points):
            _check_point(findings, point, f"{pointer}/data/{number}")
        labels = [point.get("label") for point in points if isinstance(point, dict)]
        if sorted(map(str, labels)) != sorted(map(str, categories)):
            findings.error("labels must match the categories, one point each", f"{pointer}/data")


def _check_point(findings: Findings, point: Any, at: str, *, positive: bool = False) -> None:
    if not isinstance(point, dict):
        findings.error("must be an object", at)
        return
    findings.length(point.get("label"), f"{at}/label", 20)
    value = point.get("value")
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        findings.error("must be a finite number", f"{at}/value")
    elif positive and value <= 0:
        findings.error("must be more than 0", f"{at}/value")
