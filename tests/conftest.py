"""What takes longest begins first where several test files run at a time, so that nothing is waited for at the end."""

from collections import Counter

import pytest

LONGEST = ("test_simulated_study.py", "test_demo.py")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not hasattr(config, "workerinput"):  # one process: the tests' own order
        return
    tests = Counter(item.path for item in items)

    def place(item: pytest.Item) -> tuple[int, int]:
        name = item.path.name
        return LONGEST.index(name) if name in LONGEST else len(LONGEST), -tests[item.path]

    items.sort(key=place)
