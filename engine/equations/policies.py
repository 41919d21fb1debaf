"""The lines that say how the policy turns what it sees into a distribution over actions."""

from __future__ import annotations

from collections.abc import Callable

from engine.catalogue.methods.distribution import distribution_in, policy_of
from engine.catalogue.methods.distributions import DISTRIBUTION_SPECS
from engine.catalogue.methods.policies import POLICY_SPECS
from engine.catalogue.methods.spec import require_same_kinds
from engine.catalogue.spaces import EnvironmentInfo
from engine.config import ActorCriticConfig, PolicyGradientConfig, RunConfig
from engine.config.policies import LinearPolicy, PolicyConfig
from engine.equations.symbols import Symbol
from engine.equations.terms import Line, Term

SYMBOLS = (
    Symbol(
        r"\pi_{\theta}", "π<sub>θ</sub>(a|s)", "the probability of action a in state s, under the policy's parameters θ"
    ),
    Symbol(r"\theta_{s", "θ<sub>s,a</sub>", "the table's entry for action a in state s"),
    Symbol(r"\theta_s", "θ<sub>s</sub>", "the table's entries for state s"),
    Symbol(r"\mathrm{MLP}", "MLP<sub>θ</sub>(s)", "the policy network's output for state s"),
    Symbol(r"\mathrm{CNN}", "CNN<sub>θ</sub>(s)", "the convolutional network's output for image s"),
    Symbol(
        r"\mathrm{GRU}", "GRU<sub>θ</sub>, h<sub>t</sub>", "the recurrent layer, and what it remembers up to step t"
    ),
    Symbol("h_{i,t}", "h<sub>i,t</sub>", "what is remembered of episode i up to step t"),
    Symbol("W ", "W, b", "weights and biases among the parameters θ"),
    Symbol(r"\mathbf{x}(s)", "<b>x</b>(s)", "the features made of state s"),
    Symbol("_{a'}", "a'", "every action there is, one after the other"),
    Symbol(
        r"\\prod_\{?j|\\partial u_j",
        "j",
        "counts the parts of an action, which are chosen independently",
        regex=True,
    ),
    Symbol("a_j", "a<sub>j</sub>", "part j of the action"),
    Symbol("p_j^{a_j}", "p<sub>j</sub>", "the probability that switch j is on"),
    Symbol(r"\mathrm{sigmoid}", "sigmoid", "turns any number z into a probability, 1/(1 + e<sup>−z</sup>)"),
    Symbol(r"\mathcal{N}", "𝒩", "the normal (Gaussian) density with its mean and variance"),
    Symbol(r"\mathrm{diag}", "diag", "the variances of the components, which are independent"),
    Symbol(r"; (c \+ w \\, )?\\mu_\{\\theta\}", "μ<sub>θ</sub>", "the Gaussian's mean", regex=True),
    Symbol(
        r"\\sigma(?! \\, \\epsilon)",
        "σ",
        "the Gaussian's standard deviation, one for each component of the action",
        regex=True,
    ),
    Symbol(r"\\mu_\{\\theta\}\(\w+\) = ", "μ<sub>θ</sub>(s)", "the action of the policy in state s", regex=True),
    Symbol(r"\sigma \, \epsilon", "σ ε", "the noise that it explores with: normal, with the standard deviation σ"),
    Symbol(r"\tanh u", "u, tanh", "the Gaussian's number, which tanh squashes into the bounds"),
    Symbol(r"\partial", "∂a/∂u", "how much the squashing stretches there, which changes the density"),
    Symbol(
        "c + w", "c, w", "the middle of the action's bounds and half their distance, in which mean and spread count"
    ),
    Symbol(r"a_{\min}", "a<sub>min</sub>, a<sub>max</sub>", "the bounds of the action"),
    Symbol(r"\mathrm{Beta}", "Beta(x; p, q)", "the beta density on 0 … 1 with its two shapes p and q"),
    Symbol("x = ", "x", "the action as a fraction of the way from its lower to its upper bound"),
    Symbol(r"\mathrm{softplus}", "softplus", "turns any number z into a positive one, log(1 + e<sup>z</sup>)"),
    Symbol(
        r"/ \\tau|\\tau \\, \\sigma",
        "τ",
        "the temperature: above 1 the policy is less decided, below 1 more",
        regex=True,
    ),
    Symbol(
        r"\varrho",
        "ϱ, ε<sub>t</sub>, ξ<sub>t</sub>",
        "how much of the noise lasts, the noise, and the fresh part of it",
    ),
    Symbol(r"\mu(a \mid", "μ(a|s)", "the probabilities with which actions are really taken"),
    Symbol(r"\kappa \,", "κ", "the share of actions taken greedily; it goes from κ₀ to κ₁ over the run"),
    Symbol(r"\mathbf{1}", "<b>1</b>[ ]", "1 where that is so, else 0; arg max is the most likely action"),
)


def policy_lines(config: RunConfig, environment: EnvironmentInfo) -> tuple[Line, ...]:
    """The policy, what it is made of where that needs a line of its own, and how greedy actions are mixed in."""
    shape = _Shape(config, environment)
    lines = _DISTRIBUTIONS[distribution_in(config, environment)](shape)
    memory = (_line(r"h_t = \mathrm{GRU}_{\,\theta}(h_{t-1},", r"\, s_t)"),) if config.policy.kind == "gru" else ()
    return (*memory, *lines, *_greedy(config, shape), *_persistent(config, environment))


def _line(*pieces: str) -> Line:
    return tuple(Term(piece, "policy") for piece in pieces)


class _Shape:
    """The pieces that one policy's lines are put together from."""

    def __init__(self, config: RunConfig, environment: EnvironmentInfo) -> None:
        self._policy = policy_of(config, environment)
        self._action = environment.action
        self._tempered = getattr(config.exploration, "temperature", 1.0) != 1.0
        self._lasts = getattr(config.exploration, "persistence", 0.0) > 0.0
        self.state = "h_t" if config.policy.kind == "gru" else "s"
        self.chance = rf"\pi_{{\theta}}(a \mid {self.state})"

    def softmax(self) -> tuple[Line, ...]:
        parts = len(self._action.parts)
        taken, every = ("j, a_j", "j, a'") if parts else ("a", "a'")
        product = rf"\prod_{{j=1}}^{{{parts}}} \," if parts else ""
        fraction = rf"\frac{{\exp {self._logit(taken)}}}{{\sum_{{a'}} \exp {self._logit(every)}}}"
        return (_line(f"{self.chance} = ", product + fraction),)

    def bernoulli(self) -> tuple[Line, ...]:
        product = rf"\prod_{{j=1}}^{{{self._action.size}}} \, p_j^{{a_j}} (1 - p_j)^{{1 - a_j}}"
        logit = _outputs(self._policy, "j") + (r" / \tau" if self._tempered else "")
        return _line(f"{self.chance} = ", product), _line(rf"p_j = \mathrm{{sigmoid}}({logit})")

    def gaussian(self, squashed: bool = False) -> tuple[Line, ...]:
        variable, spread = "u" if squashed else "a", rf"\sigma_{{\theta}}^2({self.state})"
        apart = self._policy.kind != "tabular" and self._policy.spread == "per-state"
        mean = rf"\mu_{{\theta}}({self.state})" if apart else _outputs(self._policy)
        variance = (r"\tau \, " if self._tempered else "") + (spread if apart else r"\sigma^2")
        limits = self._action.bounds or self._action.ranges
        scaled = not squashed and limits not in ((), ((-1.0, 1.0),))
        if scaled:
            plain = apart or self._policy.kind not in ("linear", "gru")
            mean = rf"c + w \, {mean}" if plain else rf"c + w \, ({mean})"
            variance = rf"w^2 \, {variance}"
        if self._action.size > 1:
            variance = rf"\mathrm{{diag}}({variance})"
        normal = (rf"\mathcal{{N}}({variable}; {mean},", rf"\, {variance})")
        outputs = (
            _line(
                rf"\mu_{{\theta}}({self.state}), \; \log \, \sigma_{{\theta}}({self.state}) = ", _outputs(self._policy)
            ),
        )
        if not squashed:
            unit = (_line(r"c = \frac{a_{\min} + a_{\max}}{2}, \;", r"\; w = \frac{a_{\max} - a_{\min}}{2}"),)
            return (_line(f"{self.chance} = ", *normal), *(unit if scaled else ()), *(outputs if apart else ()))
        several = self._action.size > 1
        index, total = ("_j", r"\sum_j ") if several else ("", "")
        stretch = rf"\; - \; {total}\log \left| \frac{{\partial a{index}}}{{\partial u{index}}} \right|"
        bounded = r"a = a_{\min} + (a_{\max} - a_{\min}) \, \frac{1 + \tanh u}{2}"
        return (
            _line(rf"\log \, {self.chance} = ", rf"\log \, {normal[0]}", normal[1], stretch),
            _line(bounded),
            *(outputs if apart else ()),
        )

    def deterministic(self) -> tuple[Line, ...]:
        """The action of each state, and the one that is taken with the noise that it explores with."""
        limits = self._action.bounds or self._action.ranges
        outputs = _outputs(self._policy)
        mean = rf"\tanh({outputs})" if self._policy.kind == "linear" else rf"\tanh {outputs}"
        scaled = limits != ((-1.0, 1.0),)
        unit = (_line(r"c = \frac{a_{\min} + a_{\max}}{2}, \;", r"\; w = \frac{a_{\max} - a_{\min}}{2}"),)
        noise = (r"w \, " if scaled else "") + r"\sigma \, \epsilon" + ("_t" if self._lasts else "")
        return (
            _line(rf"\mu_{{\theta}}({self.state}) = ", rf"c + w \, {mean}" if scaled else mean),
            _line("a = ", rf"\mu_{{\theta}}({self.state}) + ", noise),
            *(unit if scaled else ()),
        )

    def beta(self) -> tuple[Line, ...]:
        several = self._action.size > 1
        index, product = ("_j", r"\prod_j \,") if several else ("", "")
        density = (
            rf"{product} \frac{{\mathrm{{Beta}}(x{index}; \, p{index}, q{index})}}{{(a_{{\max}} - a_{{\min}}){index}}}"
        )
        shape = rf"\mathrm{{softplus}}({_outputs(self._policy)})" + (r" / \tau" if self._tempered else "")
        return (
            _line(f"{self.chance} = ", density),
            _line(r"x = \frac{a - a_{\min}}{a_{\max} - a_{\min}}"),
            _line(r"p, q = ", f"1 + {shape}"),
        )

    def _logit(self, action: str) -> str:
        logit = _outputs(self._policy, action)
        if self._tempered:
            return rf"({logit} / \tau)"
        return rf"({logit})" if self._policy.kind == "tabular" else rf"\, {logit}"


_DISTRIBUTIONS: dict[str, Callable[[_Shape], tuple[Line, ...]]] = {
    "softmax": _Shape.softmax,
    "bernoulli": _Shape.bernoulli,
    "gaussian": _Shape.gaussian,
    "tanh-gaussian": lambda shape: shape.gaussian(squashed=True),
    "beta": _Shape.beta,
    "deterministic": _Shape.deterministic,
}
require_same_kinds(_DISTRIBUTIONS, DISTRIBUTION_SPECS)


def _outputs(policy: PolicyConfig, index: str = "") -> str:
    """What the parameters make of the state: all outputs, or the one at ``index``."""
    return _OUTPUTS[policy.kind](policy, index)


def _in_a_table(policy: PolicyConfig, index: str) -> str:
    return rf"\theta_{{s, {index}}}" if index else r"\theta_s"


def _of_features(policy: PolicyConfig, index: str) -> str:
    assert isinstance(policy, LinearPolicy)
    return _weighted("s" if policy.features == "raw" else r"\mathbf{x}(s)", index)


def _of_a_memory(policy: PolicyConfig, index: str) -> str:
    return _weighted("h_t", index)


def _of_a_network(policy: PolicyConfig, index: str) -> str:
    return rf"\mathrm{{{policy.kind.upper()}}}_{{\,\theta}}(s)" + (f"_{{{index}}}" if index else "")


def _weighted(inputs: str, index: str) -> str:
    return f"(W {inputs} + b)_{{{index}}}" if index else f"W {inputs} + b"


_OUTPUTS: dict[str, Callable[[PolicyConfig, str], str]] = {
    "tabular": _in_a_table,
    "linear": _of_features,
    "mlp": _of_a_network,
    "gru": _of_a_memory,
    "cnn": _of_a_network,
}
require_same_kinds(_OUTPUTS, POLICY_SPECS)


def _persistent(config: RunConfig, environment: EnvironmentInfo) -> tuple[Line, ...]:
    """The noise of actions where it lasts from step to step."""
    if not isinstance(config, ActorCriticConfig) or environment.action.kind != "box":
        return ()
    if config.exploration.persistence == 0.0:
        return ()
    lasts = _line(r"\epsilon_t = ", r"\varrho \, \epsilon_{t-1} + \sqrt{1 - \varrho^2} \, \xi_t")
    drawn = distribution_in(config, environment) != "deterministic"
    return (*((_line(r"u_t = ", r"\mu_{\theta}(s_t) + \sigma_{\theta}(s_t) \, \epsilon_t"),) if drawn else ()), lasts)


def _greedy(config: RunConfig, shape: _Shape) -> tuple[Line, ...]:
    """What acts where some actions are the most likely ones instead of samples."""
    if not isinstance(config, PolicyGradientConfig):
        return ()  # what acts has no part in it
    if max(config.exploration.greedy_start, config.exploration.greedy_end) == 0.0:
        return ()
    return (
        _line(
            rf"\mu(a \mid {shape.state}) = ",
            rf"(1 - \kappa) \, {shape.chance}",
            r"\; + \; \kappa \, \mathbf{1}[a = \mathrm{arg\,max} \, \pi_{\theta}]",
        ),
    )
