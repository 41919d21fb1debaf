"""Which transitions to learn from more often, and how to weigh them so that nothing is learned but the mean."""

from __future__ import annotations

from torch import Tensor


def priorities(errors: Tensor, exponent: float, least: float) -> Tensor:
    """p = (|δ| + ε)^α: how often a transition is to be drawn, up to a factor.

    α = 0 draws all alike, α = 1 in proportion to the errors. ε keeps those alive of which the error is 0 now.

    Args:
        errors: δ, [B].
        exponent: α ≥ 0.
        least: ε > 0, in the errors' units.

    Returns:
        p > 0, [B].

    Raises:
        ValueError: α is negative or ε not positive.

    Source: Schaul et al. (2016), "Prioritized experience replay", section 3.3.
    """
    if not exponent >= 0.0:
        raise ValueError(f"exponent must not be negative, as {exponent} is.")
    if not least > 0.0:
        raise ValueError(f"least must be positive, not {least}.")
    return (errors.abs() + least) ** exponent


def prioritized_weights(probabilities: Tensor, size: int, correction: float, normalized: bool = True) -> Tensor:
    """w_i = (N P(i))^−β, divided by the greatest of them where ``normalized``.

    Drawn with probabilities P, Σ_i w_i x_i / B has with β = 1 the mean that uniform draws have, 1/N Σ_i x_i; β = 0
    leaves the draws' own bias. Dividing by the greatest weight of the batch makes steps smaller, never larger; it
    changes the scale from batch to batch, so that the mean is no longer exact.

    Args:
        probabilities: P(i) > 0 of those that were drawn, [B].
        size: N ≥ 1, how many there were to draw from.
        correction: β, from 0 to 1.
        normalized: whether to divide by the greatest.

    Returns:
        w, [B], at most 1 where normalised.

    Raises:
        ValueError: N < 1, or β is not from 0 to 1.

    Source: Schaul et al. (2016), section 3.4.
    """
    if size < 1:
        raise ValueError(f"size must be at least 1, not {size}.")
    if not 0.0 <= correction <= 1.0:
        raise ValueError(f"correction must be from 0 to 1, not {correction}.")
    if normalized:  # N cancels, and the least likely has weight 1
        return (probabilities / probabilities.amin()) ** -correction
    return (size * probabilities) ** -correction
