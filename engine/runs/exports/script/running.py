"""The script's run: iteration after iteration, and what is told of each."""

from __future__ import annotations

from collections.abc import Iterator

from engine.config.updates import TRPO, NaturalGradient, PPOLagrangian
from engine.runs.exports.script.estimating import estimated_with
from engine.runs.exports.script.plan import Plan
from engine.runs.exports.script.stepping import passes
from engine.runs.exports.script.text import lines, section

_OPTIMIZERS = {
    "adam": "torch.optim.Adam({}, lr={})",
    "rmsprop": "torch.optim.RMSprop({}, lr={})",
    "momentum": "torch.optim.SGD({}, lr={}, momentum=0.9)",
    "sgd": "torch.optim.SGD({}, lr={})",
}

_EXPLAINED = '''
def explained_variance(batch: Batch) -> float | None:
    """1 − Var(G − V)/Var(G): 1 where V foretells all, 0 where it does no better than a constant."""
    spread, differences = (batch.targets - batch.targets[0]).std(correction=0), batch.targets - batch.values
    if spread <= max(5e-7 * batch.targets.abs().max(), 2e-6 * differences.abs().max()):  # of rounding alone
        return None
    return 1 - (differences.var(correction=0) / spread**2).item()
'''

_MAIN = """
def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\\n")[0])
    parser.add_argument("--report", type=Path, help="a file, at whose end a line of JSON is written for each iteration")
    report = parser.parse_args().report
    torch.set_num_threads(1)  # more would only wait for each other over networks as small as these
    for told, *_ in train():
        if report is not None:
            with report.open("a", encoding="utf-8") as file:
                file.write(json.dumps(told) + "\\n")
        mean_return = "–" if told["mean_return"] is None else f"{told['mean_return']:.1f}"
        print(f"iteration {told['iteration']}, {told['environment_steps']:,} steps: mean return {mean_return}")


if __name__ == "__main__":
    main()
"""


def running(plan: Plan) -> str:
    return section(
        "the run",
        _EXPLAINED if plan.learned is not None else None,
        _train(plan),
        _MAIN,
    )


def _train(plan: Plan) -> str:
    learned = "Policy" + (", Value" if plan.value is not None else "")
    yielded = "policy" + (", value" if plan.value is not None else "")
    also = ", the policy and the value function" if plan.value is not None else " and the policy"
    return lines(
        f"def train() -> Iterator[tuple[dict[str, float | None], {learned}]]:",
        f'    """Train; after each iteration what is told of it{also}."""',
        *_made(plan),
        "",
        *_loop(plan),
        "progress" in passes(plan) and "        progress = environment_steps / BUDGET",
        _keeps_spread(plan) and "        policy.log_std.data.clamp_(-10, 4)",
        *_iteration(plan),
        "        told = {",
        '            "iteration": iteration,',
        '            "environment_steps": environment_steps,',
        '            "episodes": episodes_ended,',
        '            "mean_return": sum(recent) / len(recent) if recent else None,',
        '            "mean_length": sum(length for _, length in ended) / len(ended) if ended else None,',
        '            "advantage_mean": batch.advantages.mean().item(),',
        '            "advantage_std": batch.advantages.std(correction=0).item(),',
        plan.learned is not None and '            "explained_variance": explained_variance(batch),',
        "        }",
        f"        yield told | updated, {yielded}",
    )


def _loop(plan: Plan) -> Iterator[str]:
    """How an iteration begins."""
    recent = "    recent: deque[float] = deque(maxlen=100)  # returns of the latest episodes"
    if not plan.changes:
        yield "    iteration = environment_steps = episodes_ended = 0"
        yield recent
        yield "    while environment_steps < BUDGET:"
        yield "        iteration += 1"
        return
    yield "    environment_steps = episodes_ended = 0"
    yield recent
    yield "    for iteration in count(1):"
    yield "        globals().update(CHANGES.get(iteration, {}))  # settings that have another value from now on"
    changed = {name for values in plan.changes.values() for name in values}
    for name, optimizer in (
        ("LEARNING_RATE", "optimizer" if plan.has_optimizer else ""),
        ("VALUE_LEARNING_RATE", "value_optimizer"),
    ):
        if name in changed and optimizer:
            yield f'        {optimizer}.param_groups[0]["lr"] = {name}'
    yield "        if environment_steps >= BUDGET:"
    yield "            return"


def _keeps_spread(plan: Plan) -> bool:
    return plan.continuous and not plan.per_state


def _made(plan: Plan) -> Iterator[str]:
    """What the run begins with."""
    value, count = plan.value, 5 if plan.value is None else 6
    names = ["weights", "noise", "values", "episodes", *(["fitting"] if value is not None else []), "minibatches"]
    yield f"    streams = np.random.SeedSequence(SEED).spawn({count})  # random numbers of their own for each purpose"
    number = {name: index for index, name in enumerate(names)}
    normalizer = ""
    if plan.normalizes:
        yield f"    normalizer = Normalizer({plan.environment.observation.size})"
        normalizer = ", normalizer"
    yield f"    policy = Policy(generator_of(streams[{number['weights']}]){normalizer})"
    if not isinstance(plan.update, NaturalGradient | TRPO):
        optimizer = _OPTIMIZERS[plan.update.optimizer].format("policy.parameters()", "LEARNING_RATE")
        yield f"    optimizer = {optimizer}"
    yield f"    noise = generator_of(streams[{number['noise']}])  # of the actions"
    if value is not None:
        yield f"    value = Value(generator_of(streams[{number['values']}]){normalizer})"
        fitting = _OPTIMIZERS[value.optimizer].format("value.parameters()", "VALUE_LEARNING_RATE")
        yield f"    value_optimizer = {fitting}"
    size = "EPISODES" if plan.whole_episodes else "ENVIRONMENTS"
    yield f"    seeds = streams[{number['episodes']}].generate_state({size})"
    yield "    environments = [make_environment(int(seed)) for seed in seeds]"
    if not plan.whole_episodes:
        yield "    under_way = [Episode([environment.reset()[0]]) for environment in environments]"
    if value is not None and value.minibatch_size and not plan.jointly:
        yield f"    fitted = generator_of(streams[{number['fitting']}])  # of the minibatches that V is fitted to"
    if plan.ppo is not None and plan.ppo.minibatch_size:
        yield f"    minibatches = generator_of(streams[{number['minibatches']}])"
    if plan.config.environment.normalize_rewards:
        yield "    reward_scale = RewardScale()"
    if isinstance(plan.ppo, PPOLagrangian):
        yield "    multiplier = INITIAL_MULTIPLIER"


def _iteration(plan: Plan) -> Iterator[str]:
    """From episodes to what the update came to."""
    value = plan.value
    fitted_on = value.fitted_on if value is not None else None
    fit = f'        updated["value_loss"] = {_fit(plan)}'
    if fitted_on == "independent":
        yield "        # V is fitted to trajectories that are played for it alone, and then subtracted on others."
        yield from _collected(plan)
        yield f"        value_loss = {_fit(plan)}"
        if plan.normalizes:
            yield "        normalizer.update(batch.observations)"
    yield from _collected(plan)
    if fitted_on == "same":
        yield f"        value_loss = {_fit(plan)}"
        yield f"        batch = {_estimate(plan)}  # with V as it is now"
    given = ", ".join(("policy", *(["optimizer"] if plan.has_optimizer else []), "batch", *passes(plan)))
    yield f"        updated = improve({given})"
    if isinstance(plan.ppo, PPOLagrangian):
        yield '        multiplier = updated["multiplier"]'
    if fitted_on in ("same", "independent"):
        yield '        updated["value_loss"] = value_loss'
    elif value is not None and not plan.jointly:
        yield fit
    if plan.normalizes:
        yield "        normalizer.update(batch.observations)"


def _fit(plan: Plan) -> str:
    drawn = ", fitted" if plan.value is not None and plan.value.minibatch_size else ""
    return f"fit(value, value_optimizer, batch{drawn})"


def _collected(plan: Plan) -> Iterator[str]:
    if plan.whole_episodes:
        yield "        episodes = play(policy, environments, noise)"
        yield "        ended = [(sum(episode.rewards), len(episode.rewards)) for episode in episodes]"
    else:
        yield "        played, ended = play(policy, environments, under_way, noise)"
        yield "        episodes = [episode for mine in played for episode in mine if episode.rewards]"
    yield "        environment_steps += sum(len(episode.rewards) for episode in episodes)"
    yield "        episodes_ended += len(ended)"
    yield "        recent.extend(of_episode for of_episode, _ in ended)"
    if plan.config.environment.normalize_rewards:
        yield "        scale = reward_scale.update(episodes)"
    if not plan.whole_episodes:
        yield "        under_way = [mine[-1].continued() for mine in played]"
    yield f"        batch = {_estimate(plan)}"


def _estimate(plan: Plan) -> str:
    return f"estimate({', '.join(('episodes', *estimated_with(plan)))})"
