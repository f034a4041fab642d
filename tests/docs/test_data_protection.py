"""What is stored where: every table of the database and every level of background is told of."""

import re
from pathlib import Path

import pytest

from storage.schema.states import Background
from storage.schema.tables import Table

PAGE = (Path(__file__).parents[2] / "docs" / "data-protection.md").read_text(encoding="utf-8")
TOLD = re.findall(r"(?m)^\| `(\w+)`", PAGE.partition("## Slack")[0])


def test_every_table_is_told_of_once_and_no_other():
    assert sorted(TOLD) == sorted(Table.metadata.tables)


@pytest.mark.parametrize("background", Background)
def test_every_level_of_background_is_told_of(background):
    assert re.search(rf"(?m)^\| `{background}`", PAGE.partition("## What open data tell")[2])
