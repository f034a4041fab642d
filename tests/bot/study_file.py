"""The repository's ``study.toml`` for a test: with other values, and with a consent text that is finished."""

import json
import re
from pathlib import Path
from typing import Any

from training.tasks import DIGITS_SQUEEZENET

ROOT = Path(__file__).parents[2]


def finished_consent() -> str:
    """The repository's consent text with something in every place that is left to fill in."""
    return re.sub(r"\[([^\]]*)\]", r"\1", (ROOT / "consent.md").read_text(encoding="utf-8"))


def write_study(folder: Path, **changes: Any) -> Path:
    """The repository's ``study.toml`` in a folder of its own, with other values for some keys, and a finished consent.

    Its task is the quick one, and data of those who leave are kept, so that a test can look at them, unless a test says
    otherwise.
    """
    text = (ROOT / "study.toml").read_text(encoding="utf-8")
    for key, value in {"task": DIGITS_SQUEEZENET.name, "withdrawn_data": "keep", **changes}.items():
        line = f"{key} = {json.dumps(value)}".replace("\\", r"\\")
        text, found = re.subn(rf"(?m)^{key} = .*$", line, text, count=1)
        assert found, f"study.toml has no {key}"
    (folder / "consent.md").write_text(finished_consent(), encoding="utf-8")
    path = folder / "study.toml"
    path.write_text(text, encoding="utf-8")
    return path
