"""One λ for each step: the one recursion gives cut returns, importance sampling, V-trace and Q(λ), each as its authors
define it."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from engine.maths.importance import prefix_log_weights
from engine.maths.returns import (
    carried,
    discount_sequence,
    discounted_returns,
    discounted_sums,
    gae,
    n_step_returns,
    td_errors,
)
from engine.maths.traces import (
    action_value_corrections,
    importance_traces,
    retrace_traces,
    tree_backup_traces,
    v_trace,
    v_trace_advantages,
    watkins_traces,
)

STEPS, SIZE, GAMMA = 9, 3, 0.75
GENERATOR = torch.Generator().manual_seed(11)


def drawn(low: float, high: float) -> Tensor:
    return low + (high - low) * torch.rand(STEPS, SIZE, generator=GENERATOR, dtype=torch.float64)


# One environment without an end before the last step, one with a termination, one with a truncation on the way.
TERMINATED, TRUNCATED = torch.zeros(2, STEPS, SIZE, dtype=torch.bool).unbind()
TERMINATED[4, 1] = TRUNCATED[5, 2] = True
TRUNCATED[-1] = True
REWARDS, VALUES, FINAL, RATIOS = drawn(-1.0, 1.0), drawn(-2.0, 2.0), drawn(-2.0, 2.0), drawn(0.2, 2.5)
DISCOUNTS = discount_sequence(GAMMA, TERMINATED).double()
CARRY = carried(DISCOUNTS, TRUNCATED)
ERRORS = td_errors(REWARDS, DISCOUNTS, TRUNCATED, VALUES, FINAL)


def last_of(t: int, i: int) -> int:
    """The last step of the episode that step t of environment i belongs to."""
    return next(k for k in range(t, STEPS) if TERMINATED[k, i] or TRUNCATED[k, i])


def value_after(t: int, i: int) -> float:
    """V of what follows step t: 0 behind a termination, that of the true final observation behind a truncation."""
    if TERMINATED[t, i]:
        return 0.0
    return FINAL[t, i].item() if TRUNCATED[t, i] else VALUES[t + 1, i].item()


def everywhere(of: object) -> Tensor:
    return torch.tensor([[of(t, i) for i in range(SIZE)] for t in range(STEPS)], dtype=torch.float64)  # type: ignore[operator]


@pytest.mark.parametrize("share", [0.0, 0.3, 0.95, 1.0])
@pytest.mark.parametrize("shape", [(STEPS, SIZE), (STEPS, 1), (1, SIZE), (1, 1)])
def test_the_same_lambda_at_every_step_is_a_single_one(share: float, shape: tuple[int, int]) -> None:
    traces = torch.full(shape, share, dtype=torch.float64)
    torch.testing.assert_close(gae(ERRORS, CARRY, traces), gae(ERRORS, CARRY, share), rtol=0.0, atol=0.0)


def test_each_step_takes_its_share_of_the_next_ones_advantage() -> None:
    traces = drawn(0.0, 1.0)
    expected, following = torch.zeros_like(ERRORS), torch.zeros(SIZE, dtype=torch.float64)
    for t in reversed(range(STEPS)):
        following = ERRORS[t] + traces[t] * CARRY[t] * following
        expected[t] = following
    got = gae(ERRORS, CARRY, traces)
    torch.testing.assert_close(got, expected)
    assert (gae(ERRORS, CARRY, traces.roll(-1, 0)) - got).abs().max().item() > 0.1  # the next step's share is another


@pytest.mark.parametrize("block", [1, 2, 4, STEPS])
def test_no_trace_after_every_few_steps_cuts_returns_there(block: int) -> None:
    def cut(t: int, i: int) -> float:
        last = min(last_of(t, i), t - t % block + block - 1)
        rewards = sum(GAMMA ** (k - t) * REWARDS[k, i].item() for k in range(t, last + 1))
        return rewards + GAMMA ** (last + 1 - t) * value_after(last, i) - VALUES[t, i].item()

    traces = (torch.arange(1, STEPS + 1) % block != 0).double().unsqueeze(1)
    torch.testing.assert_close(gae(ERRORS, CARRY, traces), everywhere(cut))


@pytest.mark.parametrize(("most_ratio", "most_trace"), [(1.0, 1.0), (2.0, 0.8), (math.inf, 1.2)])
def test_v_trace(most_ratio: float, most_trace: float) -> None:
    """Espeholt et al. (2018), equation 1: v_s − V_s = Σ_{t≥s} γ^{t−s} (Π_{i=s}^{t−1} c_i) min(ρ̄, ρ_t) δ_t."""
    clipped, traces = RATIOS.clamp(max=most_ratio), RATIOS.clamp(max=most_trace)

    def target(s: int, i: int) -> float:
        total, product = 0.0, 1.0
        for t in range(s, last_of(s, i) + 1):
            error = REWARDS[t, i].item() + GAMMA * value_after(t, i) - VALUES[t, i].item()
            total += GAMMA ** (t - s) * product * clipped[t, i].item() * error
            product *= traces[t, i].item()
        return total

    got = v_trace(ERRORS, CARRY, RATIOS.log(), most_ratio, most_trace)
    torch.testing.assert_close(got, everywhere(target))

    def advantage(t: int, i: int) -> float:
        """Section 4.2: ρ_t (r_t + γ v_{t+1} − V_t), v_{t+1} the target of the state that follows in the episode."""
        corrected = value_after(t, i) + (0.0 if t == last_of(t, i) else target(t + 1, i))
        return clipped[t, i].item() * (REWARDS[t, i].item() + GAMMA * corrected - VALUES[t, i].item())

    advantages = v_trace_advantages(ERRORS, CARRY, RATIOS.log(), got, most_ratio)
    torch.testing.assert_close(advantages, everywhere(advantage))


def test_v_trace_on_policy_is_the_return_and_cut_after_n_steps_the_n_step_return() -> None:
    """Remark 1 of the paper: with ρ = 1 and bounds of at least 1 the target is the n-step return."""
    same = torch.zeros_like(ERRORS)
    got = VALUES + v_trace(ERRORS, CARRY, same)
    torch.testing.assert_close(got, discounted_returns(REWARDS, DISCOUNTS, TRUNCATED, FINAL))
    after = everywhere(value_after)
    torch.testing.assert_close(got, n_step_returns(REWARDS, DISCOUNTS, TRUNCATED, after, STEPS))
    torch.testing.assert_close(v_trace(ERRORS, 0.9 * CARRY, same), gae(ERRORS, CARRY, 0.9))
    off_policy = v_trace(ERRORS, CARRY, RATIOS.log())
    assert (off_policy - v_trace(ERRORS, DISCOUNTS, RATIOS.log())).abs().max() > 0.01  # which leaks through truncations
    assert (off_policy - v_trace(ERRORS, CARRY, RATIOS.log(), math.inf, math.inf)).abs().max() > 0.01


def test_ratios_that_no_float_holds_are_numbers_still() -> None:
    log_ratios = torch.tensor([[200.0], [-math.inf], [0.0]])
    errors, carry = torch.ones(3, 1), torch.full((3, 1), 0.5)
    assert v_trace(errors, carry, log_ratios)[:, 0].tolist() == [1.0, 0.0, 1.0]
    assert retrace_traces(log_ratios, 0.5)[:, 0].tolist() == [0.5, 0.0, 0.5]
    assert importance_traces(log_ratios, 1.0).isfinite().all()


# Of the actions taken: their values, those of all three actions, and what is expected of the policy.
TABLE = torch.randn(STEPS, SIZE, 3, generator=GENERATOR, dtype=torch.float64)
TAKEN = torch.randint(3, (STEPS, SIZE), generator=GENERATOR)
POLICY = torch.randn(STEPS, SIZE, 3, generator=GENERATOR, dtype=torch.float64).softmax(-1)
OF_TAKEN, LOG_PROBS = (each.gather(-1, TAKEN.unsqueeze(-1)).squeeze(-1) for each in (TABLE, POLICY.log()))
EXPECTED = (POLICY * TABLE).sum(-1)
Q_ERRORS = td_errors(REWARDS, DISCOUNTS, TRUNCATED, EXPECTED, FINAL) + EXPECTED - OF_TAKEN


def of_following(traces: Tensor) -> Tensor:
    """Munos et al. (2016), equation 4: Σ_{t≥s} γ^{t−s} (Π_{i=s+1}^{t} c_i) δ_t."""

    def correction(s: int, i: int) -> float:
        total, product = 0.0, 1.0
        for t in range(s, last_of(s, i) + 1):
            product *= traces[t, i].item() if t > s else 1.0
            following = FINAL[t, i] if TRUNCATED[t, i] else EXPECTED[min(t + 1, STEPS - 1), i]
            error = REWARDS[t, i] + (0.0 if TERMINATED[t, i] else GAMMA * following) - OF_TAKEN[t, i]
            total += GAMMA ** (t - s) * product * error.item()
        return total

    return everywhere(correction)


TRACES = {
    "retrace": (retrace_traces(RATIOS.log(), 0.9), 0.9 * RATIOS.clamp(max=1.0)),
    "importance sampling": (importance_traces(RATIOS.log(), 0.9), 0.9 * RATIOS),
    "tree backup": (tree_backup_traces(LOG_PROBS, 0.9), 0.9 * LOG_PROBS.exp()),
    "Q(λ) of the greedy policy": (watkins_traces(TABLE, TAKEN, 0.9), 0.9 * (TABLE.argmax(-1) == TAKEN).double()),
}


@pytest.mark.parametrize("method", TRACES)
def test_corrections_of_action_values_weigh_later_actions_alone(method: str) -> None:
    traces, expected = TRACES[method]
    torch.testing.assert_close(traces, expected)
    got = action_value_corrections(Q_ERRORS, CARRY, traces)
    torch.testing.assert_close(got, of_following(expected))
    assert (gae(Q_ERRORS, CARRY, traces) - got).abs().max() > 0.01  # weighing a_t as well, as for values of states


def test_the_tree_backup_takes_every_action_that_was_not_taken_at_its_value() -> None:
    """Precup et al. (2000): G_t = r_t + γ [Σ_{a≠a'} π(a|s') Q(s', a) + π(a'|s') G_{t+1}], a' the action taken in s'."""
    expected = torch.zeros_like(OF_TAKEN)
    for i in range(SIZE):
        for t in reversed(range(STEPS)):
            expected[t, i] = REWARDS[t, i]
            if TRUNCATED[t, i]:
                expected[t, i] += GAMMA * FINAL[t, i]
            elif not TERMINATED[t, i]:
                chance, after = POLICY[t + 1, i, TAKEN[t + 1, i]], t + 1
                others = EXPECTED[after, i] - chance * OF_TAKEN[after, i]
                expected[t, i] += GAMMA * (others + chance * expected[after, i])
    got = OF_TAKEN + action_value_corrections(Q_ERRORS, CARRY, tree_backup_traces(LOG_PROBS, 1.0))
    torch.testing.assert_close(got, expected)


@pytest.mark.parametrize("method", ["retrace", "importance sampling"])
def test_with_all_ratios_1_a_full_trace_gives_the_return_with_expected_values_along_the_way(method: str) -> None:
    make = retrace_traces if method == "retrace" else importance_traces
    traces = make(torch.zeros_like(Q_ERRORS), 1.0)
    got = action_value_corrections(Q_ERRORS, CARRY, traces)
    torch.testing.assert_close(got, discounted_sums(Q_ERRORS, CARRY))
    alone = action_value_corrections(Q_ERRORS, CARRY, make(RATIOS.log(), 0.0))
    assert alone.equal(Q_ERRORS)


def test_corrections_of_other_shapes_or_outside_their_bounds_are_refused() -> None:
    rows = torch.zeros(STEPS, SIZE)
    for call in (
        lambda: action_value_corrections(rows, rows, rows[:, :1]),
        lambda: v_trace(rows, rows, rows[:1]),
        lambda: v_trace_advantages(rows, rows, rows, rows[:, :1]),
    ):
        with pytest.raises(ValueError, match="must have one shape"):
            call()
    with pytest.raises(ValueError, match="most_trace must be positive"):
        v_trace(rows, rows, rows, most_trace=0.0)
    for make in (retrace_traces, importance_traces, tree_backup_traces):
        with pytest.raises(ValueError, match="trace_lambda must be from 0 to 1"):
            make(rows, 1.5)


def test_ratios_as_traces_are_per_decision_importance_sampling() -> None:
    """Precup et al. (2000): from an episode's start, each reward weighted with ρ up to its own step."""
    prefix = prefix_log_weights(RATIOS.log(), torch.ones_like(TERMINATED)).exp()
    got = gae(RATIOS * REWARDS, CARRY, RATIOS)[0]
    torch.testing.assert_close(got, discounted_sums(prefix * REWARDS, CARRY)[0])


def test_watkins_q() -> None:
    """Watkins (1989): the λ-return of the greedy policy, which takes no step beyond the next action that is not greedy.

    (1 − λ) Σ_{n<h} λ^{n−1} R^{(n)} + λ^{h−1} R^{(h)} with R^{(n)} = Σ_{k<n} γ^k r_{t+k} + γ^n max_a Q(s_{t+n}, a), and
    a_{t+h} the first action after a_t that is not greedy, or s_{t+h} the end of the episode.
    """
    share, taken = 0.7, VALUES  # Q(s_t, a_t)
    greedy = torch.rand(STEPS, SIZE, generator=GENERATOR) < 0.6
    best = torch.where(greedy, taken, taken + drawn(0.1, 1.0))  # max_a Q(s_t, a)
    errors = td_errors(REWARDS, DISCOUNTS, TRUNCATED, best, FINAL) + best - taken

    def target(t: int, i: int) -> float:
        def steps(n: int) -> float:
            last = t + n - 1
            rewards = sum(GAMMA**k * REWARDS[t + k, i].item() for k in range(n))
            ended = bool(TERMINATED[last, i] or TRUNCATED[last, i])
            return rewards + GAMMA**n * (value_after(last, i) if ended else best[last + 1, i].item())

        most = next(n for n in range(1, STEPS + 1) if t + n - 1 == last_of(t, i) or not greedy[t + n, i])
        average = sum((1.0 - share) * share ** (n - 1) * steps(n) for n in range(1, most))
        return average + share ** (most - 1) * steps(most) - taken[t, i].item()

    traces = share * torch.cat((greedy[1:], torch.zeros(1, SIZE, dtype=torch.bool))).double()
    torch.testing.assert_close(gae(errors, CARRY, traces), everywhere(target))


@pytest.mark.parametrize("shape", [(), (STEPS,), (SIZE,), (STEPS - 1, SIZE), (STEPS, SIZE, 1), (1, STEPS, SIZE)])
def test_traces_that_do_not_fit_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="must have the shape"):
        gae(ERRORS, CARRY, torch.ones(shape))


@pytest.mark.parametrize("wrong", [-0.1, math.nan, math.inf])
def test_traces_that_are_negative_or_not_finite_are_refused(wrong: float) -> None:
    traces = torch.ones(STEPS, SIZE)
    traces[2, 1] = wrong
    with pytest.raises(ValueError, match="finite and not negative"):
        gae(ERRORS, CARRY, traces)
