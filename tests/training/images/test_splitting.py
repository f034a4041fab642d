"""Splits have equal shares of the classes, and are those of scikit-learn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.images.splitting import Places, split_by_class


def scikit_learns(labels: Places, validation: int, test: int, seed: int) -> tuple[Places, ...]:
    from sklearn.model_selection import train_test_split

    everything = np.arange(len(labels))
    rest, tested = train_test_split(everything, test_size=test, stratify=labels, random_state=seed)
    trained, validated = train_test_split(rest, test_size=validation, stratify=labels[rest], random_state=seed)
    return np.sort(trained), np.sort(validated), np.sort(tested)


@settings(deadline=None, max_examples=60)
@given(
    images=st.integers(20, 400),
    classes=st.integers(1, 9),
    validation=st.integers(1, 100),
    test=st.integers(1, 100),
    seed=st.integers(0, 2**32 - 1),
)
def test_the_splits_are_those_of_scikit_learn(images: int, classes: int, validation: int, test: int, seed: int) -> None:
    labels = np.random.default_rng(seed).integers(0, classes, images)
    try:
        expected = scikit_learns(labels, validation, test, seed)
    except ValueError:
        with pytest.raises(ValueError, match=r"cannot be split|only one image"):
            split_by_class(labels, validation, test, seed)
        return
    for found, wanted in zip(split_by_class(labels, validation, test, seed), expected, strict=True):
        assert found.tolist() == wanted.tolist()


def test_every_split_has_the_same_shares_of_the_classes() -> None:
    labels = np.repeat(np.arange(4), [40, 80, 120, 160])
    training, validation, test = split_by_class(labels, validation_images=40, test_images=20, seed=3)
    assert np.bincount(labels[validation]).tolist() == [4, 8, 12, 16]
    assert np.bincount(labels[test]).tolist() == [2, 4, 6, 8]
    assert sorted([*training, *validation, *test]) == list(range(400))


def test_a_split_without_an_image_of_each_class_is_refused() -> None:
    with pytest.raises(ValueError, match="every split needs at least one image of each class"):
        split_by_class(np.arange(100) % 10, validation_images=9, test_images=10, seed=1)
    with pytest.raises(ValueError, match="only one image"):
        split_by_class(np.array([0] * 50 + [1]), validation_images=5, test_images=5, seed=1)
