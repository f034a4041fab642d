"""The form between two redraws: nothing typed is lost, and its memory fits into what Slack allows."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.participant.form_state import (
    MEMORY_CHARACTERS,
    OTHER,
    VALUE,
    WHY,
    Content,
    FormMemory,
    InvalidEntry,
    Purpose,
    read,
)
from bot.participant.views.configuration_form import configuration_form
from bot.participant.views.onboarding import guide
from storage.schema.comments import Comment
from storage.schema.states import Suggestion
from training.hyperparameters import BY_NAME, HYPERPARAMETERS, Configuration, Optimizer

BASE = Configuration.create(
    {"epochs": 3, "batch_size": 64, "loss": "nll", "optimizer": "sgd", "momentum": 0.9, "learning_rate": 0.01}
)


def typed(memory, **contents):
    """What Slack sends of a form: what was typed, and what was there from the start."""
    values = {}
    for name in memory.shown:
        content = contents.get(name) or memory.initial_content(name)
        kind = BY_NAME[name].kind
        values[memory.block_id(name)] = {VALUE: _chosen(content.value) if kind == "choice" else _written(content.value)}
        values[memory.block_id(name, WHY)] = {WHY: _chosen(content.comment)}
        if content.comment == Comment.OTHER:
            values[memory.block_id(name, OTHER)] = {OTHER: _written(content.other)}
    return values


def _written(text):
    return {"type": "plain_text_input", "value": text or None}


def _chosen(value):
    return {"type": "static_select", "selected_option": {"value": value} if value else None}


def carried(memory):
    """The memory after a journey through ``private_metadata``."""
    return FormMemory.model_validate_json(memory.dump())


def test_more_steps_than_allowed_are_refused_at_the_epochs():
    memory = FormMemory.new(Purpose.FINAL, "1", BASE)
    contents = {"epochs": Content.of("1000"), "batch_size": Content.of("1")}
    with pytest.raises(InvalidEntry) as invalid:
        read(memory, typed(memory, **contents), training_images=1437, most_steps=1_000_000)
    [(block, sentence)] = invalid.value.errors.items()
    assert block == memory.block_id("epochs")
    assert "take more than 1,000,000 steps of training" in sentence
    assert "enter at most 690 epochs" in sentence
    contents["batch_size"] = Content.of("2")
    assert read(memory, typed(memory, **contents), training_images=1437, most_steps=1_000_000)


def test_a_batch_for_which_there_is_no_memory_is_refused_at_its_field_without_telling_the_limit():
    memory = FormMemory.new(Purpose.TRY, "1", BASE)
    with pytest.raises(InvalidEntry) as invalid:
        read(memory, typed(memory, batch_size=Content.of("1201")), training_images=1437, largest_batch=1200)
    [(block, sentence)] = invalid.value.errors.items()
    assert block == memory.block_id("batch_size")
    assert "needs more memory than the machine that trains has" in sentence
    assert "1200" not in sentence
    assert "1,200" not in sentence
    assert read(memory, typed(memory, batch_size=Content.of("1200")), training_images=1437, largest_batch=1200)


def test_a_new_form_shows_what_every_optimizer_uses():
    memory = FormMemory.new(Purpose.TRY, "1", None)
    assert list(memory.shown) == ["epochs", "batch_size", "loss", "optimizer", "learning_rate", "weight_decay"]


def test_a_form_that_begins_with_a_configuration_shows_its_values():
    memory = carried(FormMemory.new(Purpose.TRY, "1", BASE))
    entered = read(memory, typed(memory), training_images=1437)
    assert entered.configuration == BASE
    assert entered.remarks == {}


@pytest.mark.parametrize("optimizer", Optimizer)
def test_a_redrawn_form_shows_what_its_optimizer_uses_in_the_tables_order(optimizer):
    memory = FormMemory.new(Purpose.TRY, "1", BASE)
    redrawn = carried(memory.redrawn(typed(memory, optimizer=Content.of(optimizer))))
    assert list(redrawn.shown) == [each.name for each in HYPERPARAMETERS if each.used_by(optimizer)]


def test_a_field_that_stays_keeps_its_block_and_one_that_comes_back_gets_a_new_one():
    memory = FormMemory.new(Purpose.TRY, "1", BASE)
    away = carried(memory.redrawn(typed(memory, optimizer=Content.of("adam"))))
    back = carried(away.redrawn(typed(away, optimizer=Content.of("sgd"))))
    assert back.block_id("epochs") == away.block_id("epochs") == memory.block_id("epochs")
    assert back.block_id("momentum") != memory.block_id("momentum")


def test_a_hidden_field_comes_back_as_it_was():
    memory = FormMemory.new(Purpose.TRY, "1", BASE)
    content = Content.of("0,77", Comment.OTHER, "my lucky number")
    away = carried(memory.redrawn(typed(memory, optimizer=Content.of("adam"), momentum=content)))
    back = carried(away.redrawn(typed(away, optimizer=Content.of("sgd"))))
    assert back.initial_content("momentum") == content
    entered = read(back, typed(back, momentum=content), training_images=1437)
    assert entered.configuration.momentum == 0.77
    assert str(entered.remarks["momentum"]) == "my lucky number"


def test_a_form_fits_only_with_the_fields_of_its_optimizer():
    memory = FormMemory.new(Purpose.TRY, "1", BASE)
    assert memory.fits(typed(memory))
    assert not memory.fits(typed(memory, optimizer=Content.of("adam")))


def test_a_value_that_slack_leaves_out_is_what_the_person_saw():
    memory = FormMemory.new(Purpose.TRY, "1", BASE)
    values = {key: value for key, value in typed(memory).items() if not key.startswith("learning_rate.form_value")}
    assert read(memory, values, training_images=1437).configuration == BASE


def test_an_emptied_field_comes_back_with_its_preset_and_nothing_is_guessed():
    memory = FormMemory.new(Purpose.TRY, "1", BASE)
    with pytest.raises(InvalidEntry) as told:
        read(memory, typed(memory, epochs=Content.of("x")), training_images=1437)
    assert list(told.value.errors) == [memory.block_id("epochs")]


def test_other_without_words_is_asked_for_where_they_are_missing():
    memory = FormMemory.new(Purpose.TRY, "1", BASE)
    values = typed(memory, epochs=Content.of("1", Comment.OTHER), loss=Content.of("l1", Comment.OTHER, "  "))
    with pytest.raises(InvalidEntry) as told:
        read(memory, values, training_images=1437)
    assert told.value.errors.keys() == {memory.block_id("epochs", OTHER), memory.block_id("loss", OTHER)}


REALS = [each.name for each in HYPERPARAMETERS if each.kind == "real"]

longest = st.builds(
    Content.of,
    st.text(max_size=3000) | st.just("𝔘" * 3000) | st.just('"\\' * 1500) | st.just("\x00" * 3000),
    st.sampled_from([*Comment]),
    st.text(max_size=300) | st.just("🙂" * 300) | st.just('"' * 300),
)


@settings(deadline=None, max_examples=50)
@given(
    st.dictionaries(st.sampled_from([each.name for each in HYPERPARAMETERS if each.kind == "real"]), longest), st.data()
)
def test_the_memory_fits_whatever_is_typed_and_the_view_within_slacks_limits(contents, data):
    memory = FormMemory.new(Purpose.TRY, "f" * 32, BASE)
    for optimizer in data.draw(st.lists(st.sampled_from([*Optimizer]), max_size=6)):
        values = typed(memory, **{**contents, "optimizer": Content.of(optimizer)})
        memory = memory.redrawn(values)
        assert len(memory.dump()) <= MEMORY_CHARACTERS
        memory = carried(memory)
        view = configuration_form(memory, memory.content(typed(memory, **contents)))
        assert len(view.to_dict()["blocks"]) <= 100


def test_the_longest_contents_of_every_optional_setting_fit():
    content = Content.of("\\" * 3000, Comment.OTHER, "\\" * 300)
    hidden = {each.name: content for each in HYPERPARAMETERS if not each.mandatory}
    memory = FormMemory.new(Purpose.FINAL, "f" * 32, BASE).model_copy(update={"hidden": hidden})
    assert len(memory.dump()) <= MEMORY_CHARACTERS
    assert carried(memory).hidden["beta1"].comment == Comment.OTHER


def test_a_form_that_was_open_when_the_bot_was_updated_can_be_read():
    """It carries the number of a row, as forms did once. What it submits is refused in words."""
    assert FormMemory.model_validate_json('{"p": "try", "s": 17}').session == "17"


class TestWithoutPresets:
    """In an arm without presets, a participant enters every value, and reads no preset."""

    def test_fields_begin_empty_and_nothing_says_preset(self):
        memory = carried(FormMemory.new(Purpose.TRY, "1", None, presets=False))
        assert not memory.presets
        assert {memory.initial_content(name).value for name in memory.shown} == {""}
        assert "reset" not in json.dumps(configuration_form(memory).to_dict())

    def test_only_what_was_entered_is_shown_again(self):
        """What the optimizer of a trial does not use holds its preset, which nobody has entered."""
        memory = FormMemory.new(Purpose.TRY, "1", BASE, presets=False)
        assert set(memory.initial) == {each.name for each, _ in BASE.used()}
        other = next(each for each in Optimizer if each is not BASE.optimizer and each is not Optimizer.ASGD)
        changed = memory.redrawn(typed(memory, optimizer=Content.of(str(other))))
        new = [name for name in changed.shown if name not in memory.shown]
        assert {changed.initial_content(name).value for name in new} <= {""}

    def test_an_empty_field_is_a_mistake_and_no_preset(self):
        memory = FormMemory.new(Purpose.TRY, "1", None, presets=False)
        chosen = {"epochs": "3", "batch_size": "64", "loss": "nll", "optimizer": "adam"}
        memory = memory.redrawn(typed(memory, **{name: Content.of(value) for name, value in chosen.items()}))
        filled = {
            name: Content.of(value) for name, value in (chosen | {"learning_rate": "0.1", "beta1": "0.5"}).items()
        }
        with pytest.raises(InvalidEntry) as invalid:
            read(memory, typed(memory, **filled), training_images=1437)
        empty = ("weight_decay", "epsilon", "beta2")
        assert invalid.value.errors == {memory.block_id(name): "Please enter a number." for name in empty}
        filled |= {name: Content.of("0.25") for name in empty}
        assert read(memory, typed(memory, **filled), training_images=1437).configuration.beta2 == 0.25

    def test_the_guide_tells_no_presets(self):
        assert "preset" in json.dumps(guide().to_dict())
        assert "preset" not in json.dumps(guide(presets=False).to_dict())


class TestSuggestedValues:
    """In an arm with suggestions, the form shows values that can be taken over."""

    OTHER = Configuration.create(
        {"epochs": 7, "batch_size": 32, "loss": "nll", "optimizer": "adam", "learning_rate": 0.002, "beta2": 0.95}
    )

    def test_they_are_shown_beside_the_own_ones(self):
        memory = carried(FormMemory.new(Purpose.TRY, "1", BASE).suggesting(self.OTHER))
        shown = json.dumps(configuration_form(memory).to_dict())
        assert "Optimizer: Adam" in shown
        assert "Learning rate: 0.002" in shown
        assert memory.initial_content("learning_rate").value == "0.01"
        assert memory.suggestion_use is Suggestion.SHOWN
        assert FormMemory.new(Purpose.TRY, "1", BASE).suggestion_use is None
        assert read(memory, typed(memory), training_images=1437).configuration == BASE

    def test_every_field_shows_them_once_they_are_taken_over_and_they_can_be_changed(self):
        memory = FormMemory.new(Purpose.TRY, "1", BASE).suggesting(self.OTHER)
        own = {"epochs": Content.of("99", "guess"), "momentum": Content.of("0.77")}
        taken = carried(memory.taking_over(typed(memory, **own)))
        assert taken.suggestion_use is Suggestion.TAKEN
        assert read(taken, typed(taken), training_images=1437).configuration == self.OTHER
        assert read(taken, typed(taken), training_images=1437).remarks == {}
        ids = {taken.block_id(name) for name in taken.shown} & {memory.block_id(name) for name in memory.shown}
        assert not ids, "Slack keeps what was typed under an old name"
        changed = read(taken, typed(taken, epochs=Content.of("8")), training_images=1437).configuration
        assert (changed.epochs, changed.learning_rate) == (8, 0.002)
        back = taken.redrawn(typed(taken, optimizer=Content.of("sgd")))
        assert back.initial_content("momentum").value == "0.77"
        assert "Take over" not in json.dumps(configuration_form(taken).to_dict())

    def test_the_memory_fits_with_them_too(self):
        content = Content.of("\\" * 3000, Comment.OTHER, "\\" * 300)
        hidden = {each.name: content for each in HYPERPARAMETERS if not each.mandatory}
        memory = FormMemory.new(Purpose.TRY, "f" * 32, BASE).suggesting(self.OTHER)
        memory = memory.model_copy(update={"hidden": hidden, "taken": True})
        assert len(memory.dump()) <= MEMORY_CHARACTERS
        assert carried(memory).suggestion == memory.suggestion
