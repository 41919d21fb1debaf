"""The experiment as a model."""

from __future__ import annotations

import pytest

from engine.catalogue.environments import ENVIRONMENTS
from engine.catalogue.methods.entries import ALGORITHMS, BASELINES, CREDITS, DISTRIBUTIONS, POLICIES, UPDATES
from engine.catalogue.spaces import EnvironmentInfo, Space
from engine.config import PolicyGradientConfig
from engine.config.parameters import with_values
from tests.app.shorthands import experiment, heard, pick_environment


def test_an_algorithm_sets_credit_baseline_and_update():
    chosen = experiment(estimator__credit="total-return", estimator__baseline="none")
    chosen.pick(ALGORITHMS["reinforce-learned-baseline"])
    estimator = chosen.config.estimator
    assert (estimator.credit.kind, estimator.baseline.kind, chosen.config.update.kind) == (
        "reward-to-go",
        "value",
        "gradient-ascent",
    )


def test_picking_another_baseline_keeps_the_other_parameters():
    chosen = experiment(update__learning_rate=0.5, estimator__gamma=0.9)
    chosen.pick(BASELINES["none"])
    assert (chosen.config.update.learning_rate, chosen.config.estimator.gamma) == (0.5, 0.9)


def test_a_pair_that_cannot_work_is_refused_with_the_reason():
    chosen = experiment(estimator__baseline="average", collection__episodes_per_update=1)
    before, reasons = chosen.config, heard(chosen.rejected)
    reason = chosen.pick(CREDITS["total-return"])
    assert chosen.config == before
    assert reasons == [reason]
    assert "at least 2 episodes" in reason


def test_a_value_out_of_bounds_is_refused_with_the_reason():
    chosen = experiment()
    before, reasons = chosen.config, heard(chosen.rejected)
    chosen.set_value("update.learning_rate", -1.0)
    assert chosen.config == before
    assert reasons[0].startswith("Learning rate ")
    assert "greater than 0" in reasons[0]


def test_a_value_that_makes_the_pair_impossible_is_refused():
    chosen = experiment(estimator__credit="total-return", estimator__baseline="average")
    assert "at least 2 episodes" in chosen.set_value("collection.episodes_per_update", 1)


def test_reset_gives_the_default_back():
    chosen = experiment(update__learning_rate=0.5)
    chosen.reset_value("update.learning_rate")
    assert chosen.config.update.learning_rate == PolicyGradientConfig().update.learning_rate


@pytest.mark.parametrize(
    ("environment", "values", "to", "expected"),
    [
        ("FrozenLake-v1", {"policy": "tabular"}, "CartPole-v1", "the policy is now MLP."),
        ("FrozenLake-v1", {"policy": "tabular"}, "Pendulum-v1", "the policy is now MLP."),
        ("FrozenLake-v1", {"policy": "tabular"}, "CarRacing-v3", "the policy is now CNN, convolutional."),
        ("Pendulum-v1", {"policy.distribution": "beta"}, "CartPole-v1", "the distribution is now Softmax."),
        ("Pendulum-v1", {"policy.distribution": "gaussian"}, "Acrobot-v1", "the distribution is now Softmax."),
        (
            "MountainCar-v0",
            {"policy": {"kind": "linear", "features": "rbf"}},
            "FrozenLake-v1",
            "the features are now raw.",
        ),
        (
            "FrozenLake-v1",
            {"update": "exact-gradient"},
            "CartPole-v1",
            "the update rule is now Gradient ascent.",
        ),
    ],
)
def test_what_no_longer_fits_gives_way_to_the_nearest(environment: str, values: dict, to: str, expected: str):
    chosen = experiment(environment, **values)
    words = heard(chosen.adjusted)
    pick_environment(chosen, ENVIRONMENTS[to])
    assert chosen.problem() is None
    assert words[0].endswith(expected)


def test_a_cnn_gives_way_where_there_are_features_and_no_images_but_can_be_chosen_there():
    cars = EnvironmentInfo("Cars-v0", "X", "X.", Space("box", 25, shape=(5, 5)), Space("discrete", 5))
    chosen = experiment("CarRacing-v3", policy="cnn")
    words = heard(chosen.adjusted)
    pick_environment(chosen, cars)
    assert chosen.config.policy.kind == "mlp"
    assert words == ["A CNN looks at images, but Cars-v0 observes none; the policy is now MLP."]
    chosen.pick(POLICIES["cnn"])
    chosen.set_value("environment.frame_stack", 2)
    assert (chosen.config.policy.kind, chosen.problem()) == ("cnn", None)


def left_for_the_exact_gradient():
    """An experiment that was PPO's, with some values of its own, and has changed in what both families have."""
    chosen = experiment("GridWorld-v0", policy="tabular")
    chosen.pick(ALGORITHMS["ppo"])
    for path, value in (("collection.steps", 64), ("estimator.credit.gae_lambda", 0.8), ("update.clip_range", 0.3)):
        chosen.set_value(path, value)
    before = chosen.config
    chosen.pick(UPDATES["exact-gradient"])
    chosen.set_value("estimator.gamma", 0.9)
    chosen.set_value("seed", 7)
    return chosen, before


def test_coming_back_from_another_family_nothing_is_lost_that_was_set_there():
    chosen, before = left_for_the_exact_gradient()
    chosen.pick(UPDATES["ppo-clip"])
    assert chosen.config == with_values(before, {"estimator.gamma": 0.9, "seed": 7})


def test_an_algorithm_of_another_family_brings_its_estimator_and_leaves_the_rest_as_it_was():
    chosen, _ = left_for_the_exact_gradient()
    chosen.pick(ALGORITHMS["ppo-penalty"])
    assert (chosen.config.update.kind, chosen.config.estimator.credit.gae_lambda) == ("ppo-penalty", 0.8)
    assert (chosen.config.collection.steps, chosen.config.estimator.gamma) == (64, 0.9)


def test_what_was_left_no_longer_counts_where_a_whole_configuration_is_taken():
    chosen, _ = left_for_the_exact_gradient()
    chosen.set_config(chosen.config, chosen.plain)
    chosen.pick(UPDATES["ppo-clip"])
    assert chosen.config.update.clip_range == 0.2
    assert chosen.config.collection.kind == "episodes"


def test_where_the_exact_gradient_gives_way_what_was_set_before_it_is_back():
    chosen, before = left_for_the_exact_gradient()
    pick_environment(chosen, ENVIRONMENTS["CartPole-v1"])
    assert (chosen.config.collection, chosen.config.update) == (before.collection, before.update)
    assert chosen.config.estimator.gamma == 0.9
    assert chosen.problem() is None


def test_a_distribution_that_suits_the_actions_follows_the_environment():
    chosen = experiment()
    chosen.pick(DISTRIBUTIONS["softmax"])
    words = heard(chosen.adjusted)
    pick_environment(chosen, ENVIRONMENTS["Pendulum-v1"])
    assert (chosen.config.policy.distribution, words) == ("auto", [])


def test_a_table_refuses_what_it_cannot_hold():
    chosen = experiment("FrozenLake-v1", policy="tabular")
    assert chosen.refusal_of(DISTRIBUTIONS["gaussian"]).startswith("A table holds no Gaussian policy")


def test_the_nearest_policy_keeps_its_hidden_layers():
    chosen = experiment(policy__hidden_sizes=[7, 5])
    chosen.pick(POLICIES["mlp"])
    pick_environment(chosen, ENVIRONMENTS["Pendulum-v1"])
    assert chosen.config.policy.hidden_sizes == (7, 5)


def test_a_policy_that_fits_stays_and_nothing_is_said():
    chosen = experiment()
    words = heard(chosen.adjusted)
    pick_environment(chosen, ENVIRONMENTS["Acrobot-v1"])
    assert words == []


def test_what_cannot_be_trained_is_told():
    chosen = experiment()
    chosen.set_config(with_values(chosen.config, {"policy": "tabular"}), chosen.environment)
    assert "discrete states" in chosen.problem()


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        ("update.learning_rate", 200.0, "Learning rate cannot be 200.0: it should be at most 100."),
        ("update.learning_rate", "abc", 'Learning rate cannot be "abc": it should be a number.'),
        ("update.learning_rate", "", "Learning rate cannot be empty: it should be a number."),
        ("collection.episodes_per_update", 1.5, "Episodes per update cannot be 1.5: it should be a whole number."),
        ("policy.hidden_sizes", (), "Hidden layers cannot be empty: at least one number is needed."),
        ("policy.hidden_sizes", (8, 0), "Hidden layers cannot be 0: it should be at least 1."),
    ],
)
def test_refusals_are_plain_and_name_the_title(path: str, value: object, sentence: str):
    assert experiment().set_value(path, value) == sentence
