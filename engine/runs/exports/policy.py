"""A run's policy as safetensors: its parameters by name, and in the metadata all it takes to build it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from engine.config import RunConfig
from engine.config.migrations import VERSION, migrated
from engine.config.shared_text import to_text
from engine.config.validation import validated
from engine.runs.exports.export import Export, Source
from engine.runs.exports.kept_policy import KeptPolicy, kept_policy
from engine.runtime.sealed import texts_in
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
        **({"bug": source.run.mark} if source.run.mark else {}),
    }


@dataclass(frozen=True)
class Told:
    """What the file of a policy says of it."""

    config: RunConfig
    mean_return: float | None


def told_of(data: bytes) -> Told:
    """What stands in the metadata of a file that ``write_policy`` has written.

    Raises:
        KeyError, TypeError, ValueError, RecursionError: this is no such file.
    """
    found = texts_in(data)
    if found["format"] != FORM:
        raise ValueError(f"it has the format {found['format']!r:.60}")
    config = validated(migrated(json.loads(found["configuration"]))["config"])
    return Told(config, float(found["mean_return"]) if found["mean_return"] else None)


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
