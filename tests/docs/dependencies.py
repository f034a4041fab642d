"""What the project is installed with: the packages, their versions in the lock, and their licences.

``python -m tests.docs.dependencies`` writes the licences into SECURITY.md.
"""

import re
import tomllib
from functools import cache
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
LOCK = ROOT / "requirements-dev.lock"
PAGE = ROOT / "SECURITY.md"

FREE = {"torch", "torchvision"}
"""What is not locked, with all that only it needs: which build fits depends on the machine's GPU."""

BEGINNING, END = "<!-- made by python -m tests.docs.dependencies -->", "<!-- end -->"


def asked_for(*, dev: bool = True) -> list[Requirement]:
    """What pyproject.toml names, with its ranges."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    named = [*project["dependencies"], *(project["optional-dependencies"]["dev"] if dev else ())]
    return [Requirement(each) for each in named]


@cache
def locked() -> dict[str, Requirement]:
    """What the lock names for this Python, by name."""
    lines = [line.partition("#")[0].strip() for line in LOCK.read_text().splitlines()]
    found = [Requirement(line) for line in lines if line]
    return {canonicalize_name(each.name): each for each in found if each.marker is None or each.marker.evaluate()}


@cache
def needed(*, dev: bool = True) -> dict[str, Distribution]:
    """Every package that is installed because of pyproject.toml, by name, but for those of ``FREE``."""
    found: dict[str, Distribution] = {}
    waiting = [(each, "") for each in asked_for(dev=dev)]
    seen: set[tuple[str, str]] = set()
    while waiting:
        requirement, extra = waiting.pop()
        name = canonicalize_name(requirement.name)
        if name in FREE or (requirement.marker and not requirement.marker.evaluate({"extra": extra})):
            continue
        for each in {"", *requirement.extras} - {done for package, done in seen if package == name}:
            seen.add((name, each))
            found[name] = distribution(requirement.name)
            waiting += [(Requirement(line), each) for line in found[name].requires or ()]
    return found


def licence(package: Distribution) -> str:
    """As its metadata say, in a few words."""
    said = package.metadata.get("License-Expression") or ""
    classified = [each for each in package.metadata.get_all("Classifier") or () if each.startswith("License ::")]
    named = ", ".join(each.rpartition(" :: ")[2] for each in classified)
    line = (package.metadata.get("License") or "").strip().partition("\n")[0]
    short = line if re.fullmatch(r"[\w .,()+-]{2,40}", line) else ""
    return said or named or short or "see the package"


def licences() -> str:
    """A line for each licence: the packages that the program itself needs."""
    by_licence: dict[str, list[str]] = {}
    for package in [*needed(dev=False).values(), *(distribution(name) for name in sorted(FREE))]:
        by_licence.setdefault(licence(package), []).append(package.metadata["Name"])
    lines = [f"- {name}: {', '.join(sorted(those, key=str.lower))}" for name, those in by_licence.items()]
    return "\n".join(sorted(lines, key=str.lower))


if __name__ == "__main__":
    before, _, rest = PAGE.read_text().partition(BEGINNING)
    PAGE.write_text(f"{before}{BEGINNING}\n{licences()}\n{END}{rest.partition(END)[2]}")
    print(f"{PAGE.name} is written.")
