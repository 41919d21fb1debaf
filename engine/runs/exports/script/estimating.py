"""The script's advantage estimator."""

from __future__ import annotations

from collections.abc import Iterator

from engine.runs.exports.script.plan import Plan
from engine.runs.exports.script.text import lines, section, signature

# --- credit, from the rewards and, with a learned value, the values of the T + 1 states they lie between --------------

_RETURNS = '''
def returns(rewards: list[float], after: float = 0.0) -> list[float]:
    """G_t = r_t + γ G_{t+1}, what was paid from each step on{after}."""
    found = []
    for reward in reversed(rewards):
        after = reward + GAMMA * after
        found.append(after)
    return found[::-1]
'''

_CREDITS = {
    "total-return": '''
def credit(rewards: list[float]) -> np.ndarray:
    """Ψ_t = G_0: every action is credited with the whole return."""
    return np.full(len(rewards), returns(rewards)[0])
''',
    "reward-to-go": '''
def credit(rewards: list[float]) -> np.ndarray:
    """Ψ_t = G_t: an action is credited with what was paid from its own step on, for it changes nothing before."""
    return np.array(returns(rewards))
''',
}

_LEARNED = {
    "total-return": '''
def advantages_and_targets(rewards: list[float], values: list[float]) -> tuple[list[float], list[float]]:
    """Â_t = G_0 − V(s_0): every action is credited with the whole return. V is to be fitted to G_t."""
    targets = returns(rewards, after=values[-1])
    return [targets[0] - values[0]] * len(rewards), targets
''',
    "reward-to-go": '''
def advantages_and_targets(rewards: list[float], values: list[float]) -> tuple[list[float], list[float]]:
    """Â_t = G_t − V(s_t), and the G_t that V is to be fitted to."""
    targets = returns(rewards, after=values[-1])
    return [target - value for target, value in zip(targets, values[:-1], strict=True)], targets
''',
    "n-step": '''
def advantages_and_targets(rewards: list[float], values: list[float]) -> tuple[list[float], list[float]]:
    """Â_t = Σ_{l<n} γ^l r_{t+l} + γ^n V(s_{t+n}) − V(s_t), and the sums without the −V(s_t), to which V is to be
    fitted; fewer than n rewards where less is left."""
    targets = []
    for t in range(len(rewards)):
        end = min(t + N_STEPS, len(rewards))
        target = values[end]
        for reward in reversed(rewards[t:end]):
            target = reward + GAMMA * target
        targets.append(target)
    return [target - value for target, value in zip(targets, values[:-1], strict=True)], targets
''',
    "gae": '''
def advantages_and_targets(rewards: list[float], values: list[float]) -> tuple[list[float], list[float]]:
    """Generalised advantage estimation: δ_t = r_t + γ V(s_{t+1}) − V(s_t) and Â_t = δ_t + γλ Â_{t+1}; and Â_t + V(s_t),
    to which V is to be fitted."""
    advantages, advantage = [], 0.0
    for t in reversed(range(len(rewards))):
        error = rewards[t] + GAMMA * values[t + 1] - values[t]
        advantage = error + GAMMA * LAMBDA * advantage
        advantages.append(advantage)
    advantages.reverse()
    return advantages, [advantage + value for advantage, value in zip(advantages, values[:-1], strict=True)]
''',
}

# --- baselines --------------------------------------------------------------------------------------------------------

_BASELINES = {
    "none": "",
    "average": '''
def less_baseline(credits: list[np.ndarray]) -> list[np.ndarray]:
    """Â = Ψ − b, with the batch's average credit as b: over an episode's steps, then over episodes."""
    average = np.mean([of_episode.mean() for of_episode in credits])
    return [of_episode - average for of_episode in credits]
''',
    "time-average": '''
def less_baseline(credits: list[np.ndarray]) -> list[np.ndarray]:
    """Â_t = Ψ_t − b_t, with the average credit at step t as b_t, over the episodes that still run then."""
    longest = max(map(len, credits))
    averages = [np.mean([of_episode[t] for of_episode in credits if t < len(of_episode)]) for t in range(longest)]
    return [of_episode - averages[: len(of_episode)] for of_episode in credits]
''',
    "leave-one-out": '''
def less_baseline(credits: list[np.ndarray]) -> list[np.ndarray]:
    """Â = Ψ − b_i, with the average credit of the other episodes as b_i: no sample is compared with itself."""
    averages = np.array([of_episode.mean() for of_episode in credits])
    others = (averages.sum() - averages) / (len(averages) - 1)
    return [of_episode - average for of_episode, average in zip(credits, others, strict=True)]
''',
    "optimal": "",
}

_SCORES = '''
def episode_gradients(policy: Policy, batch: Batch, lengths: list[int]) -> tuple[Tensor, Tensor]:
    """The scores S_i = Σ_t ∇ log π(a_t|s_t) and the gradients X_i = Σ_t ∇ log π(a_t|s_t) Ψ_t of every episode, [N, P]
    each for P parameters."""
    log_probs = policy(batch.observations).log_prob(batch.actions)
    scores, gradients = [], []
    for rows in torch.arange(len(log_probs)).split(lengths):
        for weights, into in ((batch.state_weights, scores), (batch.state_weights * batch.advantages, gradients)):
            total = (log_probs[rows] * weights[rows]).sum()
            found = torch.autograd.grad(total, list(policy.parameters()), retain_graph=True)
            into.append(torch.cat([part.flatten() for part in found]))
    return torch.stack(scores), torch.stack(gradients)


def less_optimal(policy: Policy, batch: Batch, lengths: list[int]) -> Batch:
    """Subtract the constant{each} that makes the variance of the gradient least:{formula}"""
    scores, gradients = episode_gradients(policy, batch, lengths)
'''

_POOLED = """    baseline = (scores * gradients).sum() / scores.square().sum()
    return replace(batch, advantages=batch.advantages - baseline)
"""

_PER_PARAMETER = """    size = scores.square().sum(0)
    baseline = torch.where(size > 0, (scores * gradients).sum(0) / size, 0.0)
    return replace(batch, subtracted=baseline * scores.mean(0))
"""

# --- what learning sees of the rewards --------------------------------------------------------------------------------

_REWARDS = '''
class RewardScale:
    """Rewards in units of σ, the standard deviation over all steps so far of R_t = r_t + γ R_{t−1}, the discounted sum
    of an episode's rewards up to step t."""

    def __init__(self) -> None:
        self.mean = self.variance = 0.0
        self.count = 0

    def update(self, episodes: list[Episode]) -> float:
        """σ with these episodes among all."""
        sums = []
        for episode in episodes:
            so_far = {start}
            for reward in episode.rewards:
                so_far = {scaled} + GAMMA * so_far
                sums.append(so_far)
{keep}        share = len(sums) / (self.count + len(sums))
        apart = np.mean(sums) - self.mean
        self.variance = (1 - share) * self.variance + share * np.var(sums) + apart**2 * share * (1 - share)
        self.mean += apart * share
        self.count += len(sums)
        deviation = math.sqrt(self.variance)
        return deviation if deviation >= max(1e-6 * abs(self.mean), 1e-4) else 1.0
'''

_NORMALIZED = '''
def normalized(advantages: Tensor) -> Tensor:
    """Shifted and scaled to mean 0 and standard deviation 1."""
    if len(advantages) == 1:  # there is nothing to compare it with
        return advantages
    distances, largest = advantages, advantages.abs().max().item()
    spread = distances.std(correction=0).item()
    if spread <= 1e-3 * largest:  # the mean of numbers far from 0 is rounded by as much as they may differ
        distances = advantages - advantages[0]
        spread = distances.std(correction=0).item()
        if spread <= 5e-7 * largest:
            return torch.zeros_like(advantages)
    return (distances - distances.mean()) / spread
'''


def estimating(plan: Plan) -> str:
    credit, baseline = plan.config.estimator.credit.kind, plan.config.estimator.baseline.kind
    needs_returns = plan.learned is None or credit in ("total-return", "reward-to-go")
    after = ", and after the last" if plan.learned is not None else ""
    return section(
        "advantages",
        _reward_scale(plan) if plan.config.environment.normalize_rewards else None,
        _RETURNS.replace("{after}", after) if needs_returns else None,
        _LEARNED[credit] if plan.learned is not None else _CREDITS[credit],
        _BASELINES[baseline] if plan.learned is None else None,
        _batch(plan),
        _estimate(plan),
        _optimal(plan) if baseline == "optimal" else None,
        _NORMALIZED if plan.config.estimator.normalize_advantages else None,
    )


def _scaled_reward(plan: Plan) -> str:
    return "(REWARD_SCALE * reward + REWARD_OFFSET)" if plan.scales_rewards else "reward"


def _reward_scale(plan: Plan) -> str:
    keep = "" if plan.whole_episodes else "            episode.carried = so_far\n"
    start = "0.0" if plan.whole_episodes else "episode.carried"
    return (
        _REWARDS.replace("{start}", start).replace("{keep}", keep).replace("{scaled}", _scaled_reward(plan).strip("()"))
    )


def _weighs_states(plan: Plan) -> bool:
    return plan.config.estimator.discount_states or plan.config.estimator.baseline.kind == "optimal"


def _batch(plan: Plan) -> str:
    normalizes = plan.config.estimator.normalize_advantages
    return lines(
        "@dataclass",
        "class Batch:",
        '    """All steps of an update, episode after episode."""',
        "",
        "    observations: Tensor",
        "    actions: Tensor",
        "    advantages: Tensor  # Â" + (", before they are normalised" if normalizes else ""),
        _weighs_states(plan) and "    state_weights: Tensor  # " + _weight_meaning(plan),
        plan.learned is not None and "    values: Tensor  # V(s), as it was when it was subtracted",
        plan.learned is not None and "    targets: Tensor  # what V is to be fitted to",
        plan.subtracts_per_parameter and "    subtracted: Tensor | None = None  # from each component of the gradient",
    )


def _weight_meaning(plan: Plan) -> str:
    return "γᵗ of each step" if plan.config.estimator.discount_states else "1 for each step"


def _estimate(plan: Plan) -> str:
    return lines(
        signature("estimate", {"episodes": "list[Episode]"} | estimated_with(plan), "Batch"),
        *(_estimate_with_value(plan) if plan.learned is not None else _estimate_without(plan)),
    )


def estimated_with(plan: Plan) -> dict[str, str]:
    """What ``estimate`` is given beside the episodes, and of which type."""
    taken = {}
    if plan.value is not None:
        taken["value"] = "Value"
    elif plan.learned is not None or plan.config.estimator.baseline.kind == "optimal":
        taken["policy"] = "Policy"
    if plan.config.environment.normalize_rewards:
        taken["scale"] = "float"
    return taken


def _rewards(plan: Plan, of: str) -> str:
    """The rewards of an episode as learning sees them."""
    if not plan.learns_other_rewards:
        return f"{of}.rewards"
    divided = " / scale" if plan.config.environment.normalize_rewards else ""
    return f"[{_scaled_reward(plan)}{divided} for reward in {of}.rewards]"


def _common(plan: Plan) -> Iterator[str]:
    """What every batch has."""
    yield "        tensor([seen for episode in episodes for seen in episode.observations[:-1]]),"
    yield "        torch.from_numpy(np.array([action for episode in episodes for action in episode.actions])),"


def _state_weights(plan: Plan) -> Iterator[str]:
    if plan.config.estimator.discount_states:
        elapsed = "t" if plan.whole_episodes else "(episode.elapsed + t)"
        each = f"GAMMA**{elapsed} for episode in episodes for t in range(len(episode.rewards))"
        yield f"        torch.tensor([{each}]),"
    elif _weighs_states(plan):
        yield "        torch.ones(sum(len(episode.rewards) for episode in episodes)),"


def _estimate_with_value(plan: Plan) -> Iterator[str]:
    yield '    """Advantages of all steps. Where an episode was cut off, V of what came next stands in for the rest."""'
    value = "value" if plan.value is not None else "policy.value"
    yield "    values, advantages, targets = [], [], []"
    yield "    for episode in episodes:"
    yield "        with torch.no_grad():"
    yield f"            seen = {value}(tensor(episode.observations)).tolist()  # one more than steps"
    yield "        if episode.terminated:"
    yield "            seen[-1] = 0.0  # nothing follows"
    rewards = _rewards(plan, "episode")
    if plan.learns_other_rewards:
        yield f"        rewards = {rewards}"
        rewards = "rewards"
    yield f"        found, wanted = advantages_and_targets({rewards}, seen)"
    yield "        values += seen[:-1]"
    yield "        advantages += found"
    yield "        targets += wanted"
    yield "    return Batch("
    yield from _common(plan)
    yield "        torch.tensor(advantages),"
    yield from _state_weights(plan)
    yield "        torch.tensor(values),"
    yield "        torch.tensor(targets),"
    yield "    )"


def _estimate_without(plan: Plan) -> Iterator[str]:
    baseline = plan.config.estimator.baseline.kind
    yield '    """Advantages of all steps."""'
    yield f"    credits = [credit({_rewards(plan, 'episode')}) for episode in episodes]"
    subtracted = "less_baseline(credits)" if _BASELINES[baseline] else "credits"
    yield "    batch = Batch(" if baseline == "optimal" else "    return Batch("
    yield from _common(plan)
    yield f"        torch.from_numpy(np.concatenate({subtracted})).float(),"
    yield from _state_weights(plan)
    yield "    )"
    if baseline == "optimal":
        yield "    return less_optimal(policy, batch, [len(episode.rewards) for episode in episodes])"


def _optimal(plan: Plan) -> str:
    each = plan.subtracts_per_parameter
    formula = " b_k = Σ_i S_ik X_ik / Σ_i S_ik²" if each else "\n    b = Σ_ik S_ik X_ik / Σ_ik S_ik²."
    text = _SCORES.replace("{each}", " of each parameter" if each else "").replace("{formula}", formula)
    return text + (_PER_PARAMETER if each else _POOLED)
