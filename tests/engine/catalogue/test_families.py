"""Families of environments: one record each, found by being there."""

from __future__ import annotations

from importlib import import_module

import pytest

from engine.catalogue import environments
from engine.catalogue.environments import ENVIRONMENTS, FAMILIES
from engine.catalogue.family import Family
from engine.config.environments import EnvironmentConfig
from engine.environments.batches.batched import batched

EVERY = pytest.mark.parametrize("family", FAMILIES.values(), ids=lambda family: family.name)
CLASSIC = FAMILIES["classic"]


@EVERY
def test_a_family_stands_in_the_file_of_its_name(family: Family) -> None:
    assert import_module(f"{environments.__name__}.{family.name}").FAMILY is family


@EVERY
def test_it_says_what_it_is(family: Family) -> None:
    assert family.title
    assert family.summary.endswith(".")


def test_environments_stand_family_by_family() -> None:
    found = [(family.name, info.id) for family in FAMILIES.values() for info in family.environments]
    assert [(info.family, id) for id, info in ENVIRONMENTS.items()] == found
    assert [family.order for family in FAMILIES.values()] == sorted(family.order for family in FAMILIES.values())


@EVERY
def test_batched_are_those_with_dynamics_of_our_own(family: Family) -> None:
    stepped = {batched(EnvironmentConfig(id=info.id), [1]) is not None for info in family.environments if info.finite}
    assert stepped <= {True}
    others = [info for info in family.environments if not info.finite]
    assert all((batched(EnvironmentConfig(id=info.id), [1]) is not None) is family.batched for info in others)


@pytest.mark.parametrize(
    ("other", "what"),
    [
        (FAMILIES["toy"]._replace(name="classic"), "name"),
        (FAMILIES["toy"]._replace(order=CLASSIC.order), "order"),
        (FAMILIES["toy"]._replace(environments=CLASSIC.environments), "id"),
    ],
)
def test_two_families_cannot_be_taken_for_each_other(other: Family, what: str) -> None:
    with pytest.raises(ValueError, match=f"the same {what}"):
        environments.in_order((CLASSIC, other))


@EVERY
def test_an_options_switch_is_an_option_that_is_on_or_off(family: Family) -> None:
    for info in family.environments:
        switches = {option.name for option in info.options if isinstance(option.default, bool)}
        assert {option.switch for option in info.options if option.switch} <= switches
