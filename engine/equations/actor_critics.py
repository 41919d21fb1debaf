"""The lines of rules whose policy climbs learned action values."""

from __future__ import annotations

from collections.abc import Callable

from engine.catalogue.methods.spec import require_same_kinds
from engine.catalogue.methods.specs import ACTOR_CRITIC_SPECS
from engine.catalogue.spaces import EnvironmentInfo
from engine.config import ActorCriticConfig
from engine.config.actor_critic import SAC, TD3, QActorCritic
from engine.equations.action_values import target_line
from engine.equations.symbols import Symbol
from engine.equations.terms import Line, Term

_MEAN = r"\mathrm{mean}_{t \sim D} \,"
_LATER = "s_{t+1}"
_NEXT = rf"\mu_{{\theta^-}}({_LATER})"  # the next action of the target policy


def actor_critic_lines(config: ActorCriticConfig, environment: EnvironmentInfo) -> tuple[Line, ...]:
    """The target, the fit of the action values, what the policy climbs, and how target networks follow."""
    return _LINES[config.update.kind](config, environment)


def _fit(two: bool) -> Line:
    index = "_i" if two else ""
    return (
        Term(rf"\phi{index} \; \mathrm{{descends}} \; "),
        Term(rf"{_MEAN}"),
        Term(rf"\frac{{1}}{{2}} (y_t - Q_{{\phi{index}}}(s_t, a_t))^2", "update"),
    )


def _climbs(what: str, delay: int = 1) -> Line:
    """``delay`` is how many steps the values take for each of the policy."""
    every = (Term(rf"\; (\mathrm{{every}} \; {delay} \; \mathrm{{steps}})", "update"),) if delay > 1 else ()
    return (
        Term(r"\theta \; \mathrm{climbs} \; "),
        Term(_MEAN),
        Term(what, "update"),
        *every,
    )


def _follows(config: ActorCriticConfig, *parameters: str) -> Line:
    """Target networks of these ``parameters``."""
    if config.update.target.rate == 1.0:
        steps = [rf"{name}^- \leftarrow {name}" for name in parameters]
    else:
        steps = [rf"{name}^- \leftarrow (1 - \tau) \, {name}^- + \tau \, {name}" for name in parameters]
    return tuple(Term(step + (r", \;\; " if step is not steps[-1] else ""), "update") for step in steps)


def _sac(config: ActorCriticConfig, environment: EnvironmentInfo) -> tuple[Line, ...]:
    assert isinstance(config.update, SAC)
    if environment.action.kind == "discrete":
        each = r"\sum_{a'} \pi_\theta(a' \mid %s) \, (\min_i Q_{\phi_i%s}(%s, a') - \alpha \log \pi_\theta(a' \mid %s))"
        following = each % (_LATER, "^-", _LATER, _LATER)
        climbed = each % ("s_t", "", "s_t", "s_t")
    else:
        one = r"(\min_i Q_{\phi_i%s}(%s, %s) - \alpha \log \pi_\theta(%s \mid %s)), \; %s \sim \pi_\theta(%s)"
        following = one % ("^-", _LATER, "a'", "a'", _LATER, "a'", _LATER)
        climbed = one % ("", "s_t", "a", "a", "s_t", "a", "s_t")
    lines: tuple[Line, ...] = (target_line(config, following), _fit(True), _climbs(climbed))
    if config.update.automatic_temperature:
        kept = (Term(r"\log \alpha \leftarrow \log \alpha - \eta \, (H(\pi_\theta) - H_1)", "update"),)
        lines = (*lines, kept)
    return (*lines, _follows(config, r"\phi"))


def _td3(config: ActorCriticConfig, environment: EnvironmentInfo) -> tuple[Line, ...]:
    update = config.update
    assert isinstance(update, TD3)
    lines: tuple[Line, ...] = (target_line(config, rf"\min_i Q_{{\phi_i^-}}({_LATER}, {_NEXT})"),)
    if update.smoothing_noise > 0.0:
        later = _LATER if config.estimator.n == 1 else _LATER.replace("t+1", f"t+{config.estimator.n}")
        unit = "" if environment.action.bounds == ((-1.0, 1.0),) else r"w \, "
        noise = unit + r"\mathrm{clip}(\tilde{\epsilon}, -b, b)"
        lines = (
            target_line(config, rf"\min_i Q_{{\phi_i^-}}({_LATER}, a')"),
            (
                Term("a' = ", "update"),
                Term(rf"\mathrm{{clip}}(\mu_{{\theta^-}}({later}) + {noise}, \,", "update"),
                Term(r"\, a_{\min}, a_{\max})", "update"),
            ),
        )
    return (
        *lines,
        _fit(True),
        _climbs(r"Q_{\phi_1}(s_t, \mu_\theta(s_t))", update.policy_delay),
        _follows(config, r"\phi", r"\theta"),
    )


def _ddpg(config: ActorCriticConfig, environment: EnvironmentInfo) -> tuple[Line, ...]:
    return (
        target_line(config, rf"Q_{{\phi^-}}({_LATER}, {_NEXT})"),
        _fit(False),
        _climbs(r"Q_\phi(s_t, \mu_\theta(s_t))"),
        _follows(config, r"\phi", r"\theta"),
    )


def _q_actor_critic(config: ActorCriticConfig, environment: EnvironmentInfo) -> tuple[Line, ...]:
    assert isinstance(config.update, QActorCritic)
    bonus = r" + \beta \, H(\pi_\theta(s_t))" if config.update.entropy_coefficient > 0.0 else ""
    following = rf"\sum_{{a'}} \pi_\theta(a' \mid {_LATER}) \, Q_{{\phi^-}}({_LATER}, a')"
    traced = config.update.traces != "off" and config.estimator.n > 1
    return (
        *(_traced(config, following) if traced else (target_line(config, following),)),
        _fit(False),
        _climbs(rf"\sum_{{a'}} \pi_\theta(a' \mid s_t) \, Q_\phi(s_t, a'){bonus}"),
        _follows(config, r"\phi"),
    )


def _traced(config: ActorCriticConfig, following: str) -> tuple[Line, ...]:
    """The target over n steps of other policies, its errors and its traces."""
    assert isinstance(config.update, QActorCritic)
    gamma, discount = ("", "") if config.estimator.gamma == 1.0 else (r"\gamma^l \,", r"\gamma \,")
    kept = r"Q_{\phi^-}(s_t, a_t)"
    ratio = r"\frac{\pi_\theta(a_t \mid s_t)}{\mu(a_t \mid s_t)}"
    trace = {
        "retrace": rf"\min(1, \, {ratio})",
        "tree-backup": r"\pi_\theta(a_t \mid s_t)",
        "importance": ratio,
    }[config.update.traces]
    decay = "" if config.update.trace_lambda == 1.0 else r"\lambda \,"
    product = r"\prod_{j=1}^{l} \kappa_{t+j} \, "
    return (
        (
            Term(rf"y_t = {kept} + ", "update"),
            Term(rf"\sum_{{l=0}}^{{{config.estimator.n - 1}}} {gamma} {product} \delta_{{t+l}}", "credit"),
        ),
        (Term(rf"\delta_t = r_t + {discount}", "credit"), Term(rf"{following} - {kept}", "update")),
        (Term(r"\kappa_t = ", "credit"), Term(rf"{decay} {trace}", "credit")),
    )


_LINES: dict[str, Callable[[ActorCriticConfig, EnvironmentInfo], tuple[Line, ...]]] = {
    "sac": _sac,
    "td3": _td3,
    "ddpg": _ddpg,
    "q-actor-critic": _q_actor_critic,
}
require_same_kinds(_LINES, ACTOR_CRITIC_SPECS)

SYMBOLS = (
    Symbol(
        r"Q_\\?\{?\\phi", "Q<sub>φ</sub>(s,a)", "what the networks take action a in state s to be worth", regex=True
    ),
    Symbol(r"\phi^-", "φ⁻", "the target networks: copies of the parameters that follow them slowly"),
    Symbol(r"\phi", "φ", "the parameters of the action values"),
    Symbol(r"\alpha \log", "α", "the temperature: what a nat of entropy is worth"),
    Symbol("H_1", "H<sub>1</sub>", "the entropy to be kept"),
    Symbol(r"H(\pi_\theta", "H(π)", "the entropy of the policy: how undecided it is"),
    Symbol(r"\min_i", "i", "counts the networks of action values, of which the smaller counts"),
    Symbol(r"a' \sim", "a'", "an action that is drawn in the next state"),
    Symbol("a' = ", "a'", "the next action, with noise that smooths the target, within the bounds"),
    Symbol(r"\mu_{\theta^-}", "μ<sub>θ⁻</sub>(s)", "the target policy: a copy that follows the policy slowly"),
    Symbol(
        r"\tilde{\epsilon}",
        "ε̃, clip",
        "noise that smooths the target; clip cuts it off at ±b, the action at its bounds",
    ),
    Symbol(r"\mathrm{descends}", "descends, climbs", "takes a step down, or up, the gradient of what follows"),
    Symbol(r"\beta \, H(\pi_\theta", "β", "the weight of the entropy"),
    Symbol(r"\eta", "η", "the step size"),
    Symbol(r"\delta_t", "δ<sub>t</sub>", "the error of one step: reward and next value, less the value as it is"),
    Symbol(
        r"\kappa_t", "κ<sub>t</sub>, l, j", "the trace: how much of later errors counts through step t, l steps ahead"
    ),
    Symbol(r"\lambda \, ", "λ", "a further factor of every trace"),
    Symbol(r"\mu(a_t", "μ(a|s)", "the probability of the action under the policy that took it"),
)
