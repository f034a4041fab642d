"""Images, tasks and records, as the tests of training use them."""

from tests.bot.runner.conftest import running
from tests.training.conftest import (
    configuration,
    few_task,
    image_folder,
    prepared,
    small_imagenette,
    wait_until,
)

__all__ = ["configuration", "few_task", "image_folder", "prepared", "running", "small_imagenette", "wait_until"]
