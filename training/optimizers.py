"""The six optimizers, every value of Table 1 passed explicitly: PyTorch's own defaults differ in places.

``fused`` does a whole update in one call and ``foreach`` one operation for all weights at once. On a CPU both give
the same bits run after run. Fused is used where an optimizer has it.
"""

import inspect
from collections.abc import Iterable
from typing import TypeVar, cast

import torch
from torch import optim
from torch.nn import Parameter

from training.hyperparameters import Configuration, Optimizer

_ASGD_AVERAGING_STARTS = 1_000_000
"""PyTorch's default ``t0``: Table 1 has no value for it. The average is never what is measured."""

_ADAGRAD_EPSILON = 1e-10
"""PyTorch's default: Table 1's epsilon belongs to Adam, Adadelta and RMSprop."""


_Kind = TypeVar("_Kind", bound=optim.Optimizer)


def _uncompiled(kind: type[_Kind]) -> type[_Kind]:
    """An optimizer with the same arithmetic that does not import torch's compiler.

    torch wraps some methods so that its compiler leaves them alone. The wrappers import the compiler at their first
    call, which takes two seconds and 150 MB in every worker, though nothing is compiled here. The wrapped method of
    ``step`` expects that gradients are off.
    """
    methods = {name: inspect.unwrap(getattr(kind, name)) for name in ("add_param_group", "zero_grad", "step")}
    methods["step"] = torch.no_grad()(methods["step"])
    return cast("type[_Kind]", type(kind.__name__, (kind,), methods))


_Adam, _Adadelta, _Adagrad = _uncompiled(optim.Adam), _uncompiled(optim.Adadelta), _uncompiled(optim.Adagrad)
_ASGD, _RMSprop, _SGD = _uncompiled(optim.ASGD), _uncompiled(optim.RMSprop), _uncompiled(optim.SGD)


def build_optimizer(
    configuration: Configuration, parameters: Iterable[Parameter], device: torch.device, *, recorded: bool = False
) -> optim.Optimizer:
    """The optimizer of a configuration. No configuration that passed its checks is refused.

    Args:
        configuration: The hyperparameters.
        parameters: What to train.
        device: Where they are.
        recorded: Whether its steps are to be recorded in a CUDA graph: then nothing of its state is on the host.
    """
    values = configuration
    rate, decay = float(values.learning_rate), float(values.weight_decay)
    match values.optimizer:
        case Optimizer.ADAM:
            return _Adam(
                parameters,
                lr=rate,
                betas=(float(values.beta1), float(values.beta2)),
                eps=float(values.epsilon),
                weight_decay=decay,
                fused=True,
                capturable=recorded,
            )
        case Optimizer.ADADELTA:
            return _Adadelta(
                parameters,
                lr=rate,
                rho=float(values.rho),
                eps=float(values.epsilon),
                weight_decay=decay,
                foreach=True,
                capturable=recorded,
            )
        case Optimizer.ADAGRAD:
            on_cpu = device.type == "cpu"  # PyTorch fuses Adagrad on a CPU since 2.4, on CUDA only lately
            return _Adagrad(
                parameters,
                lr=rate,
                lr_decay=float(values.learning_rate_decay),
                weight_decay=decay,
                initial_accumulator_value=float(values.initial_accumulator_value),
                eps=_ADAGRAD_EPSILON,
                fused=True if on_cpu else None,
                foreach=None if on_cpu else True,
            )
        case Optimizer.ASGD:
            return _ASGD(
                parameters,
                lr=rate,
                lambd=float(values.lambd),
                alpha=float(values.alpha),
                t0=_ASGD_AVERAGING_STARTS,
                weight_decay=decay,
                foreach=True,
                capturable=recorded,
            )
        case Optimizer.RMSPROP:
            return _RMSprop(
                parameters,
                lr=rate,
                alpha=float(values.alpha),
                eps=float(values.epsilon),
                weight_decay=decay,
                momentum=float(values.momentum),
                foreach=True,
                capturable=recorded,
            )
        case Optimizer.SGD:
            return _SGD(
                parameters, lr=rate, momentum=float(values.momentum), weight_decay=decay, dampening=0, fused=True
            )
