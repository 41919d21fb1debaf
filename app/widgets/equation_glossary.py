"""What the symbols of the equation mean, in words."""

from __future__ import annotations

from collections.abc import Iterable

from engine.equations import Line

# What to look for in the LaTeX, the symbol as rich text, and its meaning.
_GLOSSARY = (
    (r"\pi_{\theta}", "π<sub>θ</sub>(a|s)", "the probability of action a in state s, under the policy's parameters θ"),
    (r"\sigma^2", "σ", "the Gaussian's standard deviation, one for each action dimension"),
    (r"\mathrm{MLP}", "MLP<sub>θ</sub>(s)", "the policy network's output for state s"),
    (r"W s + b", "W, b", "the weights and biases that make up θ"),
    (r"\hat{A}", "Â<sub>i,t</sub>", "the advantage: how much better step t of episode i went than expected"),
    ("r_{i,t'}", "r<sub>i,t'</sub>", "the reward at step t' of episode i"),
    (r"\gamma", "γ", "the discount: a reward k steps ahead counts γᵏ"),
    (r"\bar{R}", "R̄", "the average total return of the batch, the baseline"),
    (r"\bar{G}", "Ḡ", "the average reward-to-go of the batch, the baseline"),
    (r"V_{\phi}", "V<sub>φ</sub>(s)", "the learned value function: the return it predicts from state s"),
    (r"\mathrm{std}", "mean, std", "mean and standard deviation over the batch"),
    (r"\hat{g}", "ĝ", "the estimated policy gradient"),
    (r"\sum_{i=1}^{N}", "N", "the number of episodes in the batch; T<sub>i</sub> is the length of episode i"),
    (r"\beta", "β H", "the weighted entropy of the policy, which keeps it exploring"),
    (r"\mathrm{Adam}", "Adam", "rescales the step per parameter by its recent size"),
    (r"\mathrm{clip}", "clip", "scales the gradient down where it is too long"),
    (r"\alpha", "α", "the learning rate"),
)


def glossary(lines: Iterable[Line]) -> str:
    """The symbols that occur in ``lines`` with their meanings, as a rich-text table."""
    latex = " ".join(term.latex for line in lines for term in line)
    rows = (
        f"<tr><td style='padding-right:8px; white-space:nowrap'><i>{symbol}</i></td><td>{meaning}</td></tr>"
        for needle, symbol, meaning in _GLOSSARY
        if needle in latex
    )
    return f"<table>{''.join(rows)}</table>"
