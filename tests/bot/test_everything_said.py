"""Nothing that a participant can read gives the study away, or hands them a value."""

import pytest

from tests.bot.everything_said import everything
from tests.bot.said.driven import OWN
from tests.bot.said.judgement import give_aways, is_known, numbers_beside


@pytest.fixture(scope="module")
def page():
    return everything()


def test_no_text_gives_the_study_away(page):
    assert [(word, text) for text in page.texts for word in give_aways(text)] == []


def test_no_number_stands_beside_a_hyperparameter_but_presets_bounds_and_their_own(page):
    found = {
        (name, number, text)
        for text in page.texts
        for name, number in numbers_beside(text)
        if number not in OWN and not is_known(name, number)
    }
    assert found == set()


def test_the_page_has_everything_from_the_app_in_slack_to_the_last_thanks(page):
    everywhere = "\n".join(page.texts)
    for words in (
        "Before you take part",
        "Months of deep-learning experience",
        "*Your task*",
        "people are before you",
        "A place is free now",
        "How many images the network sees before each update",
        "Preset: 0.001. Accepted: 0 or more.",
        "Learning rate must be 0 or more: “-7” is not.",
        "larger than the training set, which has about 1,400 images",
        "Learning rate must be above 0 and up to 100",
        "I understood: *optimizer Adam · momentum 0.137*",
        "Your time is up.",
        "validation accuracy",
        "Training ran out of memory",
        "Thank you for taking part!",
        "You have left the study.",
        "The study is paused",
        "The study is closed",
        "Something went wrong on our side",
    ):
        assert words in everywhere, words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Imagenette has ten classes", ["imagenette"]),
        ("You do better than a random search.", ["random search"]),
        ("SqueezeNet's test accuracy", ["squeezenet", "test accuracy"]),
        ("How skilled are you?", []),
        ("The network learns from the images.", []),
    ],
)
def test_words_that_give_the_study_away_are_found(text, words):
    assert give_aways(text) == words


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("try adam with a learning rate of 3e-4", {("learning_rate", "3e-4")}),
        ("adam, lr 3e-4, 20 epochs, batch 64", {("learning_rate", "3e-4"), ("epochs", "20"), ("batch_size", "64")}),
        ("20 epochs are enough", {("epochs", "20")}),
        ("Trial 3 is waiting. Epochs are counted.", set()),
        ("Learning rate: 0 or more", set()),
    ],
)
def test_numbers_beside_hyperparameters_are_found(text, found):
    unknown = {(name, number) for name, number in numbers_beside(text) if not is_known(name, number)}
    assert found <= unknown
    assert bool(found) == bool(unknown)


def test_presets_and_bounds_are_known():
    assert is_known("learning_rate", "0.001")
    assert is_known("learning_rate", "100")
    assert is_known("epochs", "1000")
    assert not is_known("learning_rate", "0.0003")
    assert not is_known("epochs", "20")
