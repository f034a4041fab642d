"""Numbers are read as people write them; what could be two numbers, or none, is asked about in one sentence."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.numbers import NotANumber, about, is_single, parse_integer, parse_real, quote


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        ("0.001", 0.001),
        (".001", 0.001),
        ("5.", 5.0),
        ("1e-4", 1e-4),
        ("1E-4", 1e-4),
        ("+3", 3.0),
        ("  3e-4\n", 3e-4),
        ("0,001", 0.001),
        (",5", 0.5),
        ("3,5", 3.5),
        ("−2", -2.0),
        ("１２", 12.0),
        ("1,000,000", 1_000_000.0),
        ("1.000.000", 1_000_000.0),
        ("1.000,5", 1000.5),
        ("1,000.5", 1000.5),
        ("1 000", 1000.0),
        ("1'000", 1000.0),
        ("1’000", 1000.0),
        ("1_000", 1000.0),
        ("1.000", 1.0),
    ],
)
def test_a_number_is_read_as_it_was_meant(typed, number):
    assert parse_real(typed) == number


@pytest.mark.parametrize(
    "typed",
    ["", "   ", "ten", "1e", "e5", "--1", "1.2.3", "1,2,3", "0x10", "nan", "NaN", "inf", "-Infinity", "🙂", "1;2"],
)
def test_what_is_no_number_is_said_in_one_sentence(typed):
    with pytest.raises(NotANumber) as told:
        parse_real(typed)
    assert str(told.value).startswith("Please enter a number")
    assert str(told.value).endswith((".", " is not one."))


@pytest.mark.parametrize("parse", [parse_real, parse_integer])
def test_a_number_with_two_readings_is_asked_about(parse):
    with pytest.raises(NotANumber, match=r"“1,000” could mean 1\.0 or 1000: please write it one of these two ways"):
        parse("1,000")


def test_a_point_and_three_digits_are_asked_about_where_a_whole_number_is_wanted():
    with pytest.raises(NotANumber, match=r"could mean 2\.5 or 2500"):
        parse_integer("2.500")


@pytest.mark.parametrize(
    ("typed", "number"), [("10", 10), ("1e2", 100), ("10.0", 10), ("-3", -3), ("1,000,000", 10**6)]
)
def test_a_whole_number_may_be_written_like_any_other(typed, number):
    assert parse_integer(typed) == number
    assert isinstance(parse_integer(typed), int)


def test_a_fraction_is_no_whole_number():
    with pytest.raises(NotANumber, match=r"Please enter a whole number: “1\.5” is not one\."):
        parse_integer("1.5")


def test_a_number_that_no_computer_can_hold_is_said():
    with pytest.raises(NotANumber, match="larger than any number a computer can hold"):
        parse_real("1e999")


@given(st.floats(allow_nan=False, allow_infinity=False, allow_subnormal=False))
def test_every_number_reads_back_as_itself(number):
    assert parse_real(repr(number)) == number


@given(st.text(max_size=300))
def test_whatever_is_typed_is_a_finite_number_or_one_sentence(typed):
    number, told = None, ""
    try:
        number = parse_real(typed)
    except NotANumber as error:
        told = str(error)
    assert told or math.isfinite(number)
    assert len(told) < 150
    assert "\n" not in told


@given(st.text())
def test_a_quote_is_short_and_on_one_line(typed):
    assert len(quote(typed)) <= 22
    assert "\n" not in quote(typed)


@pytest.mark.parametrize("typed", ["1e-400", "0.5e-330", "-3e-999"])
def test_a_number_that_would_become_0_is_said(typed):
    with pytest.raises(NotANumber, match="closer to 0 than any number a computer can hold"):
        parse_real(typed)


@pytest.mark.parametrize("typed", ["0", "0.000", "0e10", "-0", "0e-400"])
def test_0_is_0(typed):
    assert parse_real(typed) == 0


@pytest.mark.parametrize(
    ("count", "said"), [(1437, "1,400"), (12394, "12,000"), (500, "500"), (187, "180"), (7, "7"), (99, "99"), (0, "0")]
)
def test_about_how_many_is_said_in_two_places(count, said):
    assert about(count) == said


@pytest.mark.parametrize(
    ("number", "is_one"), [(3.4e38, True), (1e39, False), (-1e39, False), (1e-60, False), (0, True)]
)
def test_which_numbers_single_precision_has(number, is_one):
    assert is_single(number) == is_one
