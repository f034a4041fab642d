"""Workers, tasks and records, as the tests of training use them."""

from tests.training.conftest import configuration, few_task, hanging_task, prepared, running, wait_until

__all__ = ["configuration", "few_task", "hanging_task", "prepared", "running", "wait_until"]
