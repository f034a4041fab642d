"""The lock names every package in one version, and what is installed is what it names."""

import pytest
from packaging.utils import canonicalize_name

from tests.docs.dependencies import BEGINNING, END, FREE, PAGE, asked_for, licence, locked, needed


def test_the_lock_covers_everything_but_torch():
    assert sorted(needed().keys() - locked().keys()) == []
    assert not FREE & locked().keys()
    assert all(str(each.specifier).startswith("==") for each in locked().values())


def test_the_lock_is_within_the_ranges_of_the_project():
    for each in asked_for():
        pin = locked().get(canonicalize_name(each.name))
        assert pin is not None or each.name in FREE
        if pin is not None:
            assert each.specifier.contains(str(pin.specifier).removeprefix("=="), prereleases=True), each.name


@pytest.mark.parametrize("name", sorted(needed()))
def test_what_is_installed_is_what_the_lock_says(name):
    version = needed()[name].version
    assert locked()[name].specifier.contains(version, prereleases=True), f"{version} is installed: run make again"


def test_the_security_page_names_every_package_of_the_program():
    told = PAGE.read_text().partition(BEGINNING)[2].partition(END)[0]
    for package in needed(dev=False).values():
        assert package.metadata["Name"] in told, "python -m tests.docs.dependencies writes it"
        assert licence(package)
