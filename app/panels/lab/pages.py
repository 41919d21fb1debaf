"""The pages of the Lab, in the order of their buttons; what they need is imported when they are made."""

from __future__ import annotations

from app.panels.lab.page import LabPage
from app.panels.record import PanelContext, PanelWidget


def _estimators(context: PanelContext) -> PanelWidget:
    from app.panels.lab.estimators.page import EstimatorsPage

    return EstimatorsPage(context)


def _landscape(context: PanelContext) -> PanelWidget:
    from app.panels.lab.landscape.page import LandscapePage

    return LandscapePage(context)


def _baseline(context: PanelContext) -> PanelWidget:
    from app.panels.lab.baseline.page import BaselinePage

    return BaselinePage(context)


def _around(context: PanelContext) -> PanelWidget:
    from app.panels.lab.landscape.around_page import AroundPage

    return AroundPage(context)


def _weights(context: PanelContext) -> PanelWidget:
    from app.panels.lab.weights.page import WeightsPage

    return WeightsPage(context)


def _likelihood(context: PanelContext) -> PanelWidget:
    from app.panels.lab.likelihood.page import LikelihoodPage

    return LikelihoodPage(context)


def _gradients(context: PanelContext) -> PanelWidget:
    from app.panels.lab.gradients.page import GradientsPage

    return GradientsPage(context)


PAGES: tuple[LabPage, ...] = (
    LabPage(
        title="Estimators",
        help="The same batches through every estimator: how their gradients are spread around the true one",
        make=_estimators,
    ),
    LabPage(
        title="Baseline",
        help="Drag a constant baseline over the same estimates: the mean stays, the spread moves",
        make=_baseline,
    ),
    LabPage(
        title="Weights",
        help="Episodes of one policy weighed for another: how the weights grow apart with every step",
        make=_weights,
    ),
    LabPage(
        title="Gradients",
        help="A gradient three ways: by symbols, by finite differences with any step, and automatically",
        make=_gradients,
    ),
    LabPage(
        title="Likelihood",
        help="The policy gradient beside maximum likelihood on the same batch: ∇ log π weighed by Â, and by 1",
        make=_likelihood,
    ),
    LabPage(
        title="Landscape",
        help="The expected return over a policy's two parameters as a map, and five update rules that race across it",
        make=_landscape,
    ),
    LabPage(
        title="Around θ",
        help="The return a step away from the policy: along the gradient, the last update or at random, and its cliffs",
        make=_around,
    ),
)
