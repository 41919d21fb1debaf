"""A policy that is written out is the policy that was kept, number for number."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open

from engine.analysis.playback import snapshot, thawed
from engine.catalogue.methods.entries import ALGORITHMS
from engine.catalogue.methods.picking import choose
from engine.config import PolicyGradientConfig
from engine.config.migrations import migrated
from engine.config.parameters import with_values
from engine.config.validation import validated
from engine.runs.exports.export import Source
from engine.runs.exports.kept_policy import kept_policy
from engine.runs.exports.policy_graph import policy_graph
from engine.runs.exports.registry import write
from engine.runs.library import Library
from engine.runs.records import RunRecord, Status
from engine.runtime.errors import RequestError
from engine.training.checkpoint import to_bytes
from engine.training.training import Training
from tests.engine.runs.libraries import filled, keep, opened, policy_for

KINDS: dict[str, dict[str, Any]] = {
    "softmax": {"environment": "CartPole-v1"},
    "linear fourier": {"environment": "MountainCar-v0", "policy": "linear", "policy.features": "fourier"},
    "linear polynomial": {"environment": "CartPole-v1", "policy": "linear", "policy.features": "polynomial"},
    "linear rbf": {"environment": "MountainCar-v0", "policy": "linear", "policy.features": "rbf"},
    "table": {"environment": "Taxi-v4", "policy": "tabular"},
    "one-hot": {"environment": "FrozenLake-v1"},
    "gaussian, normalised": {"environment": "Pendulum-v1", "environment.normalize_observations": True},
    "tanh": {"environment": "Pendulum-v1", "policy.distribution": "tanh-gaussian", "policy.spread": "per-state"},
    "beta": {"environment": "LunarLanderContinuous-v3", "policy.distribution": "beta"},
    "memory": {"environment": "CartPole-v1", "policy": "gru", "exploration.temperature": 2.0},
    "images": {"environment": "CarRacing-v3", "policy": "cnn"},
}


def kept(folder: Path, values: dict[str, Any]) -> tuple[Library, RunRecord]:
    library = opened(folder)
    run = filled(library, values)
    keep(library, run, policy_for(run.config))
    return library, run


def test_safetensors_hold_the_parameters_and_what_they_are_of(tmp_path: Path) -> None:
    library, run = kept(tmp_path, KINDS["gaussian, normalised"])
    said = write(Source(library, run), "policy", tmp_path / "p.safetensors")
    wanted = policy_for(run.config).state_dict()
    with safe_open(tmp_path / "p.safetensors", "pt") as file:
        assert set(file.keys()) == set(wanted)
        assert all(torch.equal(file.get_tensor(name), wanted[name]) for name in wanted)
        about = file.metadata()
    assert validated(migrated(json.loads(about["configuration"]))["config"]) == run.config
    assert (about["run"], about["iteration"], about["mean_return"]) == (run.id, "3", "22.5")
    assert said == "Wrote the policy of run 1 after 300 steps, with a mean return of 22.5, to p.safetensors."


def test_the_policy_is_that_of_the_checkpoint_that_is_asked_for(tmp_path: Path) -> None:
    library = opened(tmp_path)
    run = filled(library)
    for iteration, kind in ((1, "best"), (2, "kept"), (3, "last")):
        keep(library, run, policy_for(run.config, seed=iteration), iteration, kind)
    for which, seed in (("best", 1), ("last", 3)):
        found = kept_policy(Source(library, run, which))  # type: ignore[arg-type]
        wanted = policy_for(run.config, seed=seed).state_dict()
        assert all(torch.equal(found.parameters[name], wanted[name]) for name in wanted)


def test_a_checkpoint_of_a_real_run_holds_its_policy(tmp_path: Path) -> None:
    library = opened(tmp_path)
    run = filled(library)
    training = Training(run.config)
    checkpoint = keep(library, run, training.policy)
    (library.run_folder(run.id) / "checkpoints" / checkpoint.file).write_bytes(to_bytes(training.state()))
    found = kept_policy(Source(library, run)).parameters
    training.close()
    assert all(torch.equal(found[name], value) for name, value in training.policy.state_dict().items())


@pytest.mark.parametrize("kind", KINDS)
def test_the_graph_acts_as_the_policy_does(kind: str, tmp_path: Path) -> None:
    library, run = kept(tmp_path, KINDS[kind])
    source = Source(library, run)
    graph = policy_graph(kept_policy(source), _environment_of(run))
    example = _inputs(graph)
    with torch.no_grad():
        told = dict(zip(graph.outputs, graph(**example), strict=True))
        policy = policy_for(run.config)
        policy.temperature = run.config.exploration.temperature
        distribution, after = policy.step(example["observation"], example.get("memory"))
    action = policy.to_environment(distribution.mode())
    if graph.limits.numel():
        action = torch.minimum(torch.maximum(action, graph.limits[0]), graph.limits[1])
    torch.testing.assert_close(told["action"], action)
    if after is not None:
        torch.testing.assert_close(told["memory_after"], after)
    if "logits" in told:
        torch.testing.assert_close(told["logits"].log_softmax(-1), distribution.logits.log_softmax(-1))  # type: ignore[attr-defined]
    _assert_written(source, tmp_path / "p.onnx", example, told)


FAMILIES: dict[str, dict[str, Any]] = {
    "value-iteration": {"environment": "FrozenLake-v1"},
    "conservative-policy-iteration": {"environment": "FrozenLake-v1"},
    "q-learning": {"environment": "FrozenLake-v1"},
    "dqn": {"environment": "CartPole-v1", "update.dueling": True, "environment.normalize_observations": True},
    "sac": {"environment": "Pendulum-v1"},
    "td3": {"environment": "Pendulum-v1"},
    "q-actor-critic": {"environment": "CartPole-v1"},
}


@pytest.mark.parametrize("algorithm", FAMILIES)
def test_a_run_of_every_family_is_written_as_the_policy_that_it_acts_by(algorithm: str, tmp_path: Path) -> None:
    values = {"device": "cpu"} | FAMILIES[algorithm]
    config = choose(with_values(PolicyGradientConfig(), {"environment": values["environment"]}), ALGORITHMS[algorithm])
    training, library = Training(with_values(config, values)), opened(tmp_path)
    run = filled(library, configuration=training.config.model_dump(mode="json"))
    with torch.no_grad():
        for parameter in training.policy.parameters():  # as all values may be alike at first
            parameter.add_(
                0.3 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(parameter.numel()))
            )
    checkpoint = keep(library, run, training.policy)
    (library.run_folder(run.id) / "checkpoints" / checkpoint.file).write_bytes(to_bytes(training.state()))
    training.close()
    source = Source(library, run)
    assert write(source, "policy", tmp_path / "p.safetensors").startswith("Wrote the policy of run 1")
    graph = policy_graph(kept_policy(source), training.environment)
    example = _inputs(graph)
    played = thawed(snapshot(training.policy, training.config, training.environment, 0))
    with torch.no_grad():
        told = dict(zip(graph.outputs, graph(**example), strict=True))
        distribution = played(example["observation"])
        action = played.to_environment(distribution.mode())
    torch.testing.assert_close(told["action"], action)
    parameter = graph.outputs[1]
    torch.testing.assert_close(told[parameter], getattr(getattr(distribution, "base", distribution), parameter))
    _assert_written(source, tmp_path / "p.onnx", example, told)


def _assert_written(
    source: Source, path: Path, example: dict[str, torch.Tensor], told: dict[str, torch.Tensor]
) -> None:
    """The same comes of it as a graph that is written and read, where that can be."""
    pytest.importorskip("onnx")
    runtime = pytest.importorskip("onnxruntime")
    said = write(source, "onnx", path)
    assert said.startswith("Wrote the policy of run 1 after 300 steps")
    session = runtime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    found = session.run(None, {name: value.numpy() for name, value in example.items()})
    assert [output.name for output in session.get_outputs()] == list(told)
    for name, value in zip(told, found, strict=True):
        np.testing.assert_allclose(value, told[name].numpy(), rtol=2e-5, atol=2e-5, err_msg=name)
    assert session.get_modelmeta().custom_metadata_map["run"] == source.run.id


def _environment_of(run: RunRecord) -> Any:
    from engine.catalogue.configured import changed, described

    plain = described(run.config.environment)
    assert plain is not None
    return changed(plain, run.config.environment)


def _inputs(graph: Any) -> dict[str, torch.Tensor]:
    """Other rows, and more of them, than it was made with."""
    generator = torch.Generator().manual_seed(1)
    inputs = graph.example(5)
    for name, value in inputs.items():
        whole = value.dtype == torch.int64
        inputs[name] = torch.arange(5) if whole else 0.5 * torch.randn(value.shape, generator=generator)
    return inputs


def test_what_has_no_policy_is_told_so(tmp_path: Path) -> None:
    library = opened(tmp_path)
    run = filled(library)
    with pytest.raises(RequestError, match="No policy of run 1 was kept"):
        write(Source(library, run), "policy", tmp_path / "p.safetensors")
    early = filled(library, status=Status.RUNNING)
    with pytest.raises(RequestError, match="No policy of run 2 has been kept yet"):
        write(Source(library, early), "policy", tmp_path / "p.safetensors")
    checkpoint = keep(library, run, policy_for(run.config))
    file = library.run_folder(run.id) / "checkpoints" / checkpoint.file
    file.write_bytes(to_bytes({"config": {}, "learner": {"seeds": []}}))
    with pytest.raises(RequestError, match="holds no policy"):
        write(Source(library, run), "policy", tmp_path / "p.safetensors")
    file.unlink()
    with pytest.raises(RequestError, match="cannot be read"):
        write(Source(library, run), "policy", tmp_path / "p.safetensors")
    assert not (tmp_path / "p.safetensors").exists()


def test_an_environment_from_elsewhere_is_not_made_for_a_graph(tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    library = opened(tmp_path)
    config = with_values(PolicyGradientConfig(), {"environment": "tests.engine.raises_when_imported:Trap-v0"})
    run = filled(library, {"environment": config.environment.id})
    keep(library, run, policy_for(PolicyGradientConfig()))
    with pytest.raises(RequestError, match="is not in the catalogue"):
        write(Source(library, run), "onnx", tmp_path / "p.onnx")


def test_a_form_whose_package_is_not_there_says_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.catalogue.family.find_spec", lambda module: None)
    library, run = kept(tmp_path, {})
    for form, title in (("onnx", "ONNX"), ("tensorboard", "TensorBoard")):
        with pytest.raises(RequestError, match=rf'{title} is not installed.*pip install -e "\.\[{form}\]"'):
            write(Source(library, run), form, tmp_path / "out")
