"""Pictures come from a worker as they are, whatever their sizes, and lie as screens paint them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from multiprocessing import get_context
from multiprocessing.connection import Connection

import numpy as np
import pytest

from engine.environments.batches.picture_memory import PictureReceiver, PictureSender, pixels_of
from engine.reports.frames import Image


@pytest.fixture
def ends() -> Iterator[tuple[Connection, Connection]]:
    ours, theirs = get_context("spawn").Pipe()
    with ours, theirs:
        yield ours, theirs


def picture(height: int, width: int, seed: int) -> Image:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def sent(given: Image, sender: PictureSender, receiver: PictureReceiver, connection: Connection) -> Image:
    size = sender.put(given)
    memory = receiver.memory_for(size)
    if memory is not None:
        memory.send(connection, os.getpid())
        memory.close()
        sender.take_memory()
    return receiver.picture(size)


def test_pictures_arrive_whatever_sizes_follow_each_other(ends: tuple[Connection, Connection]) -> None:
    ours, theirs = ends
    sender, receiver = PictureSender(theirs), PictureReceiver()
    given = [picture(*size, seed) for seed, size in enumerate([(2, 3), (5, 4), (1, 1), (4, 5), (64, 7)])]
    found = [sent(each, sender, receiver, ours) for each in given]  # each has to outlive those after it
    for one, other in zip(given, found, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_picture_from_a_worker_is_painted_without_another_copy(ends: tuple[Connection, Connection]) -> None:
    ours, theirs = ends
    found = sent(picture(3, 2, 1), PictureSender(theirs), PictureReceiver(), ours)
    pixels = pixels_of(found)
    assert np.shares_memory(pixels, found)
    assert (pixels[:, :, 3] == 255).all()


@pytest.mark.parametrize("every", [1, 2])
def test_any_other_picture_is_copied_into_that_layout(every: int) -> None:
    given = picture(6, 4, 2)[::every, ::every]
    pixels = pixels_of(given)
    np.testing.assert_array_equal(pixels[:, :, 2::-1], given)
    assert (pixels[:, :, 3] == 255).all()
    assert pixels.flags.c_contiguous
