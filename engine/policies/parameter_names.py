"""What a policy's tensors of parameters are called where a person is told of them."""

from __future__ import annotations

from engine.networks.networks import Table
from engine.policies.policy import Policy

_ENDINGS = {"weight": "W", "bias": "b"}


def parameter_names(policy: Policy) -> dict[int, str]:
    """The names by the ``id`` of each parameter: "layer 2 W", "output b", "log σ"; a table's is θ, as it is all."""
    return {id(parameter): _written(name, policy) for name, parameter in policy.named_parameters()}


def _written(name: str, policy: Policy) -> str:
    module, _, ending = name.rpartition(".")
    if not module:
        return "log σ" if ending == "log_std" else ending
    if module == "head" and isinstance(policy.head, Table):
        return "θ"
    return f"{_module(module)} {_ENDINGS.get(ending, ending)}"


def _module(module: str) -> str:
    if module == "head":
        return "output"
    if module == "value_head":
        return "value output"
    inside = module.removeprefix("body.")
    last = inside.rpartition(".")[2]
    return f"layer {int(last) + 1}" if last.isdigit() else inside
