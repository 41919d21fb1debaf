"""A run as a script: what it tells and learns, step by step, is what the engine tells and learns."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import nn

from engine.catalogue import environments
from engine.config import PlanningConfig, PolicyGradientConfig
from engine.config.parameters import with_values
from engine.config.presets import Preset, shipped
from engine.reports.diagnostic_metrics import DIAGNOSTIC
from engine.reports.events import Updated
from engine.runs.exports.export import Source
from engine.runs.exports.registry import write
from engine.runs.exports.script.plan import FAMILIES
from engine.runs.exports.script.text import literal
from engine.runs.exports.script.writing import script
from engine.runs.imports import recognised
from engine.runs.records import TOGETHER, NotedEvent, Origin
from engine.runtime.errors import RequestError
from engine.training.training import Training
from tests.engine.runs.libraries import filled, opened

ITERATIONS = 3
CLOSE = 1e-5  # weights, which are around 1 and move by 0.01 to 0.5
UNTOLD = {"steps_per_second", "learning_rate", "first_value", "discounted_return"}
UNTOLD |= {metric.name for metric in DIAGNOSTIC}

CARTPOLE: dict[str, Any] = {"environment.id": "CartPole-v1", "environment.time_limit": 14}
PENDULUM: dict[str, Any] = {"environment.id": "Pendulum-v1", "environment.time_limit": 9}
CLIFF: dict[str, Any] = {"environment.id": "CliffWalking-v1", "environment.time_limit": 20, "policy": "tabular"}
EPISODES: dict[str, Any] = {"collection": "episodes", "collection.episodes_per_update": 5}
ROLLOUTS: dict[str, Any] = {"collection": "fixed-length", "collection.environments": 3, "collection.steps": 16}
VALUE: dict[str, Any] = {"estimator.baseline": "value", "estimator.baseline.hidden_sizes": (7,)}
SHARED: dict[str, Any] = {"estimator.baseline": "shared-value"}
GAE: dict[str, Any] = {"estimator.credit": "gae"}
PPO: dict[str, Any] = {"update": "ppo-clip", "update.epochs": 3, "update.learning_rate": 0.01}
SAMPLED: dict[str, Any] = {"update.form": "single-sample", "update.kl_coefficient": 0.1}
SMALL: dict[str, Any] = {"device": "cpu", "policy": "mlp", "policy.hidden_sizes": (8, 6), "seed": 3}


def reinforce(baseline: str, **more: Any) -> dict[str, Any]:
    return (
        EPISODES | {"estimator.baseline": baseline} | {path.replace("__", "."): value for path, value in more.items()}
    )


METHODS: dict[str, dict[str, Any]] = {
    "REINFORCE, total return": reinforce("none", estimator__credit="total-return"),
    "REINFORCE, causality": reinforce("none"),
    "REINFORCE, average": reinforce("average", estimator__normalize_advantages=True),
    "REINFORCE, average per time step": reinforce("time-average", estimator__discount_states=True),
    "REINFORCE, leave one out": reinforce("leave-one-out", estimator__credit="total-return"),
    "REINFORCE, optimal": reinforce("optimal", estimator__credit="total-return"),
    "REINFORCE, optimal per parameter": reinforce(
        "optimal", estimator__baseline__per_parameter=True, estimator__discount_states=True
    ),
    "REINFORCE, learned value": reinforce("value", estimator__baseline__fit_steps=4),
    "REINFORCE, learned value in minibatches": reinforce(
        "value", estimator__credit="total-return", estimator__baseline__minibatch_size=13
    ),
    "REINFORCE, value of the same episodes": reinforce("value", estimator__baseline__fitted_on="same"),
    "REINFORCE, value of other episodes": reinforce(
        "value", estimator__baseline__fitted_on="independent", estimator__baseline__clip_range=0.5
    ),
    "REINFORCE, value on the policy's network": reinforce("shared-value", estimator__baseline__clip_range=0.1),
    "VPG": EPISODES | VALUE | GAE | {"update.entropy_coefficient": 0.05, "update.max_grad_norm": 0.3},
    "A2C": ROLLOUTS
    | VALUE
    | {"estimator.credit": "n-step", "estimator.credit.n": 5, "update.optimizer": "rmsprop"}
    | {"estimator.baseline.optimizer": "momentum", "update.entropy_coefficient": 0.02},
    "A2C on one network": ROLLOUTS | SHARED | {"estimator.credit": "n-step", "update.optimizer": "sgd"},
    "PPO, value jointly": ROLLOUTS
    | VALUE
    | GAE
    | PPO
    | {"estimator.baseline.fit_steps": 0, "update.minibatch_size": 13, "estimator.normalize_advantages": True},
    "PPO, value separately": EPISODES | VALUE | GAE | PPO | {"update.entropy_coefficient": 0.05},
    "PPO, stopped early": ROLLOUTS | VALUE | GAE | PPO | {"update.minibatch_size": 13, "update.target_kl": 0.0005},
    "PPO on one network": ROLLOUTS | SHARED | GAE | PPO,
    "PPO with a KL penalty": ROLLOUTS | VALUE | GAE | PPO | {"update": "ppo-penalty", "update.kl_coefficient": 3.0},
    "PPO with a single-sample penalty": EPISODES | VALUE | PPO | {"update": "ppo-penalty"} | SAMPLED,
    "PPO with a Lagrange multiplier": ROLLOUTS | VALUE | PPO | {"update": "ppo-lagrangian", "update.target_kl": 0.001},
    "natural gradient": EPISODES | VALUE | GAE | {"update": "natural-gradient", "update.entropy_coefficient": 0.05},
    "natural gradient, exactly": reinforce("average") | {"update": "natural-gradient", "update.solver": "exact"},
    "TRPO": EPISODES | VALUE | GAE | {"update": "trpo", "update.max_kl": 0.05, "update.entropy_coefficient": 0.02},
}
ELSE: dict[str, dict[str, Any]] = {
    "schedules": PENDULUM
    | METHODS["PPO, value jointly"]
    | {"update.learning_rate_schedule": "linear", "update.clip_range_schedule": "cosine"}
    | {"budget.environment_steps": 120},
    "temperature": PENDULUM | METHODS["VPG"] | {"exploration.temperature": 2.0},
    "temperature of choices": CARTPOLE | METHODS["VPG"] | {"exploration.temperature": 0.5},
    "observations normalised": PENDULUM
    | METHODS["REINFORCE, value of other episodes"]
    | {"environment.normalize_observations": True},
    "rewards normalised": PENDULUM | METHODS["A2C"] | {"environment.normalize_rewards": True},
    "rewards normalised and scaled": CARTPOLE
    | METHODS["REINFORCE, causality"]
    | {"environment.normalize_rewards": True, "environment.reward_offset": -0.5, "environment.reward_scale": 2.0},
    "states weighted in rollouts": CARTPOLE | METHODS["A2C"] | {"estimator.discount_states": True},
    "spread per state": PENDULUM | METHODS["VPG"] | {"policy.spread": "per-state", "policy.initial_log_std": -0.5},
    "xavier": CARTPOLE | METHODS["VPG"] | {"policy.initialization": "xavier", "policy.activation": "relu"},
    "kaiming": CARTPOLE | METHODS["A2C on one network"] | {"policy.initialization": "kaiming"},
    "torch's own weights": CARTPOLE | METHODS["REINFORCE, average"] | {"policy.initialization": "default"},
    "natural gradient, step by step": PENDULUM
    | reinforce("optimal", estimator__baseline__per_parameter=True)
    | {"update": "natural-gradient", "update.learning_rate": 0.03, "update.max_kl": 0.0}
    | {"update.learning_rate_schedule": "linear", "budget.environment_steps": 200},
    "TRPO in the table": CLIFF | METHODS["TRPO"],
    "a linear policy": PENDULUM | METHODS["VPG"] | {"policy": "linear"},
    "a table": METHODS["REINFORCE, learned value"] | CLIFF,
    "states to a network": METHODS["VPG"] | {"environment.id": "FrozenLake-v1", "policy": "mlp"},
    "options": PENDULUM | METHODS["VPG"] | {"environment.options.g": 3.0},
}


def configured(values: dict[str, Any]) -> PolicyGradientConfig:
    config: Any = PolicyGradientConfig()
    for path, value in (SMALL | values).items():
        if path == "policy.hidden_sizes" and values.get("policy", "mlp") != "mlp":
            continue
        config = with_values(config, {path: value})
    assert isinstance(config, PolicyGradientConfig)
    return config


def run(text: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script as a module."""
    module = ModuleType("script_of_a_run")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(compile(text, module.__name__, "exec"), module.__dict__)
    return module


Changes = dict[int, dict[str, Any]]
"""Parameters that have another value from an iteration on."""


def learned(training: Training, changes: Changes) -> Iterator[tuple[dict[str, Any], list[nn.Module]]]:
    """What the engine tells of each iteration, and what it has learned by then."""
    fitting = getattr(training.learner, "_fitting", None)
    modules: list[nn.Module] = [training.policy, *([] if fitting is None else [fitting.value])]
    for event in training:
        if isinstance(event, Updated):
            counted = {name: getattr(event, name) for name in ("iteration", "environment_steps", "episodes")}
            yield counted | event.metrics, modules
            for path, value in changes.get(event.iteration + 1, {}).items():
                training.change(path, value)


def assert_equal(
    config: PolicyGradientConfig,
    monkeypatch: pytest.MonkeyPatch,
    changes: Changes | None = None,
    iterations: int = ITERATIONS,
) -> None:
    """The script of ``config`` tells and learns what the engine does, iteration after iteration."""
    torch.set_num_threads(1)
    later, now = {}, config
    for iteration, values in (changes or {}).items():
        now = later[iteration] = with_values(now, values)
    module, training, seen = run(script(config, later=later), monkeypatch), Training(config), 0
    both = zip(module.train(), learned(training, changes or {}), strict=False)
    for (told, *mine), (expected, theirs) in islice(both, iterations):
        defined = {name: value for name, value in expected.items() if value is not None and name not in UNTOLD}
        assert {name for name, value in told.items() if value is not None} == defined.keys()
        assert {name: told[name] for name in defined} == pytest.approx(defined, rel=1e-3, abs=1e-4)
        for one, other in zip(mine, theirs, strict=True):
            pairs = zip(one.parameters(), other.parameters(), strict=True)
            assert max((a - b).abs().max().item() for a, b in pairs) < CLOSE
        seen += 1
    training.close()
    assert seen == iterations


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("environment", [CARTPOLE, PENDULUM], ids=["discrete", "continuous"])
def test_a_script_gives_the_same_numbers(
    environment: dict[str, Any], method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert_equal(configured(environment | METHODS[method]), monkeypatch)


def test_at_full_size_only_ratios_at_their_bounds_set_a_script_of_ppo_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """Engine and script differ by rounding, 2e-7 in the weights. Among 41,000 ratios some lie closer to 1 ± ε than that
    makes a difference, so that one cuts off a step that the other learns from, which moves weights by 1e-4. With bounds
    that no ratio comes near there is no such step, and a mistake anywhere else would show."""
    config = with_values(shipped()["cartpole-ppo"].config, {"device": "cpu", "update.clip_range": 0.99})
    assert isinstance(config, PolicyGradientConfig)
    assert_equal(config, monkeypatch, iterations=2)


WRONG = {
    "nothing stands in for what was cut off": ("if episode.terminated:", "if True:"),
    "V stands in where nothing follows": ("if episode.terminated:", "if False:"),
    "rewards count alike": ("error + GAMMA * LAMBDA", "error + LAMBDA"),
    "clipped elsewhere": ("CLIP_RANGE = 0.2", "CLIP_RANGE = 0.1"),
    "other noise": ("streams[1]", "streams[3]"),
    "another order": ("streams[5]", "streams[4]"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_another_script_gives_other_numbers(wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    config = configured(CARTPOLE | METHODS["PPO, value jointly"] | {"update.learning_rate": 0.05})
    text = script(config)
    assert WRONG[wrong][0] in text
    both = [run(each, monkeypatch).train() for each in (text, text.replace(*WRONG[wrong]))]
    (_, right, *_), (_, other, *_) = (list(islice(training, 2))[-1] for training in both)
    pairs = zip(right.parameters(), other.parameters(), strict=True)
    assert max((a - b).abs().max().item() for a, b in pairs) > 20 * CLOSE


CHANGED: Changes = {
    2: {"update.learning_rate": 0.1, "estimator.baseline.learning_rate": 0.05, "estimator.gamma": 0.7},
    3: {"update.learning_rate": 0.02, "budget.environment_steps": 10_000},
}


def test_a_script_changes_as_its_run_did(monkeypatch: pytest.MonkeyPatch) -> None:
    assert_equal(configured(CARTPOLE | METHODS["REINFORCE, learned value"]), monkeypatch, CHANGED)


def test_a_script_follows_a_run_through_those_it_was_forked_from(tmp_path: Path) -> None:
    library = opened(tmp_path)
    first = filled(library, {"update.learning_rate": 0.01})
    for iteration, rate in ((2, 0.02), (3, 0.03)):
        data = {"path": "update.learning_rate", "old": 0.01, "new": rate}
        library.note(first.id, NotedEvent("change", iteration, 1000, 1, 0.5, data))
    values = {"update.learning_rate": 0.02, "estimator.gamma": 0.5}
    second = filled(library, values, origin=Origin(first.id, 2, 1000))
    said = write(Source(library, second), "script", tmp_path / "run.py")
    text = (tmp_path / "run.py").read_text(encoding="utf-8")
    assert said.endswith("trains it again.")
    assert "LEARNING_RATE = 0.01 " in text
    assert 'CHANGES = {\n    2: {"LEARNING_RATE": 0.02},\n    3: {"GAMMA": 0.5},\n}' in text


@pytest.mark.parametrize("case", ELSE)
def test_a_script_does_all_that_it_is_written_for(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert_equal(configured(ELSE[case]), monkeypatch)


UNWRITTEN = {"cartpole-memory"} | {
    name
    for name, preset in shipped().items()
    if name.startswith(("bandit", "corridor", "grid-world", "ledge", "minigrid"))
    or not isinstance(preset.config, PolicyGradientConfig)
}


@pytest.mark.parametrize("name", sorted(shipped().keys() - UNWRITTEN))
def test_a_preset_is_written(name: str) -> None:
    text = script(shipped()[name].config)
    compile(text, name, "exec")
    assert max(map(len, text.splitlines())) <= 120


@pytest.mark.parametrize("name", sorted(UNWRITTEN))
def test_a_preset_that_is_not_written_is_refused_in_a_sentence(name: str) -> None:
    with pytest.raises(RequestError, match=r"script.*\.$"):
        script(shipped()[name].config)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"environment.observation_noise": 0.1, "environment.frame_stack": 2}, "observation noise and frame stacks"),
        ({"exploration.greedy_start": 0.5}, "greedy share"),
        ({"policy.distribution": "beta", "environment.id": "Pendulum-v1"}, "Beta"),
        ({"policy": "linear", "policy.features": "fourier"}, "fourier"),
        ({"update": "off-policy"}, "off-policy"),
        ({"policy": "gru"}, "not GRU\\."),
        ({"environment.options": {"a b": 1}}, "no option a b"),
        ({"environment.id": "ALE/Pong-v5", "policy": "cnn"}, "ALE/Pong-v5"),
    ],
)
def test_what_a_script_cannot_do_is_said(values: dict[str, Any], words: str) -> None:
    with pytest.raises(RequestError, match=words):
        script(configured(values))


def test_no_text_of_a_person_becomes_code(monkeypatch: pytest.MonkeyPatch) -> None:
    evil = '"""\nraise SystemExit\n\\"""\\'
    module = run(script(configured(CARTPOLE | METHODS["VPG"]), [evil]), monkeypatch)
    assert "raise SystemExit" in module.__dict__["__doc__"]
    assert ast.literal_eval(literal({evil: (evil, [evil])})) == {evil: (evil, (evil,))}


def test_planning_is_no_script() -> None:
    with pytest.raises(RequestError, match="estimate a policy gradient"):
        script(PlanningConfig())


def test_the_configuration_can_be_read_back(tmp_path: Path) -> None:
    config = configured(ELSE["options"])
    (tmp_path / "run.py").write_text(script(config), encoding="utf-8")
    found = recognised(tmp_path / "run.py")
    assert isinstance(found, Preset)
    assert found.config == config


def test_a_script_stands_alone(tmp_path: Path) -> None:
    """It trains in a fresh process, knows nothing of this program, and ends when its budget is used."""
    text = script(configured(CARTPOLE | METHODS["VPG"] | {"budget.environment_steps": 200}))
    imported = {line.split()[1].split(".")[0] for line in text.splitlines() if line.startswith(("import ", "from "))}
    assert imported <= {*sys.stdlib_module_names, "gymnasium", "numpy", "torch"}
    file, report = tmp_path / "script.py", tmp_path / "report.jsonl"
    file.write_text(text, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-I", str(file), "--report", str(report)],
        cwd=tmp_path, capture_output=True, text=True, check=True, env={"PYTHONIOENCODING": "utf-8"},
    )  # fmt: skip
    rows = [json.loads(line) for line in report.read_text().splitlines()]
    assert [row["iteration"] for row in rows] == list(range(1, len(rows) + 1))
    assert rows[-2]["environment_steps"] < 200 <= rows[-1]["environment_steps"]
    assert len(done.stdout.splitlines()) == len(rows)


def test_every_family_that_a_script_knows_is_one() -> None:
    assert FAMILIES.keys() <= environments.FAMILIES.keys()


def test_what_a_script_does_not_do_of_its_run_is_said(tmp_path: Path) -> None:
    library = opened(tmp_path)
    changes = {"update.entropy_coefficient": 0.002, "budget.environment_steps": 900}
    about: dict[str, Any] = {"origin": Origin("0" * 32, 4, 1200), "device": "cuda", "inexact": (TOGETHER,)}
    run = filled(library, {"update.learning_rate": 0.01}, changes=changes, **about)
    data = {"path": "update.entropy_coefficient", "old": 0.0, "new": 0.002}
    library.note(run.id, NotedEvent("change", 5, 1000, 1, 0.5, data))
    said = write(Source(library, run), "script", tmp_path / "run.py")
    text = (tmp_path / "run.py").read_text(encoding="utf-8")
    compile(text, "run.py", "exec")
    assert ("LEARNING_RATE = 0.01 " in text, "BUDGET = 900 " in text) == (True, True)
    for words in (
        "forked from another after 1,200",
        "update.entropy_coefficient to 0.002 after 1,000",
        "computed on cuda",
        "together with other seeds",
    ):
        assert words in said
        assert words in " ".join(text.split())
