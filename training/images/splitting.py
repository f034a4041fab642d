"""Split images at random so that every split has the same shares of the classes.

The splits are those of scikit-learn's ``train_test_split(..., stratify=labels)``, which the tests compare them with.
Three things speak for our own lines: importing scikit-learn takes two seconds in every worker, a study's split must
stay the same when scikit-learn changes its way, and NumPy promises that a ``RandomState`` never changes.
"""

import numpy as np
from numpy.typing import NDArray

Places = NDArray[np.int64]


def split_by_class(
    labels: Places, validation_images: int, test_images: int, seed: int
) -> tuple[Places, Places, Places]:
    """Split images at random so that every split has the same shares of the classes.

    Args:
        labels: int64, N: the class of each image.
        validation_images, test_images: The sizes of these splits; the training split is the rest.
        seed: 0 or more.

    Returns:
        The places of the training, validation and test images, each ascending.

    Raises:
        ValueError: A split is smaller than the number of classes, or a class has fewer than two images.
    """
    everything = np.arange(len(labels), dtype=np.int64)
    rest, test = _take_out(everything, labels, test_images, seed)
    training, validation = _take_out(rest, labels[rest], validation_images, seed)
    return np.sort(training), np.sort(validation), np.sort(test)


def _take_out(places: Places, labels: Places, count: int, seed: int) -> tuple[Places, Places]:
    """Draw some of the places; returns those that stay and those that are drawn, both in a random order."""
    _, classes, members = np.unique(labels, return_inverse=True, return_counts=True)
    left = len(places) - count
    if min(count, left) < len(members):
        raise ValueError(
            f"{len(places)} images of {len(members)} classes cannot be split into {left} and {count}: "
            "every split needs at least one image of each class."
        )
    if (members < 2).any():
        raise ValueError("A class has only one image, so it cannot be in two splits.")
    random = np.random.RandomState(seed)
    staying = _shares(members, left, random)
    drawn = _shares(members - staying, count, random)
    kept: list[Places] = []
    taken: list[Places] = []
    for number, stay in enumerate(staying):
        shuffled = np.flatnonzero(classes == number)[random.permutation(members[number])]
        kept.append(shuffled[:stay])
        taken.append(shuffled[stay : stay + drawn[number]])
    return places[random.permutation(np.concatenate(kept))], places[random.permutation(np.concatenate(taken))]


def _shares(members: Places, count: int, random: np.random.RandomState) -> Places:
    """How many images of each class are among ``count``: in proportion, the largest remainders rounded up first."""
    exact = members / members.sum() * count
    whole = np.floor(exact)
    remainders = exact - whole
    shares: Places = whole.astype(np.int64)
    missing = count - int(shares.sum())
    for remainder in np.unique(remainders)[::-1]:
        if missing == 0:
            break
        equal = np.flatnonzero(remainders == remainder)
        rounded_up = random.choice(equal, min(len(equal), missing), replace=False)
        shares[rounded_up] += 1
        missing -= len(rounded_up)
    return shares
