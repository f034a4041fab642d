"""A task with few small images, so that a trial takes a moment."""

from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits

NAME = "few-digits"
TASK = """
[[tasks]]
name = "few-digits"
folder = "digits"
images = 400
classes = 10
image_size = 32
validation_images = 50
test_images = 50
"""
"""Its section of the study file."""


def write_digits(folder: Path) -> None:
    """Forty images of each digit, in class folders."""
    images, labels = load_digits(return_X_y=True)
    for label in range(10):
        (folder / str(label)).mkdir(parents=True)
        for number, pixels in enumerate(images[labels == label][:40]):
            image = Image.fromarray((pixels.reshape(8, 8) * 15.9).astype(np.uint8))
            image.save(folder / str(label) / f"{number:02}.png")
