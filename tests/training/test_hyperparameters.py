"""The paper's Table 1 as data: names, order, defaults, bounds; and configurations that are checked."""

import math
from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.bounds import Bounds
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
from training.numbers import LARGEST_COUNT, is_single

LARGEST = 3.4e38
"""About the largest number of single precision."""

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
    low, high = max(each.taken.low, -LARGEST), min(each.taken.high, LARGEST)
    high = math.nextafter(high, 0) if each.taken.high_open else high
    return st.floats(low, high, allow_subnormal=False).filter(is_single)


@st.composite
def configurations(draw):
    values = dict(MANDATORY)
    for each in HYPERPARAMETERS:
        if each.kind == "choice":
            values[each.name] = draw(st.sampled_from(each.choices))
        elif each.kind == "integer":
            values[each.name] = draw(st.integers(1, LARGEST_COUNT))
        else:
            values[each.name] = draw(values_of(each))
    values["alpha"] = abs(values["alpha"])  # RMSprop takes no other
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
    assert all(len(each.help) + len(each.accepted(bounds)) < 1800 for bounds in Bounds)
    assert len(each.label) <= 75


@pytest.mark.parametrize("bounds", Bounds)
@pytest.mark.parametrize(
    "each", [each for each in HYPERPARAMETERS if each.kind != "choice"], ids=lambda each: each.name
)
def test_the_bounds_are_inclusive_unless_open(each, bounds):
    interval = each.interval(bounds)
    for bound, is_open in ((interval.low, interval.low_open), (interval.high, interval.high_open)):
        if math.isinf(bound):
            continue
        if is_open:
            with pytest.raises(ValueError, match=f"^{each.label} must be {each.accepted(bounds)}: .* is not.$"):
                each.parse(format_value(bound), bounds)
        else:
            assert each.parse(format_value(bound), bounds) == bound


def test_what_is_accepted_reads_as_words():
    epochs, rate, alpha, beta = (BY_NAME[name] for name in ("epochs", "learning_rate", "alpha", "beta1"))
    assert [each.accepted(Bounds.NARROW) for each in (epochs, rate, alpha, beta)] == [
        "from 1 to 1000",
        "above 0 and up to 100",
        "from 0 to 1",
        "0 or more and below 1",
    ]
    assert [each.accepted(Bounds.OPTIMIZER) for each in (epochs, rate, alpha, beta)] == [
        "1 or more",
        "0 or more",
        "any number (RMSprop: 0 or more)",
        "0 or more and below 1",
    ]
    assert alpha.accepted(Bounds.OPTIMIZER, Optimizer.RMSPROP) == "0 or more"
    assert alpha.accepted(Bounds.OPTIMIZER, Optimizer.ASGD) == "any number"
    for bounds in Bounds:
        assert BY_NAME["loss"].accepted(bounds) == "Cross entropy, L1 loss, Mean squared error, Negative log likelihood"


@pytest.mark.parametrize("bounds", Bounds)
@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("1e39", "is too large to train with."),
        ("1e-60", "is too close to 0 to train with, and is not 0."),
        ("1e-400", "is closer to 0 than any number a computer can hold, except 0 itself."),
        ("1e400", "is larger than any number a computer can hold."),
        ("inf", "Please enter a number"),
        ("nan", "Please enter a number"),
    ],
)
def test_numbers_with_which_nothing_can_be_computed_are_refused(bounds, typed, said):
    if bounds is Bounds.NARROW and typed == "1e39":
        said = "must be above 0 and up to 100"
    with pytest.raises(ValueError, match=said):
        BY_NAME["learning_rate"].parse(typed, bounds)


def test_a_count_that_cannot_be_kept_is_refused():
    assert BY_NAME["epochs"].parse(LARGEST_COUNT) == LARGEST_COUNT
    with pytest.raises(ValueError, match="Epochs: “2147483648” is larger than any number that can be kept"):
        BY_NAME["epochs"].parse(LARGEST_COUNT + 1)


def test_data_of_others_may_have_any_value_but_no_half_batches():
    others = {**MANDATORY, "beta1": 4, "beta2": -1, "epsilon": -6, "learning_rate": 1e300}
    found = Configuration.create(others, bounds=None)
    assert (found.beta1, found.beta2, found.epsilon, found.learning_rate) == (4, -1, -6, 1e300)
    with pytest.raises(InvalidConfiguration) as told:
        Configuration.create({**MANDATORY, "epochs": 0, "batch_size": 1.5}, bounds=None)
    assert told.value.errors.keys() == {"epochs", "batch_size"}


def test_a_negative_alpha_is_refused_for_rmsprop_only():
    given = {**MANDATORY, "alpha": "-1"}
    assert Configuration.create({**given, "optimizer": "asgd"}).alpha == -1
    with pytest.raises(InvalidConfiguration) as told:
        Configuration.create({**given, "optimizer": "rmsprop"})
    assert told.value.errors == {"alpha": "Alpha must be 0 or more with RMSprop: “-1” is not."}


def test_what_is_missing_or_blank_takes_its_default():
    blank = Configuration.create({**MANDATORY, "learning_rate": None, "beta1": "  ", "beta2": ""})
    assert blank == Configuration.create(MANDATORY)
    assert blank.all_optional_at_default


def test_what_the_optimizer_does_not_use_is_ignored_even_where_it_is_wrong():
    assert Configuration.create({**MANDATORY, "momentum": "much", "rho": 0.1}) == Configuration.create(MANDATORY)


def test_every_field_at_fault_is_named():
    with pytest.raises(InvalidConfiguration) as told:
        Configuration.create({"epochs": "0", "batch_size": "big", "optimizer": "adam", "learning_rate": "-1"})
    assert told.value.errors.keys() == {"epochs", "batch_size", "loss", "learning_rate"}
    assert told.value.errors["loss"] == "Please choose one."


def test_an_empty_number_is_asked_for():
    with pytest.raises(InvalidConfiguration) as told:
        Configuration.create({**MANDATORY, "epochs": ""})
    assert told.value.errors == {"epochs": "Please enter a number."}


def test_a_batch_is_no_larger_than_the_training_set():
    assert Configuration.create({**MANDATORY, "batch_size": 1437}, training_images=1437).batch_size == 1437
    with pytest.raises(InvalidConfiguration) as told:
        Configuration.create({**MANDATORY, "batch_size": 1438}, training_images=1437)
    assert told.value.errors == {
        "batch_size": "A batch of 1,438 is larger than the training set, which has about 1,400 images: enter a smaller "
        "number."
    }


def test_too_many_steps_are_said_at_the_epochs_without_the_exact_number_of_images():
    def said(epochs, batch_size):
        given = {**MANDATORY, "epochs": epochs, "batch_size": batch_size}
        with pytest.raises(InvalidConfiguration) as told:
            Configuration.create(given, training_images=1437, most_steps=1000)
        return told.value.errors["epochs"]

    assert said(44, 64) == (
        "44 epochs with a batch size of 64 take more than 1,000 steps of training, which is the most that is allowed: "
        "enter at most 43 epochs, or a larger batch size."
    )
    assert said(1, 1).endswith("which is the most that is allowed: enter a larger batch size.")
    assert Configuration.create({**MANDATORY, "epochs": 43}, training_images=1437, most_steps=1000).epochs == 43


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


def test_a_whole_summary_names_all_that_the_optimizer_uses_and_so_no_default():
    values = {"epochs": 1, "batch_size": 32, "loss": "l1", "optimizer": "sgd", "learning_rate": "1e-6"}
    preset, changed = (
        Configuration.create(values | {"momentum": momentum}) for momentum in (BY_NAME["momentum"].default, 0.25)
    )
    labels = [
        [part.rstrip("0123456789.e- ") for part in each.summary(whole=True).split(" · ")] for each in (preset, changed)
    ]
    assert labels[0] == labels[1]
    assert {"momentum", "weight decay"} <= set(labels[0])


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
        (2000.0, "2000"),
        (1e20, "1e+20"),
        (-0.5, "-0.5"),
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
    for whole in (False, True):
        assert len(configuration.summary(whole=whole)) < 300
        assert "\n" not in configuration.summary(whole=whole)


@given(numbers, st.text(max_size=200))
def test_every_error_is_one_short_sentence(each, typed):
    try:
        value, told = each.parse(typed), ""
    except ValueError as error:
        value, told = None, str(error)
    assert value is None or value in each.taken
    assert len(told) < 200
    assert "\n" not in told
    assert told == "" or told.endswith(".")
