"""The lines that say how action values are learned, and what policy follows from them."""

from __future__ import annotations

from collections.abc import Callable

from engine.catalogue.methods.spec import require_same_kinds
from engine.catalogue.methods.specs import VALUE_SPECS
from engine.config import ActorCriticConfig, ValueBasedConfig
from engine.config.replay import TargetNetwork
from engine.config.value_based import DECAY, DQN, SARSA, QLearning
from engine.equations.symbols import Symbol
from engine.equations.terms import Line, Term

_GREEDY = r"\mathrm{arg\,max}_{a'}"


def value_lines(config: ValueBasedConfig) -> tuple[Line, ...]:
    """The policy that acts, the target, and the step towards it."""
    return (_policy(config), *_VALUES[config.update.kind](config))


def _policy(config: ValueBasedConfig) -> Line:
    two = isinstance(config.update, QLearning) and config.update.double
    q = r"Q_\theta" if isinstance(config.update, DQN) else "Q"
    best = rf"{q}(s, a') + Q_2(s, a')" if two else rf"{q}(s, a')"
    exploration = config.exploration
    if max(exploration.epsilon_start, exploration.epsilon_end) == 0.0:
        return (Term(r"\pi(a \mid s) = ", "policy"), Term(rf"\mathbf{{1}}[a = {_GREEDY} \, {best}]", "policy"))
    return (
        Term(r"\pi(a \mid s) = ", "policy"),
        Term(rf"(1 - \epsilon) \, \mathbf{{1}}[a = {_GREEDY} \, {best}]", "policy"),
        Term(r"\; + \; \epsilon / |A|", "policy"),
    )


def target_line(config: ValueBasedConfig | ActorCriticConfig, following: str) -> Line:
    """The rewards of n steps and, discounted, the value of where they lead; in it, t+1 stands for the time then."""
    n = config.estimator.n
    rewards, weights, weight = "r_t", r"\gamma^l \,", r"\gamma \,"
    if n > 1:
        weight = rf"\gamma^{{{n}}} \,"
        following = following.replace("t+1", f"t+{n}")
    if config.estimator.gamma == 1.0:
        weights = weight = ""
    if n > 1:
        rewards = rf"\sum_{{l=0}}^{{{n - 1}}} {weights} r_{{t+l}}"
    return (Term(rf"y_t = {rewards} + {weight}", "credit"), Term(following, "update"))


def _step(config: ValueBasedConfig) -> Line:
    assert isinstance(config.update, QLearning | SARSA)
    share = {
        "constant": r"\alpha",
        "1/n": r"\frac{1}{N(s_t, a_t)}",
        "1/n^0.7": rf"\frac{{1}}{{N(s_t, a_t)^{{{DECAY}}}}}",
    }[config.update.step_size]
    return (
        Term(r"Q(s_t, a_t) \leftarrow Q(s_t, a_t) + "),
        Term(rf"{share} \,", "update"),
        Term(r"(y_t - Q(s_t, a_t))"),
    )


def _q_learning(config: ValueBasedConfig) -> tuple[Line, ...]:
    assert isinstance(config.update, QLearning)
    if config.update.double:
        return (target_line(config, rf"Q_2(s_{{t+1}}, {_GREEDY} \, Q(s_{{t+1}}, a'))"), _step(config))
    return (target_line(config, r"\max_{a'} Q(s_{t+1}, a')"), _step(config))


def _sarsa(config: ValueBasedConfig) -> tuple[Line, ...]:
    assert isinstance(config.update, SARSA)
    if config.update.expected:
        return (target_line(config, r"\sum_{a'} \pi(a' \mid s_{t+1}) \, Q(s_{t+1}, a')"), _step(config))
    return (target_line(config, r"Q(s_{t+1}, a_{t+1})"), _step(config))


def _dqn(config: ValueBasedConfig) -> tuple[Line, ...]:
    update = config.update
    assert isinstance(update, DQN)
    best = (
        rf"Q_{{\theta^-}}(s_{{t+1}}, {_GREEDY} \, Q_\theta(s_{{t+1}}, a'))"
        if update.double
        else r"\max_{a'} Q_{\theta^-}(s_{t+1}, a')"
    )
    error = r"y_t - Q_\theta(s_t, a_t)"
    mean = r"\mathrm{mean}_{t \sim D} \," + (r" w_t \," if update.replay.sampling == "prioritized" else "")
    loss = rf"\mathrm{{huber}}({error})" if update.loss == "huber" else rf"\frac{{1}}{{2}} ({error})^2"
    step = (
        Term(r"\theta \leftarrow \theta - "),
        Term(r"\alpha \,", "update"),
        Term(rf"\nabla_\theta \, {mean}"),
        Term(loss, "update"),
    )
    lines = (target_line(config, best), step, _followed(update.target))
    return ((Term(_DUELING, "policy"),), *lines) if update.dueling else lines


_DUELING = r"Q_\theta(s, a) = V_\theta(s) + A_\theta(s, a) - \mathrm{mean}_{a'} \, A_\theta(s, a')"


def _followed(target: TargetNetwork) -> Line:
    """What a renewal makes of the target network, and at how many gradient steps there is one."""
    follows = r"\theta" if target.rate == 1.0 else r"(1 - \tau) \, \theta^- + \tau \, \theta"
    pace = rf"\; \; \mathrm{{every}} \; {target.every} \; \mathrm{{steps}}" if target.every > 1 else ""
    return (Term(rf"\theta^- \leftarrow {follows}{pace}", "update"),)


_VALUES: dict[str, Callable[[ValueBasedConfig], tuple[Line, ...]]] = {
    "q-learning": _q_learning,
    "sarsa": _sarsa,
    "dqn": _dqn,
}
require_same_kinds(_VALUES, VALUE_SPECS)

SYMBOLS = (
    Symbol(r"\pi(a", "π(a|s)", "the probability of action a in state s"),
    Symbol(r"1 - \epsilon", "ε", "the share of random actions"),
    Symbol("|A|", "|A|", "how many actions there are"),
    Symbol("Q_2", "Q<sub>2</sub>", "a second table; at every step the two change places by chance"),
    Symbol(r"\theta^-", "θ⁻", "the target network: a copy of the parameters that follows them slowly"),
    Symbol(r"1 - \tau", "τ", "how far the target network follows at a time"),
    Symbol("{t \\sim D}", "mean<sub>t ∼ D</sub>", "the mean over steps drawn from the replay buffer"),
    Symbol(r"\mathrm{huber}", "huber(e)", "½ e² up to an error of 1, and from there on a straight line"),
    Symbol("w_t", "w<sub>t</sub>", "undoes in part that a step is drawn more often than others"),
    Symbol(r"V_\theta(s)", "V<sub>θ</sub>(s)", "what the network expects to follow state s, over all actions"),
    Symbol(r"A_\theta(s, a)", "A<sub>θ</sub>(s,a)", "by how much it thinks action a better than others in state s"),
    Symbol("y_t", "y<sub>t</sub>", "the target: what the value is drawn towards; rewards alone where the episode ends"),
    Symbol("r_t", "r<sub>t</sub>", "the reward of step t, of the steps s<sub>t</sub>, a<sub>t</sub> that are taken"),
    Symbol("r_{t+l}", "r<sub>t+l</sub>", "the reward l steps after step t"),
    Symbol("N(s", "N(s,a)", "how often action a has been learned from in state s"),
    Symbol("Q(s_t", "Q(s,a)", "what is expected to follow action a in state s, as discounted return"),
    Symbol(
        r"Q_\theta(",
        "Q<sub>θ</sub>(s,a)",
        "what the network expects to follow action a in state s, as discounted return",
    ),
)
