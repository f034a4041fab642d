"""Several tasks in one study: each participant gets one, in balanced blocks within a group, and never sees its name."""

import numpy as np
import pytest
from PIL import Image

from tests.bot.researcher.asking import PATIENCE, look

SMALL = """
[[tasks]]
name = "secret-shapes"
folder = "shapes"
images = 40
classes = 2
image_size = 32
validation_images = 6
test_images = 6
"""

TASKS = ["digits-squeezenet", "secret-shapes"]


@pytest.fixture
def house(open_house):
    """Two tasks: the digits, and images of two kinds."""
    house = open_house(start=False, task=TASKS, data="images")
    random = np.random.default_rng(0)
    for kind in ("round", "square"):
        folder = house.study.parent / "images" / "shapes" / kind
        folder.mkdir(parents=True)
        for number in range(20):
            picture = Image.fromarray(random.integers(0, 256, (32, 32, 3), np.uint8))
            picture.save(folder / f"{number:02}.png")
    house.study.write_text(house.study.read_text(encoding="utf-8") + SMALL, encoding="utf-8")
    house.open()
    house.wait_for_machines()
    return house


@pytest.mark.long
def test_two_people_of_a_group_are_given_different_tasks_and_train_them(house, watch):
    given = {}
    for number in range(8):  # a block has each task three times at most
        person = house.described(f"Person {number}")
        given.setdefault(house.participant(person).task, person)
        if len(given) == len(TASKS):
            break
    assert set(given) == set(TASKS)
    digits, shapes = people = [given[task] for task in TASKS]
    witnesses = [watch(person) for person in people]
    assert "1,400 images for training" in digits.wait_for("Your task", PATIENCE).text_of_everything
    assert "28 images for training" in shapes.wait_for("Your task", PATIENCE).text_of_everything
    for person in people:
        person.press(person.wait_for("Your task", PATIENCE), "Start")
        person.wait_for_modal("New configuration", PATIENCE)

    # The form's bounds are those of one's own task.
    house.fill(shapes, {"Epochs": "1", "Batch size": "64", "Loss function": "Cross entropy", "Optimizer": "SGD"})
    shapes.fill({"Learning rate": "0.01"})
    assert "28" in next(iter(shapes.submit().values()))
    shapes.fill({"Batch size": "14"})
    assert shapes.submit() == {}
    house.trial(shapes, 1, "validation accuracy")
    house.trained(digits)
    shapes.say("sgd lr 0.01 batch 64 1 epoch cross entropy")
    shapes.wait_for("about 28 images", PATIENCE)
    for person in people:
        house.finish(person)
        house.reported(f"*{house.participant(person).code}*")
    assert [house.session(person).task for person in (digits, shapes)] == TASKS

    # A researcher reads which task it was, a participant never.
    researcher = house.workspace.person("Researcher")
    code = house.participant(shapes).code
    assert "task `secret-shapes`" in look(researcher, f"participant {code}", f"Participant {code}").text_of_everything
    for witness in witnesses:
        assert not [
            text for text in witness.close() for name in ("secret-", "shapes", "digits", "round") if name in text
        ]
