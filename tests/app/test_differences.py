"""How two choices differ, in the words of the window."""

from __future__ import annotations

from itertools import permutations

import pytest

from app.models.runs import differences, live_changes
from engine.catalogue.methods.entries import CHOICES
from engine.config import PolicyGradientConfig, presets
from engine.config.parameters import with_values

PLAIN = PolicyGradientConfig()
SLIPPERY = with_values(PLAIN, {"environment": "FrozenLake-v1", "policy": "tabular"})


@pytest.mark.parametrize(
    ("old", "changes", "texts"),
    [
        (PLAIN, {}, []),
        (PLAIN, {"update.learning_rate": 0.002}, ["α 0.01 → 0.002"]),
        (PLAIN, {"seed": 2, "estimator.normalize_advantages": True}, ["normalise advantages off → on", "seed 1 → 2"]),
        (PLAIN, {"policy.hidden_sizes": (32,)}, ["hidden layers 64 × 64 → 32"]),
        (PLAIN, {"budget.environment_steps": 2_000_000}, ["training length 500 k → 2 M"]),
        (PLAIN, {"policy.distribution": "softmax"}, ["distribution auto → Softmax"]),
        # of a choice of another kind that alone is told, and before all parameters
        (
            PLAIN,
            {"update": "ppo-clip", "device": "cpu"},
            ["update rule Gradient ascent → PPO, clipped", "device auto → cpu"],
        ),
        (PLAIN, {"estimator.baseline": "average"}, ["baseline Learned value → Average return"]),
        (PLAIN, {"environment": "Acrobot-v1"}, ["environment Cart pole → Acrobot"]),
        (PLAIN, {"environment": "Mine-v0"}, ["environment Cart pole → Mine-v0"]),
        (SLIPPERY, {"environment.options.is_slippery": False}, ["slippery on → off"]),
        (SLIPPERY, {"environment.options.map_name": "8x8"}, ["map 4x4 → 8x8"]),
        (with_values(PLAIN, {"environment": "Mine-v0"}), {"environment.options.big_one": 3}, ["big one – → 3"]),
    ],
)
def test_a_difference_is_told_in_a_few_words(old: PolicyGradientConfig, changes: dict, texts: list[str]) -> None:
    new = with_values(old, changes)
    assert [difference.text for difference in differences(old, new)] == texts
    assert len(differences(new, old)) == len(texts)


def test_a_map_is_told_as_edited() -> None:
    old = with_values(PLAIN, {"environment": "GridWorld-v0", "policy": "tabular"})
    new = with_values(old, {"environment.options.map": ("S.", ".G")})
    (found,) = differences(old, new)
    assert (found.text, found.new_text) == ("map edited", "map edited")


def test_between_families_the_rule_tells_what_only_one_has() -> None:
    families = [PLAIN, *(with_values(PLAIN, {"update": rule}) for rule in ("exact-gradient", "q-learning", "dqn"))]
    assert len({type(config) for config in families}) == 3
    for old, new in permutations(families, 2):
        assert [each.title for each in differences(old, new) if each.path in CHOICES] == ["Update rule"]


def test_any_two_presets_can_be_told_apart() -> None:
    configs = [preset.config for preset in presets.shipped().values()]
    for old in configs:
        for new in configs:
            found = differences(old, new)
            assert (found == []) == (old == new)
            assert all(difference.text and difference.title[:1].isupper() for difference in found)


def test_what_may_change_while_training_is_found_where_both_have_it() -> None:
    new = with_values(PLAIN, {"update.learning_rate": 0.002, "policy.hidden_sizes": (8,), "estimator.credit": "gae"})
    assert live_changes(PLAIN, new) == {"update.learning_rate": 0.002}
