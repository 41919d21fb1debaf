"""Where datasets of Minari's are; importable without numpy and without Minari."""

from __future__ import annotations

from pathlib import Path

from engine.catalogue.family import Extra

MINARI = Extra("minari", "Minari", ("minari", "h5py", "PIL"))
DATA, METADATA = "data", "metadata.json"  # the second in the first, in a dataset's folder


def data_in(folder: Path) -> Path | None:
    """Where the data of a dataset lie, whose folder this is, or which is that place itself; None where there are
    none."""
    return next((place for place in (folder / DATA, folder) if (place / METADATA).is_file()), None)


def is_minari(folder: Path) -> bool:
    """Whether ``folder`` is that of a dataset."""
    return data_in(folder) is not None
