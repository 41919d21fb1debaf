"""What the symbols of the equation mean, in words."""

from __future__ import annotations

import re
from collections.abc import Iterable

from engine.equations import Line

# What to look for in the LaTeX, the symbol as rich text, and its meaning; in the order in which they are read.
_Entry = tuple[str | re.Pattern[str], str, str]
_POLICY: tuple[_Entry, ...] = (
    (r"\pi_{\theta}", "π<sub>θ</sub>(a|s)", "the probability of action a in state s, under the policy's parameters θ"),
    (r"\theta_{s", "θ<sub>s,a</sub>", "the table's entry for action a in state s"),
    (r"\theta_s", "θ<sub>s</sub>", "the table's entries for state s"),
    (r"\mathrm{MLP}", "MLP<sub>θ</sub>(s)", "the policy network's output for state s"),
    (r"\mathrm{CNN}", "CNN<sub>θ</sub>(s)", "the convolutional network's output for image s"),
    (r"\mathrm{GRU}", "GRU<sub>θ</sub>, h<sub>t</sub>", "the recurrent layer, and what it remembers up to step t"),
    ("h_{i,t}", "h<sub>i,t</sub>", "what is remembered of episode i up to step t"),
    ("W ", "W, b", "weights and biases among the parameters θ"),
    (r"\mathbf{x}(s)", "<b>x</b>(s)", "the features made of state s"),
    ("a'", "a'", "every action there is, one after the other"),
    (re.compile(r"\\prod_\{?j|\\partial u_j"), "j", "counts the parts of an action, which are chosen independently"),
    ("a_j", "a<sub>j</sub>", "part j of the action"),
    ("p_j^{a_j}", "p<sub>j</sub>", "the probability that switch j is on"),
    (r"\mathrm{sigmoid}", "sigmoid", "turns any number z into a probability, 1/(1 + e<sup>−z</sup>)"),
    (r"\mathcal{N}", "𝒩", "the normal (Gaussian) density with its mean and variance"),
    (r"\mathrm{diag}", "diag", "the variances of the components, which are independent"),
    (r"\mu_{\theta}", "μ<sub>θ</sub>", "the Gaussian's mean"),
    (r"\sigma", "σ", "the Gaussian's standard deviation, one for each component of the action"),
    (r"\tanh u", "u, tanh", "the Gaussian's number, which tanh squashes into the bounds"),
    (r"\partial", "∂a/∂u", "how much the squashing stretches there, which changes the density"),
    (r"a_{\min}", "a<sub>min</sub>, a<sub>max</sub>", "the bounds of the action"),
    (r"\mathrm{Beta}", "Beta(x; p, q)", "the beta density on 0 … 1 with its two shapes p and q"),
    ("x = ", "x", "the action as a fraction of the way from its lower to its upper bound"),
    (r"\mathrm{softplus}", "softplus", "turns any number z into a positive one, log(1 + e<sup>z</sup>)"),
    (r"\tau", "τ", "the temperature: above 1 the policy is less decided, below 1 more"),
    (r"\mu(a", "μ(a|s)", "the probabilities with which actions are really taken"),
    (r"\kappa", "κ", "the share of actions taken greedily; it goes from κ₀ to κ₁ over the run"),
    (r"\mathbf{1}", "<b>1</b>[ ]", "1 where that is so, else 0; arg max is the most likely action"),
)
_ESTIMATOR: tuple[_Entry, ...] = (
    (r"\hat{A}", "Â<sub>i,t</sub>", "the advantage: how much better step t of episode i went than expected"),
    ("r_{i,t", "r<sub>i,t</sub>", "the reward at step t of episode i"),
    (r"\gamma", "γ", "the discount: a reward k steps ahead counts γᵏ"),
    ("t+n", "n", "the number of rewards that are counted before the learned value stands in"),
    (re.compile(r"\\lambda\)?\^"), "λ", "GAE's weight: an error k steps ahead counts λᵏ"),
    (r"\delta_{i,t", "δ<sub>i,t</sub>", "the surprise of one step: reward and next value, less the value expected"),
    (re.compile(r"\\bar\{R\}(?!_)"), "R̄", "the average total return of the batch, the baseline"),
    (re.compile(r"\\bar\{G\}(?!_)"), "Ḡ", "the average reward-to-go of the batch, the baseline"),
    (r"\bar{R}_{t}", "R̄<sub>t</sub>", "the average total return of the episodes that last until step t"),
    (r"\bar{G}_{t}", "Ḡ<sub>t</sub>", "the average reward-to-go at step t, over the episodes that last so long"),
    (r"\bar{G}_j", "Ḡ<sub>j</sub>", "the average reward-to-go of another episode j"),
    ("R_j", "R<sub>j</sub>", "the total return of another episode j"),
    ("R_i", "R<sub>i</sub>", "the total return of episode i"),
    ("b_k =", "b<sub>k</sub>", "the baseline of the least variance for parameter k"),
    ("b = ", "b", "the baseline of the least variance, one for all parameters k"),
    ("g_{i,k}", "g<sub>i,k</sub>", "∂ log π / ∂θ<sub>k</sub>, summed over the steps of episode i"),
    ("x_{i,k}", "x<sub>i,k</sub>", "the same sum, with every step multiplied by its reward-to-go"),
    (
        r"V_{\phi}",
        "V<sub>φ</sub>(s)",
        "the learned value function: the return it predicts from state s; 0 where an episode has ended, in place of "
        "the rest where it is cut off",
    ),
    (
        r"V_{\theta}",
        "V<sub>θ</sub>(s)",
        "the return predicted from state s by a second output of the policy's network; 0 where an episode has ended",
    ),
    (r"\hat{G}", "Ĝ<sub>i,t</sub>", "what V is fitted to: the return from step t on, as far as rewards are counted"),
    (r"\tilde{G}", "s̃<sub>i,t</sub>, G̃<sub>i,t</sub>", "states and returns of episodes played for V alone"),
    (r"V_{\mathrm{old}}", "V<sub>old</sub>, clip", "V before the fit; clip keeps the change within ±ε<sub>V</sub>"),
    (r"\mathrm{std}", "mean, std", "mean and standard deviation over the batch"),
)
_UPDATE: tuple[_Entry, ...] = (
    (r"\rho_{i,t}", "ρ<sub>i,t</sub>", "how much likelier the action has become since it was taken"),
    (r"\pi_{\mathrm{old}}", "π<sub>old</sub>", "the policy that acted, before this update"),
    ("w_{i,", "w<sub>i,t</sub>", "the importance weight: how much likelier episode i has become up to step t"),
    ("w_i", "w<sub>i</sub>", "the importance weight: how much likelier episode i has become"),
    (r"\sum_j w_", "j", "every episode, one after the other"),
    (r"\min(c", "c", "the largest weight that counts"),
    (r"\hat{g}", "ĝ", "the estimated policy gradient"),
    (r"L(\theta)", "L(θ)", "the objective; every epoch steps along the gradient of each of its minibatches"),
    (r"\sum_{i=1}^{N}", "N, i", "the number of episodes, or of environments, and which of them"),
    ("T_i", "T<sub>i</sub>", "the length of episode i"),
    ("T - 1", "T", "the steps taken in each environment; a sum over rewards ends where the episode ends"),
    (r"\frac{1}{M}", "M", "the number of steps in the batch"),
    (r"\mathrm{KL}", "KL", "how far two policies differ, the Kullback–Leibler divergence, over the visited states"),
    (re.compile(r"\\lambda (\\,|\\log)"), "λ", "the price of a nat of divergence"),
    (r"\alpha_{\lambda}", "α<sub>λ</sub>, ε", "how fast the price follows, and the divergence that is allowed"),
    (re.compile(r"1 - \\varepsilon(?!_)"), "ε", "the clip range: moving a ratio further from 1 earns nothing"),
    (r"\varepsilon_k", "ε<sub>k</sub>", "the clip range in update k, which falls over the run"),
    (r"2 \delta", "δ", "how far one update may move the policy, as mean KL divergence"),
    ("F^{-1}", "F", "the Fisher matrix: how much each change of θ changes the policy; E is the mean over steps"),
    (r"\xi", "ξ I", "damping on F's diagonal"),
    (r"\zeta", "ζ, j", "the backtracking factor: j = 0, 1, 2 … until L improves within the trust region"),
    ("H(", "β H", "the weighted entropy of the policy, which keeps it exploring"),
    ("c_V", "c<sub>V</sub> L<sub>V</sub>", "the weighted error of the value that shares the policy's network"),
    ("J", "J(θ)", "the expected return that is to be made large"),
    ("d(s)", "d(s)", "how often state s is visited, a visit at step t counted with its discount; Pr is a probability"),
    ("Q(s, a)", "Q(s,a)", "the exact expected return after action a in state s"),
    (r"m \leftarrow", "m", "the momentum: this gradient and 0.9 of the step before"),
    (r"\mathrm{Adam}", "Adam", "rescales the step per parameter by its recent size"),
    (r"\mathrm{RMSprop}", "RMSprop", "rescales the step per parameter by its recent size"),
    (r"\mathrm{clip}(\hat{g})", "clip", "scales the gradient down where it is too long"),
    (r"\mathrm{clip}(\nabla", "clip(∇)", "scales the gradient down where it is too long"),
    (r"\mathrm{clip}(\rho", "clip(ρ, …)", "the ratio, but no less than 1 − ε and no more than 1 + ε"),
    (re.compile(r"\\alpha( |,)"), "α", "the learning rate"),
    (r"\alpha_k", "α<sub>k</sub>", "the learning rate in update k; it falls over the run"),
)


def glossary(lines: Iterable[Line]) -> str:
    """The symbols that occur in ``lines`` with their meanings, as a rich-text table."""
    latex = " ".join(term.latex for line in lines for term in line)
    entries = (*_POLICY, *_ESTIMATOR, *_UPDATE)
    found = dict.fromkeys((symbol, meaning) for sign, symbol, meaning in entries if _occurs(sign, latex))
    rows = (
        f"<tr><td style='padding-right:8px; white-space:nowrap'><i>{symbol}</i></td><td>{meaning}</td></tr>"
        for symbol, meaning in found
    )
    return f"<table>{''.join(rows)}</table>"


def _occurs(sign: str | re.Pattern[str], latex: str) -> bool:
    return sign in latex if isinstance(sign, str) else sign.search(latex) is not None
