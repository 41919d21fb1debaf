"""A run's policy as an ONNX graph, which runs without this program and without torch."""

from __future__ import annotations

import warnings
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from engine.catalogue.configured import changed, described
from engine.catalogue.family import Extra
from engine.catalogue.spaces import EnvironmentInfo
from engine.runs.exports.export import Export, Source
from engine.runs.exports.kept_policy import KeptPolicy, kept_policy
from engine.runs.exports.policy import metadata, told
from engine.runtime.errors import RequestError
from engine.runtime.whole_file import write_whole

if TYPE_CHECKING:
    from engine.runs.exports.policy_graph import PolicyGraph

_OPSET = 17


def write_onnx(source: Source, path: Path) -> str:
    """A graph from observations [batch, …] to the policy's most likely actions, as the environment takes them, and to
    the parameters of its distribution. A policy with a memory takes that and gives it back, zeros at first."""
    import onnx

    from engine.runs.exports.policy_graph import policy_graph

    kept = kept_policy(source)
    environment = _environment(kept)
    graph = policy_graph(kept, environment)
    model = onnx.load_from_string(_exported(graph))
    model.doc_string = (
        f"The policy of a run in {environment.id}: give it what learning sees of a state, flat and one row for each; "
        "action is the most likely one."
    )
    for name, value in metadata(source, kept).items():
        model.metadata_props.add(key=name, value=value)
    onnx.checker.check_model(model)
    write_whole(path, model.SerializeToString())
    return f"Wrote the policy of {source.name} after {told(kept)} to {path.name}, which takes {graph.takes}."


def _environment(kept: KeptPolicy) -> EnvironmentInfo:
    """What the policy acts in, which is never made for this, as that could run code from elsewhere."""
    config = kept.config.environment
    plain = described(config)
    if plain is None:
        raise RequestError(
            f"The policy cannot be written as ONNX, for {config.id} is not in the catalogue, so that what it shows is "
            "not known without making it; write the policy as safetensors instead."
        )
    return changed(plain, config)


def _exported(graph: PolicyGraph) -> bytes:
    """As torch writes it. Its older exporter is done in a fraction of a second, in place of ten in which nothing could
    train, and needs one package less; it goes with the release of torch that this program is made for."""
    import torch

    names = [*graph.inputs, *graph.outputs]
    with TemporaryDirectory() as folder, warnings.catch_warnings(), torch.no_grad():
        path = Path(folder) / "policy.onnx"
        warnings.simplefilter("ignore")  # that it is the older one, and that sizes are constants, as they are here
        torch.onnx.export(
            graph,
            tuple(graph.example(2).values()),
            path,
            input_names=list(graph.inputs),
            output_names=list(graph.outputs),
            dynamic_axes={name: {0: "batch"} for name in names},
            opset_version=_OPSET,
            dynamo=False,
        )
        return path.read_bytes()


ONNX = Export(
    "onnx",
    "Policy (ONNX)",
    "Its network as a graph that runs anywhere without torch, in ONNX Runtime or a browser.",
    ".onnx",
    write_onnx,
    Extra("onnx", "ONNX", ("onnx",)),
)
