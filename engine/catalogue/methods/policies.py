"""Policy parameterizations."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from engine.catalogue.methods.spec import Entry, PolicySpec, by_kind
from engine.catalogue.network_sizes import cnn_parameters, feature_count, gru_parameters
from engine.catalogue.spaces import EnvironmentInfo
from engine.config.policies import CNNPolicy, GRUPolicy, LinearPolicy, MLPPolicy, PolicyConfig
from engine.runtime.errors import Refusal, RefusedError


def _fits_everywhere(policy: PolicyConfig, environment: EnvironmentInfo) -> Iterator[Refusal]:
    yield from ()


def _table_fits(policy: PolicyConfig, environment: EnvironmentInfo) -> Iterator[Refusal]:
    seen = environment.observation
    if seen.kind != "discrete":
        what = f"a {seen}" if seen.image else f"{seen.size} continuous numbers"
        use = "a CNN" if seen.image else "a linear or MLP policy"
        yield Refusal(f"A tabular policy needs discrete states, but {environment.id} observes {what}", f"use {use}")


def _linear_fits(policy: PolicyConfig, environment: EnvironmentInfo) -> Iterator[Refusal]:
    assert isinstance(policy, LinearPolicy)
    seen = environment.observation
    if policy.features != "raw" and seen.kind != "box":
        name = {"polynomial": "Polynomial", "fourier": "Fourier", "rbf": "RBF"}[policy.features]
        states = f"{seen.size} discrete {'state' if seen.size == 1 else 'states'}"
        yield Refusal(
            f"{name} features are made of continuous numbers, but {environment.id} has {states}",
            "use raw features, which give each state a weight of its own",
        )
        return
    try:
        feature_count(policy.features, seen.size, policy.feature_order)
    except RefusedError as error:
        yield error.refusal


def _cnn_fits(policy: PolicyConfig, environment: EnvironmentInfo) -> Iterator[Refusal]:
    if not environment.observation.convolvable:
        yield Refusal(f"A CNN looks at images, but {environment.id} observes none", "use a linear or MLP policy")


def _in_a_table(policy: PolicyConfig, environment: EnvironmentInfo, outputs: int) -> int:
    return environment.observation.size * outputs


def _in_a_linear_map(policy: PolicyConfig, environment: EnvironmentInfo, outputs: int) -> int:
    assert isinstance(policy, LinearPolicy)
    return (feature_count(policy.features, environment.observation.size, policy.feature_order) + 1) * outputs


def _in_an_mlp(policy: PolicyConfig, environment: EnvironmentInfo, outputs: int) -> int:
    assert isinstance(policy, MLPPolicy)
    sizes = (environment.observation.size, *policy.hidden_sizes, outputs)
    return sum((fan_in + 1) * fan_out for fan_in, fan_out in pairwise(sizes))


def _in_a_gru(policy: PolicyConfig, environment: EnvironmentInfo, outputs: int) -> int:
    assert isinstance(policy, GRUPolicy)
    body = gru_parameters(environment.observation.size, policy.hidden_size)
    return body + (policy.hidden_size + 1) * outputs


def _in_a_cnn(policy: PolicyConfig, environment: EnvironmentInfo, outputs: int) -> int:
    assert isinstance(policy, CNNPolicy)
    body = cnn_parameters(environment.observation.shape, policy.hidden_size)
    return body + (policy.hidden_size + 1) * outputs


POLICY_SPECS = by_kind(
    (
        PolicySpec(
            entry=Entry(
                "tabular",
                "Tabular softmax",
                "A table with one logit for every state and action; nothing is shared between states.",
                {"policy": "tabular"},
            ),
            as_values=Entry(
                "tabular",
                "Table",
                "A table with one value for every state and action; nothing is shared between states.",
                {"policy": "tabular"},
            ),
            fits=_table_fits,
            spread=False,
            hidden_layers=False,
            remembers=False,
            sees_images=False,
            weights=_in_a_table,
        ),
        PolicySpec(
            entry=Entry(
                "linear",
                "Linear",
                "Weighted sums of features of the observation: the smallest policy that generalises.",
                {"policy": "linear"},
            ),
            as_values=Entry(
                "linear",
                "Linear",
                "Weighted sums of features of the observation: the smallest that generalises.",
                {"policy": "linear"},
            ),
            fits=_linear_fits,
            spread=True,
            hidden_layers=False,
            remembers=False,
            sees_images=False,
            weights=_in_a_linear_map,
        ),
        PolicySpec(
            entry=Entry(
                "mlp",
                "MLP",
                "A small neural network turns the observation into a distribution over actions.",
                {"policy": "mlp"},
            ),
            as_values=Entry(
                "mlp",
                "MLP",
                "A small neural network turns the observation into the value of each action.",
                {"policy": "mlp"},
            ),
            fits=_fits_everywhere,
            spread=True,
            hidden_layers=True,
            remembers=False,
            sees_images=False,
            weights=_in_an_mlp,
        ),
        PolicySpec(
            entry=Entry(
                "gru",
                "GRU, recurrent",
                "A network with a memory: what it saw earlier in the episode counts when one look is not enough.",
                {"policy": "gru"},
            ),
            as_values=None,
            fits=_fits_everywhere,
            spread=True,
            hidden_layers=True,
            remembers=True,
            sees_images=False,
            weights=_in_a_gru,
        ),
        PolicySpec(
            entry=Entry(
                "cnn",
                "CNN, convolutional",
                "A network that looks at images through small windows, the same everywhere.",
                {"policy": "cnn"},
            ),
            as_values=Entry(
                "cnn",
                "CNN, convolutional",
                "A network that looks at images through small windows turns them into the value of each action.",
                {"policy": "cnn"},
            ),
            fits=_cnn_fits,
            spread=True,
            hidden_layers=True,
            remembers=False,
            sees_images=True,
            weights=_in_a_cnn,
        ),
    )
)
