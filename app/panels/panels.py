"""The panels of the window, in the order of their shortcuts.

Their records stand here and not beside their widgets, because the window is to show before pyqtgraph is loaded.
"""

from __future__ import annotations

from app.panels.record import Panel, PanelContext, PanelWidget
from engine.reports.events import Asked, Collected, EpisodeEnded, Estimated, Planned, Reweighted, Updated
from engine.reports.update_events import Inspected, LineSearchTry, UpdateStep


def _experiment(context: PanelContext) -> PanelWidget:
    from app.panels.experiment.panel import ExperimentPanel
    from app.session.teaching_names import teaching_names

    panel, library = ExperimentPanel(context.experiment, context.theme, context.settings), context.library
    panel.follow(context.slow)
    if library is not None:
        panel.names_in_library = lambda environment: teaching_names(library, environment)
        library.changed.connect(panel.refresh_names)
        library.recordings.changed.connect(panel.refresh_names)
    return panel


def _returns(context: PanelContext) -> PanelWidget:
    from app.panels.returns import ReturnsPanel

    person = context.person
    if context.library is not None:  # of what was played there it shows the mean, whether or not Play/Record is seen
        kept = context.library.recordings
        kept.changed.connect(lambda: person.take(kept.records))
        person.take(kept.records)
    panel = ReturnsPanel(context.theme, context.x_axis, context.past, context.optimal, person)
    panel.inspect(context.inspection)
    return panel


def _advantages(context: PanelContext) -> PanelWidget:
    from app.panels.advantages import AdvantagesPanel

    return AdvantagesPanel(context.theme, context.past, context.inspection)


def _diagnostics(context: PanelContext) -> PanelWidget:
    from app.panels.diagnostics import DiagnosticsPanel

    return DiagnosticsPanel(context.theme, context.x_axis, context.past)


def _episode(context: PanelContext) -> PanelWidget:
    from app.panels.episode.panel import EpisodePanel

    return EpisodePanel(context.theme, context.playback)


def _surface(context: PanelContext) -> PanelWidget:
    from app.panels.surface.panel import SurfacePanel

    return SurfacePanel(context.theme, context.playback, context.past, context.library)


def _teacher(context: PanelContext) -> PanelWidget:
    from app.panels.teacher.panel import TeacherPanel

    return TeacherPanel(context.theme, context.playback, context.past)


def _lab(context: PanelContext) -> PanelWidget:
    from app.panels.lab.pages import PAGES
    from app.panels.lab.panel import LabPanel

    return LabPanel(context, PAGES)


def _samples(context: PanelContext) -> PanelWidget:
    from app.panels.inspector.panel import SamplesPanel

    folder = context.library.folder if context.library is not None else None
    return SamplesPanel(context.theme, context.playback, context.past, context.inspection, folder)


def _update(context: PanelContext) -> PanelWidget:
    from app.panels.update.panel import UpdatePanel

    folder = context.library.folder if context.library is not None else None
    return UpdatePanel(context.theme, context.past, context.slow, context.inspection, folder)


def _play(context: PanelContext) -> PanelWidget:
    from app.panels.play.datasets_page import DatasetsPage
    from app.panels.play.panel import OtherPages, PlayPanel
    from app.panels.play.recordings_list import RecordingsList
    from app.panels.play.teach_gamepad import GamepadTeacher
    from app.panels.play.teach_page import TeachPage
    from app.session.dataset_library import DatasetLibrary
    from app.session.game import Game
    from app.session.gamepad import GamepadPlayer, first_gamepad, load
    from app.session.import_consent import ImportConsent
    from app.session.play_thread import PlayThread
    from app.session.recording_keeper import RecordingKeeper
    from app.session.teaching import Teaching

    assert context.library is not None
    kept = context.library.recordings
    consent = ImportConsent(context.settings)
    recordings = RecordingsList(context.theme, context.experiment, context.library, context.past, consent)
    game = Game(context.settings, PlayThread(RecordingKeeper(context.library.folder), load))
    GamepadPlayer(game, lambda: first_gamepad())
    game.thread_of_play.kept.connect(context.person.note_kept)
    game.thread_of_play.kept.connect(lambda _record: kept.look())
    teach = TeachPage(context.theme, Teaching(context.answer, load))
    GamepadTeacher(teach, lambda: first_gamepad())
    datasets = DatasetsPage(context.theme, context.experiment, DatasetLibrary(kept), consent)
    pages = OtherPages(recordings, datasets, teach)
    panel = PlayPanel(context.theme, context.experiment, game, context.person, pages)
    context.inspection.hands_asked.connect(panel.play_from)
    return panel


def _log(context: PanelContext) -> PanelWidget:
    from app.panels.log import LogPanel

    return LogPanel(context.theme)


PANELS: tuple[Panel, ...] = (
    Panel(
        title="Experiment",
        region="left",
        events=frozenset(),
        interval=0,
        help="What is trained: environment, policy, algorithm, and every parameter, with the equation they make",
        names_run=False,
        made="first",
        make=_experiment,
    ),
    Panel(
        title="Returns",
        region="centre",
        events=frozenset({Collected, Updated}),
        interval=120,
        help="Each episode's return as a dot, the mean of the last 100 as a line",
        names_run=True,
        made="soon",
        make=_returns,
    ),
    Panel(
        title="Signal",
        region="lower",
        events=frozenset({Estimated, Reweighted}),
        interval=300,  # histograms change as a whole, and faster than this only flickers
        help="What is learned from: advantages, TD errors or Bellman errors, and how far they moved the policy",
        names_run=True,
        made="soon",
        make=_advantages,
    ),
    Panel(
        title="Diagnostics",
        region="lower",
        events=frozenset({Updated}),
        interval=120,
        help="How the learning itself is doing: loss, entropy, gradient norm, speed, and what else the method measures",
        names_run=True,
        made="seen",
        make=_diagnostics,
    ),
    Panel(
        title="Agent",
        region="right",
        events=frozenset(),
        interval=0,
        help="The current policy playing, with the probabilities of its actions",
        names_run=True,
        made="first",
        make=_episode,
    ),
    Panel(
        title="Log",
        region="foot",
        events=frozenset(),
        interval=0,
        help="What happened, with times",
        names_run=False,
        made="first",
        make=_log,
    ),
    Panel(
        title="Surface",
        region="right",
        events=frozenset({Planned, Updated}),
        interval=250,
        help="What every state is worth and what the policy does in it: in the cells of grids, or on a slice",
        names_run=True,
        made="seen",
        make=_surface,
    ),
    Panel(
        title="Play/Record",
        region="right",
        events=frozenset({Asked, Updated}),
        interval=500,
        help="Play it yourself, beside what the policy returns; every episode is kept as a recording",
        names_run=False,
        made="seen",
        make=_play,
    ),
    Panel(
        title="Update",
        region="lower",
        events=frozenset({EpisodeEnded, Inspected, LineSearchTry, UpdateStep, Updated}),
        interval=100,
        help="One update in slow motion: credit, baseline, weights, the step in θ, and how far it moves the policy",
        names_run=True,
        made="seen",
        make=_update,
    ),
    Panel(
        title="Samples",
        region="lower",
        events=frozenset({Updated}),
        interval=500,
        help="The steps behind a bar or a dot that was clicked, one by one, with all that the update made of each",
        names_run=True,
        made="seen",
        make=_samples,
    ),
    Panel(
        title="Lab",
        region="lower",
        events=frozenset({Updated}),
        interval=500,
        help="Experiments with the policy that is shown: its gradient by every estimator, and more",
        names_run=True,
        made="seen",
        make=_lab,
    ),
    Panel(
        title="Teacher",
        region="lower",
        events=frozenset({Updated}),
        interval=500,
        help="How far the policy strays from its teacher's states along the episode, and where they part",
        names_run=True,
        made="seen",
        make=_teacher,
    ),
)
