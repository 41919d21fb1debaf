"""A run's policy as safetensors: its parameters by name, and in the metadata all it takes to build it."""

from __future__ import annotations

import json
from pathlib import Path

from engine.config.migrations import VERSION
from engine.config.shared_text import to_text
from engine.runs.exports.export import Export, Source
from engine.runs.exports.kept_policy import KeptPolicy, kept_policy
from engine.runtime.whole_file import write_whole

FORM = "policy-gradient-playground policy 1"


def write_policy(source: Source, path: Path) -> str:
    """Tensors under the names that they have in the network, buffers such as a normaliser's moments included."""
    from safetensors.torch import save

    kept = kept_policy(source)
    tensors = {name: tensor.contiguous() for name, tensor in kept.parameters.items()}
    write_whole(path, save(tensors, metadata(source, kept)))
    return f"Wrote the policy of {source.name} after {told(kept)} to {path.name}."


def metadata(source: Source, kept: KeptPolicy) -> dict[str, str]:
    """What it is a policy of, each in a text; the configuration as saved ones are, and as what finds it again."""
    checkpoint = kept.checkpoint
    saved = {"version": VERSION, "config": kept.config.model_dump(mode="json")}
    mean = checkpoint.mean_return
    return {
        "format": FORM,
        "run": source.run.id,
        "environment": source.run.environment,
        "iteration": str(checkpoint.iteration),
        "environment_steps": str(checkpoint.environment_steps),
        "mean_return": "" if mean is None else repr(mean),
        "configuration": json.dumps(saved, ensure_ascii=False),
        "text": to_text(kept.config),
    }


def told(kept: KeptPolicy) -> str:
    """When it was kept, and how good it was then."""
    mean = kept.checkpoint.mean_return
    reached = "" if mean is None else f", with a mean return of {mean:.4g},"
    return f"{kept.checkpoint.environment_steps:,} steps{reached}"


POLICY = Export(
    "policy",
    "Policy (safetensors)",
    "The parameters of its network by name, with the configuration; for torch, JAX and others.",
    ".safetensors",
    write_policy,
)
