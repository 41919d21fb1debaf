"""The script's policy and value function."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from engine.config.policies import Activation, Initialization
from engine.runs.exports.script.plan import Plan
from engine.runs.exports.script.text import lines, section

_MODULES: dict[Activation, str] = {
    "tanh": "nn.Tanh()",
    "relu": "nn.ReLU()",
    "elu": "nn.ELU()",
    "silu": "nn.SiLU()",
    "gelu": "nn.GELU()",
}
# Of a hidden layer, for the functions below.
_HIDDEN_GAIN: dict[Initialization, str] = {
    "orthogonal": "math.sqrt(2)",
    "xavier": "1.0",
    "kaiming": "math.sqrt(2)",
    "default": "1.0",
}

_ORTHOGONAL = '''
def linear(inputs: int, outputs: int, gain: float, generator: torch.Generator) -> nn.Linear:
    """A layer W x + b. At first W is orthogonal, times the gain, and b is 0."""
    layer = nn.Linear(inputs, outputs)
    nn.init.orthogonal_(layer.weight, gain, generator=generator)
    nn.init.zeros_(layer.bias)
    return layer
'''

_INITIALIZED: dict[Initialization, str] = {
    "orthogonal": "",
    "xavier": '''
def xavier(inputs: int, outputs: int, gain: float, generator: torch.Generator) -> nn.Linear:
    """A layer W x + b. At first W is uniform with the variance 2/(inputs + outputs) × gain², and b is 0."""
    layer = nn.Linear(inputs, outputs)
    nn.init.xavier_uniform_(layer.weight, gain, generator=generator)
    nn.init.zeros_(layer.bias)
    return layer
''',
    "kaiming": '''
def kaiming(inputs: int, outputs: int, gain: float, generator: torch.Generator) -> nn.Linear:
    """A layer W x + b. At first W is uniform with the variance gain²/inputs, and b is 0."""
    layer = nn.Linear(inputs, outputs)
    bound = gain * math.sqrt(3 / inputs)
    nn.init.uniform_(layer.weight, -bound, bound, generator=generator)
    nn.init.zeros_(layer.bias)
    return layer
''',
    "default": '''
def default(inputs: int, outputs: int, gain: float, generator: torch.Generator) -> nn.Linear:
    """A layer W x + b. At first both are uniform between ± gain/√inputs, as torch does it."""
    layer = nn.Linear(inputs, outputs)
    bound = gain / math.sqrt(inputs)
    nn.init.uniform_(layer.weight, -bound, bound, generator=generator)
    nn.init.uniform_(layer.bias, -bound, bound, generator=generator)
    return layer
''',
}

_NORMALIZER = '''
class Normalizer(nn.Module):
    """(o − μ)/σ, component by component, cut off at ±10; μ and σ are those of all observations so far.

    They change between iterations only, so that the policy that acted is the policy that is learned from.
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        self.mean, self.variance = torch.zeros(size, dtype=torch.float64), torch.ones(size, dtype=torch.float64)
        self.count = 0

    def forward(self, observations: Tensor) -> Tensor:
        scaled = (observations - self.mean.float()) * torch.rsqrt(self.variance.float() + 1e-8)
        return scaled.clamp(-10.0, 10.0)

    def update(self, observations: Tensor) -> None:
        """Merge the moments of these observations into those of all before."""
        seen = observations.double()
        share = len(seen) / (self.count + len(seen))
        apart = seen.mean(0) - self.mean
        self.variance = (1 - share) * self.variance + share * seen.var(0, correction=0)
        self.variance += apart.square() * share * (1 - share)
        self.mean = self.mean + apart * share
        self.count += len(seen)
'''


def networks(plan: Plan) -> str:
    """All that is learned."""
    return section(
        "networks",
        _ORTHOGONAL if _has_layers(plan) else None,
        _INITIALIZED[_initialization(plan)],
        _NORMALIZER if plan.normalizes else None,
        _policy(plan),
        _value(plan) if plan.value is not None else None,
    )


def _has_layers(plan: Plan) -> bool:
    """Whether some layer has orthogonal weights."""
    return (
        plan.value is not None or plan.shared is not None or not (plan.tabular or _initialization(plan) != "orthogonal")
    )


def _initialization(plan: Plan) -> Initialization:
    policy = plan.config.policy
    return policy.initialization if policy.kind == "mlp" else "orthogonal"


def _policy(plan: Plan) -> str:
    takes = "generator: torch.Generator" + (", normalizer: Normalizer" if plan.normalizes else "")
    return lines(
        "class Policy(nn.Module):",
        f'    """{_meaning(plan)}"""',
        "",
        f"    def __init__(self, {takes}) -> None:",
        "        super().__init__()",
        plan.normalizes and "        self.normalizer = normalizer",
        *_layers(plan),
        *_forward(plan),
        *_sample(plan),
    )


def _meaning(plan: Plan) -> str:
    if plan.tabular:
        return "π(a|s), a softmax over the logits in the state's row of a table."
    network = "a network's outputs" if plan.config.policy.kind == "mlp" else "linear functions of the observation"
    if not plan.continuous:
        return f"π(a|s), a softmax over {network}."
    spread = "as wide as the network says" if plan.per_state else "equally wide in all states"
    return f"π(a|s), a normal around {network}, {spread}."


def _outputs(plan: Plan) -> int:
    return plan.environment.action.size * (2 if plan.per_state else 1)


def _layers(plan: Plan) -> Iterator[str]:
    config, seen = plan.config.policy, plan.environment.observation.size
    outputs = _outputs(plan)
    if config.kind == "tabular":
        yield f"        self.logits = nn.Parameter(torch.zeros({seen}, {outputs}))"
        yield from _value_head(plan, seen)
        return
    if config.kind == "mlp":
        yield "        self.body = nn.Sequential("
        yield from _hidden((seen, *config.hidden_sizes), config.activation, config.initialization)
        yield "        )"
        layer = "linear" if config.initialization == "orthogonal" else config.initialization
        size = config.hidden_sizes[-1]
        yield f"        self.head = {layer}({size}, {outputs}, 0.01, generator)  # nearly undecided at first"
    else:
        size = seen
        yield f"        self.head = linear({size}, {outputs}, 0.0, generator)  # undecided at first"
    yield from _value_head(plan, size)
    if plan.continuous and not plan.per_state:
        yield f"        self.log_std = nn.Parameter(torch.full(({plan.environment.action.size},), INITIAL_LOG_STD))"


def _value_head(plan: Plan, size: int) -> Iterator[str]:
    if plan.shared is not None:
        yield f"        self.value_head = linear({size}, 1, 1.0, generator)"


def _hidden(sizes: tuple[int, ...], activation: Activation, initialization: Initialization) -> Iterator[str]:
    layer = "linear" if initialization == "orthogonal" else initialization
    for inputs, outputs in pairwise(sizes):
        yield f"            {layer}({inputs}, {outputs}, {_HIDDEN_GAIN[initialization]}, generator),"
        yield f"            {_MODULES[activation]},"


def _seen(plan: Plan) -> Iterator[str]:
    """What stands between an observation and a network."""
    if plan.states:
        size = plan.environment.observation.size
        yield f"        observations = nn.functional.one_hot(observations, {size}).float()"
    if plan.normalizes:
        yield "        observations = self.normalizer(observations)"


def _forward(plan: Plan) -> Iterator[str]:
    features = "self.body(observations)" if plan.config.policy.kind == "mlp" else "observations"
    kind = "Independent" if plan.continuous else "Categorical"
    if plan.shared is not None and not plan.tabular:
        yield lines(
            "",
            "    def features(self, observations: Tensor) -> Tensor:",
            '        """What both heads look at."""',
            *_seen(plan),
            f"        return {features}",
        )
        features = "self.features(observations)"
    yield lines("", f"    def forward(self, observations: Tensor) -> {kind}:", '        """π(·|s)."""')
    if plan.shared is None and not plan.tabular:
        yield from _seen(plan)
    yield from _distribution(plan, "self.logits[observations]" if plan.tabular else f"self.head({features})")
    if plan.shared is not None:
        yield lines(
            "",
            "    def value(self, observations: Tensor) -> Tensor:",
            '        """V(s), from a second head."""',
            f"        return self.value_head({features}).squeeze(-1)",
        )


def _distribution(plan: Plan, outputs: str) -> Iterator[str]:
    tempered = plan.config.exploration.temperature != 1.0
    if not plan.continuous:
        yield f"        return Categorical(logits={outputs}{' / TEMPERATURE' if tempered else ''})"
        return
    if plan.per_state:
        yield f"        mean, log_std = {outputs}.chunk(2, -1)"
        yield "        log_std = INITIAL_LOG_STD + log_std"
    else:
        yield f"        mean, log_std = {outputs}, self.log_std"
    yield "        log_std = log_std.detach().clamp(-10, 4) + log_std - log_std.detach()  # gradients pass the limits"
    if tempered:
        yield "        log_std = log_std + 0.5 * math.log(TEMPERATURE)"
    scaled = ("MIDDLE + HALF_WIDTH * mean", "HALF_WIDTH * std") if plan.scaled else ("mean", "std")
    yield "        std = log_std.exp().expand_as(mean)"
    yield f"        return Independent(Normal({', '.join(scaled)}), 1)"


def _sample(plan: Plan) -> Iterator[str]:
    yield lines(
        "",
        "    @torch.no_grad()",
        "    def sample(self, observations: Tensor, generator: torch.Generator) -> Tensor:",
        '        """An action for each observation."""',
        "        distribution = self(observations)",
    )
    if plan.continuous:
        yield "        noise = torch.empty_like(distribution.mean).normal_(generator=generator)"
        yield "        return distribution.mean + distribution.stddev * noise"
        return
    yield "        # The largest of logits + Gumbel noise, −log E with E ~ Exp(1), is distributed as their softmax."
    yield "        exponential = torch.empty_like(distribution.logits).exponential_(generator=generator)"
    yield "        return (distribution.logits - exponential.log()).argmax(-1)"


def _value(plan: Plan) -> str:
    value = plan.value
    assert value is not None
    sizes = (plan.environment.observation.size, *value.hidden_sizes)
    takes = "generator: torch.Generator" + (", normalizer: Normalizer" if plan.normalizes else "")
    return lines(
        "class Value(nn.Module):",
        '    """V(s), the return that is expected from a state on."""',
        "",
        f"    def __init__(self, {takes}) -> None:",
        "        super().__init__()",
        plan.normalizes and "        self.normalizer = normalizer",
        "        self.network = nn.Sequential(",
        *_hidden(sizes, "tanh", "orthogonal"),
        f"            linear({sizes[-1]}, 1, 1.0, generator),",
        "        )",
        "",
        "    def forward(self, observations: Tensor) -> Tensor:",
        *_seen(plan),
        "        return self.network(observations).squeeze(-1)",
    )
