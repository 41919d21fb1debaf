"""The lines of rules whose policy climbs learned action values."""

from __future__ import annotations

from collections.abc import Callable

from engine.catalogue.methods.spec import require_same_kinds
from engine.catalogue.methods.specs import ACTOR_CRITIC_SPECS
from engine.catalogue.spaces import EnvironmentInfo
from engine.config import ActorCriticConfig
from engine.config.actor_critic import SAC, TD3, QActorCritic
from engine.equations.symbols import Symbol
from engine.equations.terms import Line, Term

_MEAN = r"\mathrm{mean}_{t \sim D} \,"


def actor_critic_lines(config: ActorCriticConfig, environment: EnvironmentInfo) -> tuple[Line, ...]:
    """The target, the fit of the action values, what the policy climbs, and how target networks follow."""
    discrete = environment.action.kind == "discrete"
    return (*_LINES[config.update.kind](config, discrete), _follows(config))


def _target(config: ActorCriticConfig, following: str) -> Line:
    n = config.estimator.n
    rewards = r"r_t" if n == 1 else rf"\sum_{{l=0}}^{{{n - 1}}} \gamma^l r_{{t+l}}"
    return (
        Term(rf"y_t = {rewards} + ", "credit"),
        Term(r"\gamma \," if n == 1 else rf"\gamma^{{{n}}} \,", "credit"),
        Term(following, "update"),
    )


def _later(config: ActorCriticConfig) -> str:
    return r"s_{t+1}" if config.estimator.n == 1 else rf"s_{{t+{config.estimator.n}}}"


def _fit(two: bool) -> Line:
    index = "_i" if two else ""
    return (
        Term(rf"\phi{index} \; \mathrm{{descends}} \; "),
        Term(rf"{_MEAN}"),
        Term(rf"\frac{{1}}{{2}} (y_t - Q_{{\phi{index}}}(s_t, a_t))^2", "update"),
    )


def _climbs(what: str) -> Line:
    return (
        Term(r"\theta \; \mathrm{climbs} \; "),
        Term(_MEAN),
        Term(what, "update"),
    )


def _follows(config: ActorCriticConfig) -> Line:
    if config.update.target.rate == 1.0:
        return (Term(r"\phi^- \leftarrow \phi", "update"),)
    return (Term(r"\phi^- \leftarrow (1 - \tau) \, \phi^- + \tau \, \phi", "update"),)


def _sac(config: ActorCriticConfig, discrete: bool) -> tuple[Line, ...]:
    assert isinstance(config.update, SAC)
    later = _later(config)
    if discrete:
        following = rf"\sum_{{a'}} \pi_\theta(a' \mid {later}) \, (\min_i Q_{{\phi_i^-}}({later}, a') "
        climbed = r"\sum_{a'} \pi_\theta(a' \mid s_t) \, (\min_i Q_{\phi_i}(s_t, a') "
        later_log = rf"- \alpha \log \pi_\theta(a' \mid {later}))"
        climbed += r"- \alpha \log \pi_\theta(a' \mid s_t))"
        target = _target(config, following + later_log)
    else:
        draws = rf"a' \sim \pi_\theta({later})"
        target = _target(
            config,
            rf"(\min_i Q_{{\phi_i^-}}({later}, a') - \alpha \log \pi_\theta(a' \mid {later})), \; {draws}",
        )
        climbed = r"(\min_i Q_{\phi_i}(s_t, a) - \alpha \log \pi_\theta(a \mid s_t)), \; a \sim \pi_\theta(s_t)"
    lines = (target, _fit(True), _climbs(climbed))
    if not config.update.automatic_temperature:
        return lines
    return (*lines, (Term(r"\log \alpha \leftarrow \log \alpha - \eta \, (H(\pi_\theta) - H_1)", "update"),))


def _td3(config: ActorCriticConfig, discrete: bool) -> tuple[Line, ...]:
    assert isinstance(config.update, TD3)
    later = _later(config)
    noisy = config.update.smoothing_noise > 0.0
    action = rf"\mu_{{\theta^-}}({later})"
    if noisy:
        action += r" + \mathrm{clip}(\tilde{\epsilon}, -c, c)"
    return (
        _target(config, rf"\min_i Q_{{\phi_i^-}}({later}, {action})"),
        _fit(True),
        _climbs(r"Q_{\phi_1}(s_t, \mu_\theta(s_t))"),
    )


def _ddpg(config: ActorCriticConfig, discrete: bool) -> tuple[Line, ...]:
    later = _later(config)
    return (
        _target(config, rf"Q_{{\phi^-}}({later}, \mu_{{\theta^-}}({later}))"),
        _fit(False),
        _climbs(r"Q_\phi(s_t, \mu_\theta(s_t))"),
    )


def _q_actor_critic(config: ActorCriticConfig, discrete: bool) -> tuple[Line, ...]:
    assert isinstance(config.update, QActorCritic)
    later = _later(config)
    bonus = r" + \beta \, H(\pi_\theta(s_t))" if config.update.entropy_coefficient > 0.0 else ""
    return (
        _target(config, rf"\sum_{{a'}} \pi_\theta(a' \mid {later}) \, Q_{{\phi^-}}({later}, a')"),
        _fit(False),
        _climbs(rf"\sum_{{a'}} \pi_\theta(a' \mid s_t) \, Q_\phi(s_t, a'){bonus}"),
    )


_LINES: dict[str, Callable[[ActorCriticConfig, bool], tuple[Line, ...]]] = {
    "sac": _sac,
    "td3": _td3,
    "ddpg": _ddpg,
    "q-actor-critic": _q_actor_critic,
}
require_same_kinds(_LINES, ACTOR_CRITIC_SPECS)

SYMBOLS = (
    Symbol(r"\phi^-", "φ⁻", "the target networks: copies of the parameters that follow them slowly"),
    Symbol(r"\phi", "φ", "the parameters of the action values"),
    Symbol(r"\log \alpha", "α", "the temperature: what a nat of entropy is worth"),
    Symbol("H_1", "H<sub>1</sub>", "the entropy to be kept"),
    Symbol(r"H(\pi", "H(π)", "the entropy of the policy: how undecided it is"),
    Symbol(r"\min_i", "i", "counts the networks of action values, of which the smaller counts"),
    Symbol(r"\mu_{\theta^-}", "μ<sub>θ⁻</sub>", "the target policy: a copy that follows the policy slowly"),
    Symbol(r"\tilde{\epsilon}", "ε̃, c", "noise that smooths the target, cut off at ±c"),
    Symbol(r"\beta", "β", "the weight of the entropy"),
    Symbol(r"\eta", "η", "the step size"),
)
