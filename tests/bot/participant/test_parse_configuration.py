"""A configuration typed in one line is read as it was meant. Unclear parts are reported, and nothing is guessed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.participant.keywords import Word, is_plain_cancel, numbers_in, understood
from bot.participant.parse_configuration import _TERMS, LONGEST_LINE, read_line
from tests.bot.slack.anything import configurations
from training.hyperparameters import BY_NAME, HYPERPARAMETERS, LABELS, Configuration, Optimizer, format_value


@pytest.mark.parametrize(
    ("line", "values"),
    [
        (
            "adam lr 3e-4, 20 epochs, batch 64",
            {"optimizer": "adam", "learning_rate": "0.0003", "epochs": "20", "batch_size": "64"},
        ),
        (
            "sgd momentum 0.9 lr=1e-2 bs 32 30 epochs mse",
            {
                "optimizer": "sgd",
                "momentum": "0.9",
                "learning_rate": "0.01",
                "batch_size": "32",
                "epochs": "30",
                "loss": "mse",
            },
        ),
        ("lr3e-4 bs32 20ep Adam", {"learning_rate": "0.0003", "batch_size": "32", "epochs": "20", "optimizer": "adam"}),
        ("please train for 5 epochs with a batch size of 64", {"epochs": "5", "batch_size": "64"}),
        ("`rms prop`: eps = 1e-8; α .9", {"optimizer": "rmsprop", "epsilon": "1e-08", "alpha": "0.9"}),
        ("LR 0,001, 20 epochs", {"learning_rate": "0.001", "epochs": "20"}),
        ("learning_rate: 1e-3, cross-entropy", {"learning_rate": "0.001", "loss": "cross_entropy"}),
        ("l1 loss, averaged SGD", {"loss": "l1", "optimizer": "asgd"}),
        ("lr decay 0.1 adagrad lr 0.2", {"learning_rate_decay": "0.1", "optimizer": "adagrad", "learning_rate": "0.2"}),
        ("beta_1 .8 beta2=0.99", {"beta1": "0.8", "beta2": "0.99"}),
    ],
)
def test_a_line_is_read_as_it_was_meant(line, values):
    read = read_line(line)
    assert read.values == values
    assert read.is_configuration
    assert (read.problems, read.unknown) == ((), ())


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("batch 1,000", "“1,000” could mean 1.0 or 1000"),
        ("lr -1", "Learning rate must be 0 or more"),
        ("epochs 2.5", "Epochs: Please enter a whole number"),
        ("epochs 20, epochs 30", "Epochs is given twice. I used 30, not 20."),
    ],
)
def test_a_value_that_cannot_be_used_is_told_with_its_name(line, told):
    (problem,) = read_line(line).problems
    assert told in problem


@pytest.mark.parametrize(("line", "unknown"), [("adamw lr 1e-3", "adamw"), ("64, adam", "64"), ("adam foo", "foo")])
def test_unknown_words_are_reported_and_not_guessed(line, unknown):
    assert read_line(line).unknown == (unknown,)


@pytest.mark.parametrize(
    "line",
    ["how long do 20 epochs take?", "what does momentum do?", "time", "finish", "", "cancel trial 3", "I want 5"],
)
def test_a_sentence_is_not_a_configuration(line):
    assert not read_line(line).is_configuration


def test_a_question_about_a_setting_names_it():
    assert read_line("what do momentum and the batch size do?").named == ("momentum", "batch_size")


@given(configurations())
def test_every_configuration_as_the_bot_writes_it_reads_back(configuration):
    read = read_line(configuration.summary())
    base = {each.name: each.default for each in HYPERPARAMETERS if each.default is not None}
    assert Configuration.create(base | dict(read.values)) == configuration
    assert (read.problems, read.unknown) == ((), ())


@given(configurations(), st.data())
def test_every_value_reads_back_by_any_of_its_names_in_any_order(configuration, data):
    names = data.draw(st.permutations([each.name for each, _ in configuration.used()]))
    values, pieces = configuration.as_dict(), []
    for name in names:
        shown = format_value(values[name]) if not BY_NAME[name].choices else str(values[name])
        known = [term for term, (_, of, choice) in _TERMS.items() if of == name and choice in {"", str(values[name])}]
        term = data.draw(st.sampled_from(known))
        if BY_NAME[name].choices:
            pieces.append(term)
        else:
            pieces.append(data.draw(st.sampled_from([f"{term} {shown}", f"{term}={shown}", f"{shown} {term}"])))
    line = data.draw(st.sampled_from([", ", "; ", "\n"])).join(pieces)
    if len(line) > LONGEST_LINE:
        return
    assert dict(read_line(line).values) == {
        name: str(values[name]) if BY_NAME[name].choices else format_value(values[name])
        for name in (each.name for each in HYPERPARAMETERS)
        if name in names
    }


@given(st.text(max_size=2 * LONGEST_LINE))
def test_any_text_can_be_read(text):
    read = read_line(text)
    for name, value in read.values.items():
        assert BY_NAME[name].parse(value) is not None
    understood(text)
    is_plain_cancel(text)
    numbers_in(text)


@given(st.lists(st.sampled_from([*_TERMS, "5", ".1", "1e-4", ",", "=", "and", "foo", "1,000", "-3"]), max_size=30))
def test_whatever_is_read_can_stand_in_the_form(pieces):
    for name, value in read_line(" ".join(pieces)).values.items():
        assert BY_NAME[name].parse(value) is not None


def test_no_name_means_two_things():
    for optimizer in Optimizer:
        assert read_line(LABELS[optimizer]).values == {"optimizer": str(optimizer)}
    for each in HYPERPARAMETERS:
        if not each.choices:
            assert read_line(f"{each.label} 1").named == (each.name,)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("help", Word.HELP),
        ("HELP!", Word.HELP),
        ("strat", Word.START),
        ("let's begin", Word.START),
        ("tune", Word.TUNE),
        ("how much time do I have left?", Word.TIME),
        ("tiem", Word.TIME),
        ("histroy", Word.HISTORY),
        ("show me my results", Word.HISTORY),
        ("cancle", Word.CANCEL),
        ("stop", Word.CANCEL),
        ("finnish", Word.FINISH),
        ("I am done", Word.FINISH),
        ("withdraw", Word.WITHDRAW),
        ("delete my data", Word.WITHDRAW),
        ("blah blah", None),
        ("", None),
        ("🧠", None),
    ],
)
def test_words_are_understood_with_their_synonyms_and_typing_errors(text, word):
    assert understood(text) is word


@pytest.mark.parametrize("text", ["cancel", "Cancel!", "please cancel it", "cancel trial 3", "cancel this trial now"])
def test_a_plain_cancel_needs_no_question(text):
    assert is_plain_cancel(text)


@pytest.mark.parametrize("text", ["don't cancel", "how do I cancel?", "stop", "cancle", "cancel and finish"])
def test_anything_else_about_cancelling_is_asked_about(text):
    assert not is_plain_cancel(text)
