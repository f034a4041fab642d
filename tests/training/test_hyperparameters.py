"""The paper's Table 1 as data: names, order, defaults, bounds; and configurations that are checked."""

import math
from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.hyperparameters import (
    BY_NAME,
    HYPERPARAMETERS,
    LABELS,
    Configuration,
    InvalidConfiguration,
    Loss,
    Optimizer,
    format_value,
)

MANDATORY = {"epochs": 5, "batch_size": 64, "loss": "cross_entropy", "optimizer": "adam"}

TABLE_1 = {
    "epochs": None,
    "batch_size": None,
    "loss": None,
    "optimizer": None,
    "learning_rate": 0.001,
    "weight_decay": 0.0,
    "momentum": 0.0,
    "rho": 0.9,
    "lambd": 0.75,
    "alpha": 0.99,
    "epsilon": 0.00001,
    "learning_rate_decay": 0.0,
    "initial_accumulator_value": 0.0,
    "beta1": 0.9,
    "beta2": 0.999,
}
"""The paper's Table 1: name and default; the first four are mandatory."""

USED_BY = {
    "momentum": {"sgd", "rmsprop"},
    "rho": {"adadelta"},
    "lambd": {"asgd"},
    "alpha": {"rmsprop", "asgd"},
    "epsilon": {"adam", "adadelta", "rmsprop"},
    "learning_rate_decay": {"adagrad"},
    "initial_accumulator_value": {"adagrad"},
    "beta1": {"adam"},
    "beta2": {"adam"},
}

reals = st.sampled_from([each for each in HYPERPARAMETERS if each.kind == "real"])
numbers = st.sampled_from([each for each in HYPERPARAMETERS if each.kind != "choice"])


def values_of(each):
    """Any value of a real hyperparameter, but for subnormal ones: training flushes those to zero in its process."""
    low = 1e-12 if each.low_open else each.low
    high = math.nextafter(each.high, 0) if each.high_open else each.high
    return st.floats(low, high, allow_subnormal=False)


@st.composite
def configurations(draw):
    values = dict(MANDATORY)
    for each in HYPERPARAMETERS:
        if each.kind == "choice":
            values[each.name] = draw(st.sampled_from(each.choices))
        elif each.kind == "integer":
            values[each.name] = draw(st.integers(int(each.low), int(each.high)))
        else:
            values[each.name] = draw(values_of(each))
    return Configuration.create(values)


def test_the_table_has_the_15_of_the_paper_with_their_defaults():
    assert {each.name: each.default for each in HYPERPARAMETERS} == TABLE_1
    assert [each.name for each in HYPERPARAMETERS] == list(TABLE_1)
    assert [each.name for each in HYPERPARAMETERS if each.mandatory] == list(MANDATORY)


def test_a_configuration_has_the_tables_fields_in_its_order_with_its_defaults():
    assert [each.name for each in fields(Configuration)] == list(TABLE_1)
    configuration = Configuration.create(MANDATORY)
    for name, default in TABLE_1.items():
        assert default is None or getattr(configuration, name) == default


def test_every_optimizer_uses_what_the_original_form_showed():
    for each in HYPERPARAMETERS:
        assert {str(optimizer) for optimizer in each.optimizers} == USED_BY.get(each.name, {*Optimizer})


def test_every_choice_has_a_label():
    assert LABELS.keys() == {*Loss, *Optimizer}


@pytest.mark.parametrize("each", HYPERPARAMETERS, ids=lambda each: each.name)
def test_every_hyperparameter_explains_itself_in_what_a_form_can_hold(each):
    assert each.help.endswith(".")
    assert len(each.help) + len(each.range) < 1800
    assert len(each.label) <= 75


@pytest.mark.parametrize(
    "each", [each for each in HYPERPARAMETERS if each.kind != "choice"], ids=lambda each: each.name
)
def test_the_bounds_are_inclusive_unless_open(each):
    for bound, is_open in ((each.low, each.low_open), (each.high, each.high_open)):
        if is_open:
            with pytest.raises(ValueError, match=f"^{each.label} must be {each.range}: .* is not.$"):
                each.parse(format_value(bound))
        else:
            assert each.parse(format_value(bound)) == bound


def test_a_range_reads_as_words():
    assert BY_NAME["epochs"].range == "from 1 to 1000"
    assert BY_NAME["learning_rate"].range == "above 0, up to 100"
    assert BY_NAME["beta1"].range == "from 0, below 1"
    assert BY_NAME["loss"].range == "Cross entropy, L1 loss, Mean squared error, Negative log likelihood"


def test_what_is_missing_or_blank_takes_its_default():
    blank = Configuration.create({**MANDATORY, "learning_rate": None, "beta1": "  ", "beta2": ""})
    assert blank == Configuration.create(MANDATORY)
    assert blank.all_optional_at_default


def test_what_the_optimizer_does_not_use_is_ignored_even_where_it_is_wrong():
    assert Configuration.create({**MANDATORY, "momentum": "much", "rho": 0.1}) == Configuration.create(MANDATORY)


def test_every_field_at_fault_is_named():
    with pytest.raises(InvalidConfiguration) as told:
        Configuration.create({"epochs": "0", "batch_size": "big", "optimizer": "adam", "learning_rate": "0"})
    assert told.value.errors.keys() == {"epochs", "batch_size", "loss", "learning_rate"}
    assert told.value.errors["loss"] == "Please choose one."


def test_an_empty_number_is_asked_for():
    with pytest.raises(InvalidConfiguration) as told:
        Configuration.create({**MANDATORY, "epochs": ""})
    assert told.value.errors == {"epochs": "Please enter a number."}


def test_a_batch_is_no_larger_than_the_training_set():
    assert Configuration.create({**MANDATORY, "batch_size": 1437}, training_images=1437).batch_size == 1437
    with pytest.raises(InvalidConfiguration, match="A batch of 1438 is larger than the training set"):
        Configuration.create({**MANDATORY, "batch_size": 1438}, training_images=1437)


def test_a_name_that_is_no_hyperparameter_is_a_programming_error():
    with pytest.raises(KeyError, match="dropout"):
        Configuration.create({**MANDATORY, "dropout": 0.5})


def test_minus_zero_is_zero():
    assert str(Configuration.create({**MANDATORY, "weight_decay": "-0.0"}).weight_decay) == "0.0"


def test_a_summary_names_what_was_changed():
    values = {"epochs": 1, "batch_size": 32, "loss": "l1", "optimizer": "sgd", "learning_rate": "1e-6", "momentum": 0.9}
    assert Configuration.create(values).summary() == (
        "SGD · L1 loss · 1 epoch · batch 32 · learning rate 1e-06 · momentum 0.9"
    )


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0.001, "0.001"),
        (0.00001, "0.00001"),
        (3e-06, "3e-06"),
        (0.0, "0"),
        (100, "100"),
        ("adam", "Adam"),
        (0.1, "0.1"),
    ],
)
def test_a_value_is_written_as_a_person_would(value, written):
    assert format_value(value) == written


@given(st.data())
def test_a_written_value_reads_back_as_the_same_value(data):
    each = data.draw(reals)
    value = data.draw(values_of(each))
    assert each.parse(format_value(value)) == value


@given(configurations())
def test_a_configuration_reads_back_from_what_the_form_would_show(configuration):
    shown = {
        name: value if name in ("loss", "optimizer") else format_value(value)
        for name, value in configuration.as_dict().items()
    }
    assert Configuration.create(shown) == configuration
    assert Configuration.create(configuration.as_dict()) == configuration


@given(configurations())
def test_a_summary_fits_into_one_line(configuration):
    assert len(configuration.summary()) < 300
    assert "\n" not in configuration.summary()


@given(numbers, st.text(max_size=200))
def test_every_error_is_one_short_sentence(each, typed):
    try:
        value, told = each.parse(typed), ""
    except ValueError as error:
        value, told = each.low, str(error)
    assert each.low <= value <= each.high
    assert len(told) < 200
    assert "\n" not in told
    assert told == "" or told.endswith(".")
