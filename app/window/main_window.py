"""The window: assembles the panels, and wires every signal in one block."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QByteArray, QDeadlineTimer, QEvent, QSettings, Qt, QTimer
from PySide6.QtGui import QCloseEvent, QPaintEvent

from app.gallery.lazy_gallery import LazyGallery
from app.models.axis_choice import AxisChoice
from app.models.experiment import Experiment
from app.models.notices import Level
from app.models.remembered import strings
from app.models.run_state import ACTIVE, ENDED, RunState
from app.panels.experiment.panel import ExperimentPanel
from app.panels.log import LogPanel
from app.panels.panels import PANELS
from app.panels.record import Panel, PanelContext
from app.session.allowance import Allowance
from app.session.choice_loader import ChoiceLoader
from app.session.import_consent import ImportConsent
from app.session.lookup_thread import LookupThread
from app.session.mailbox import Mailbox
from app.session.optimal_returns import OptimalReturns
from app.session.playback_thread import PlaybackThread
from app.session.run_controller import RunController
from app.session.run_library import RunLibrary
from app.session.training_thread import TrainingThread
from app.style import icons
from app.style.theme import Theme, ThemeChoice
from app.window import actions as acts
from app.window import modes, screen_fit
from app.window.compare_mode import CompareMode
from app.window.experiment_mode import ExperimentMode
from app.window.findings import Findings
from app.window.frame import Frame
from app.window.invitation import DropWindow
from app.window.keyboard import Keyboard
from app.window.look import Look
from app.window.menus import OwnMenus, fill_menu_bar, offer_help
from app.window.panels import Panels
from app.window.present import Present
from app.window.preset_files import PresetFiles
from app.window.preset_menu import PresetMenu
from app.window.run_files import RunFiles
from app.window.runs import Runs
from app.window.step_menu import StepMenu
from app.window.toolbar import Toolbar
from app.window.undoing import TriedMenu
from engine.catalogue.configured import described
from engine.catalogue.methods.stops import Until
from engine.catalogue.spaces import EnvironmentInfo
from engine.config import RunConfig
from engine.config.presets import Preset
from engine.runs.place import library_folder

TICK = 40  # ms; each refreshes one panel at most
TEXT_EVERY = 6  # ticks of that length
HEAD_START = 250  # ms from the first picture to loading torch, for what the window has yet to set


class MainWindow(DropWindow):
    """Shows at once; torch is loaded by the training thread while the window is already usable."""

    def __init__(
        self,
        settings: QSettings,
        preset: Preset,
        environment: EnvironmentInfo | None = None,
        panels: Sequence[Panel] = PANELS,
        library: Path | None = None,
    ) -> None:
        super().__init__()
        self.setWindowTitle("Policy Gradient Playground")
        self._settings = settings
        self.look = Look(settings, self)
        self._closed, self._settled, self._followed = False, False, RunState.IDLE

        known = environment or described(preset.config.environment)
        self.experiment = Experiment(preset.config, known) if known else Experiment()
        self.playback = PlaybackThread()
        mailbox = Mailbox()
        self.training = TrainingThread(self.playback, [mailbox], library)
        self.lookups = LookupThread()
        self.controller = RunController(self.training, mailbox)
        self.choice_loader = ChoiceLoader(self.experiment, self.lookups, ImportConsent(settings), self)
        self.gallery = LazyGallery(self.experiment, self.choice_loader, self.lookups, settings, self)

        self.keyboard = Keyboard(self)
        self.actions_by_name = acts.make_actions(self)
        self._modes = modes.make_actions(self)
        self._preset_files = PresetFiles(self.experiment, self.choice_loader, self)
        self.preset_menu = PresetMenu(self.choice_loader, self._preset_files, self.actions_by_name, self)
        self.toolbar = Toolbar(self.actions_by_name, self._modes, self.preset_menu)
        self.frame = Frame(self.toolbar, panels, settings)
        self.docks, self._notice = self.frame.train.docks, self.frame.shelf.notice
        self.present = Present(self.frame, [panel.title for panel in panels], self.actions_by_name)
        self.toolbar.add_present(self.actions_by_name["present"])
        self.setCentralWidget(self.present.stack)

        self.x_axis = AxisChoice(settings.value("x_axis"))
        self.run_library = RunLibrary(library_folder(library), self)
        context = PanelContext(self.look.theme, self.experiment, self.playback, self.x_axis, settings)
        best, answer = OptimalReturns(self.lookups), self.controller.answer
        context = replace(context, optimal=best, library=self.run_library, answer=answer, slow=self.controller.slow)
        self.panels = Panels(panels, context, self.frame, slack=TICK / 2000)
        self.present.follow(self.panels)
        self.panels.make_first()
        self.experiment_panel = self.panels.find(ExperimentPanel)
        self.log = self.panels.find(LogPanel)

        self.runs = Runs(self.controller, self.run_library, self.choice_loader, self.playback, self)
        self.compare = CompareMode(self.frame, self._modes, self.choice_loader, self.controller, self.run_library)
        self.compare.follow(self.panels, self.runs)
        self.experiments = ExperimentMode(self.frame, self._modes, self.experiment, self.run_library, settings)
        self.findings = Findings(self.frame.train, self.panels, self.runs, self.compare)
        self.toolbar.add_run(self.runs.pace, self.controller, settings)
        self.frame.add_run_row(self.runs.row)
        self.runs.list_in(self.frame, self.actions_by_name["all_runs"], lambda: self.look.theme)
        self.files = RunFiles(self.controller, self.choice_loader, self.run_library, self.runs.shelf, self)
        tried = TriedMenu(self.runs.undoing, self)
        steps = StepMenu(self.toolbar, self.actions_by_name, self.step, self.controller, lambda: self.experiment.config)
        own = OwnMenus(self.preset_menu, self.toolbar, tried, self.files.export_menu, steps)
        fill_menu_bar(self, self.actions_by_name, own, [self._modes, self.frame.toggles])
        self._tick = QTimer(self, interval=TICK)
        self._ticks, self._allowance = 0, Allowance()
        self._wire()
        self.resize(1280, 800)
        self._restore()
        self.look.apply()  # late: what is made and moved under a style sheet is polished again and again
        self.choice_loader.load(preset, environment)
        self._follow(self.controller.state)
        self.setFocus()

    def _wire(self) -> None:
        """Every connection of the window."""
        on = self.actions_by_name
        on["start"].triggered.connect(self.start_or_pause)
        on["stop"].triggered.connect(self.controller.stop)
        on["reset"].triggered.connect(self.controller.reset)
        on["fork"].triggered.connect(lambda: self.runs.fork())
        self.runs.is_sound = self._is_sound
        self.runs.undoing.show_in(on)
        self.files.answer(on)
        on["environments"].triggered.connect(self._open_gallery)
        on["quit"].triggered.connect(self.close)
        on["load_preset"].triggered.connect(self._preset_files.ask_for_file)
        on["save_preset"].triggered.connect(self._preset_files.ask_where_to_save)
        self.look.obey(on)
        on["restore_layout"].triggered.connect(self.frame.train.arrange)
        on["present"].triggered.connect(self.present.toggle)
        on["present"].triggered.connect(self._show_progress)
        on["full_screen"].triggered.connect(self._toggle_full_screen)
        offer_help(self, on, len(self.panels), (self.experiment, self.controller, self.run_library, self._settings))

        self.experiment.changed.connect(self._show_choice)
        self.experiment.changed.connect(self._notice.forget)
        self.experiment.rejected.connect(lambda sentence: self.notify("warning", sentence))
        self.experiment.adjusted.connect(lambda sentence: self.notify("info", sentence))
        self.experiment_panel.gallery_asked.connect(self._open_gallery)
        self.experiment_panel.live_change.connect(self.controller.change)
        for panel in (self.experiment_panel, self.gallery):
            panel.stop_asked.connect(self.controller.stop)
        self.experiment_panel.withdrawn.connect(self.choice_loader.drop)
        self.toolbar.device.chosen.connect(lambda device: self.experiment.set_value("device", device))

        self.controller.state_changed.connect(self._follow)
        self.controller.began.connect(self._begin)
        self.controller.cleared.connect(self._clear)
        self.runs.tell_to(self.panels)
        self.runs.start_asked.connect(self.start)
        self.runs.go_on_asked.connect(self.go_on)
        self.training.ready.connect(self._start_lookups)
        told = (self.runs.log, self.controller.log, self.training.log, self.lookups.log, self.experiments.log)
        for log in (*told, self.choice_loader.notice):
            log.connect(self.notify)
        self.training.device_chosen.connect(self._explain_device)
        self.playback.failed.connect(lambda sentence: self.log.append("warning", sentence))
        self.gallery.looking.connect(self.experiment_panel.environment_looked_at)
        self.gallery.held_up.connect(lambda sentence: self.experiment_panel.environment.say(sentence, "warning"))
        self.gallery.refused.connect(self.experiment_panel.environment_refused)
        self.choice_loader.taken.connect(self.experiment_panel.form.discard)
        self.choice_loader.named.connect(lambda name: self.toolbar.show_preset(name.title, name.edited))
        self.choice_loader.named.connect(self.experiment_panel.story.show_name)
        self.x_axis.changed.connect(lambda axis: self._settings.setValue("x_axis", axis))
        self.panels.inspection.lead(self.docks.bring_forward)
        self._tick.timeout.connect(self._on_tick)
        self.look.changed.connect(self._wear)

    # --- the run ------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        if self._is_sound():
            self.controller.start(self.experiment.config, self.experiment.plain)

    def step(self, until: Until = "iteration") -> None:
        if self._is_sound():
            self.controller.step(self.experiment.config, self.experiment.plain, until)

    def go_on(self) -> None:
        """Go on with the run that is shown, whatever has been edited since."""
        if self._is_sound():
            self.runs.go_on()

    def _is_sound(self) -> bool:
        """Whether every field holds something that fits; a number still being typed counts."""
        complaint = self.experiment_panel.commit()
        if not complaint and self.choice_loader.awaited:
            complaint = (
                f"{self.choice_loader.awaited.id} is still being looked at; start once it is there, or choose another."
            )
        if complaint:
            self.notify("error", complaint)
        return not complaint

    def start_or_pause(self) -> None:
        (self.controller.pause if self.controller.state is RunState.RUNNING else self.start)()

    def when_running(self, then: Callable[[], object]) -> None:
        """Call ``then`` once, as soon as the run trains or has come to an end."""

        def follow(state: RunState) -> None:
            if state in (RunState.RUNNING, RunState.IDLE, *ENDED):
                self.controller.state_changed.disconnect(follow)
                then()

        self.controller.state_changed.connect(follow)

    def _follow(self, state: RunState) -> None:
        goes_on = state is RunState.RUNNING and self._followed in (RunState.PAUSED, *ENDED)
        if state is RunState.STARTING or goes_on:
            self._notice.forget()  # what was told of the run before this one, or of its rest
        self._followed = state
        self.toolbar.follow(self.controller, self.experiment.config, self.look.theme)
        active = state in ACTIVE
        self.experiment_panel.set_running(active)
        self.gallery.set_running(active)
        self.toolbar.device.set_locked(active)
        self.preset_menu.set_locked(active)
        if active and state is not RunState.PAUSED:
            if not self._tick.isActive():
                self._allowance.renew()
                self._tick.start()
        else:
            self._tick.stop()
            self.controller.collect()
            self._refresh_panels()
        self._show_progress()

    def _begin(self, config: RunConfig) -> None:
        self._clear_panels()
        self.notify("info", f"Training on {config.environment.id} with {self.controller.seed_words}.")

    def _clear(self) -> None:
        self._notice.forget()
        self.playback.reset()
        self._clear_panels()
        self.toolbar.device.explain("")

    def _clear_panels(self) -> None:
        self.panels.reset()
        self._ready_panels()
        self._show_progress()

    def _refresh_panels(self) -> None:
        if not self.controller.shows_nothing:
            self.panels.refresh(self.controller.history)

    def _on_tick(self) -> None:
        self._ticks += self._tick.interval() // TICK
        news = self.controller.collect()
        thrifty = not self._allowance.is_left()
        self._tick.setInterval(2 * TICK if thrifty else TICK)
        self.panels.refresh_next(self.controller.history, news, seldom=thrifty)
        if self._ticks >= TEXT_EVERY:
            self._ticks = 0
            self._show_progress()

    def _show_progress(self) -> None:
        state = self.controller.state
        self.runs.show_state()
        self.toolbar.progress.show_progress(self.controller.progress(), active=state in ACTIVE)
        self.present.tell(self.controller.shown, self.controller.ghost, state)

    def _explain_device(self, reason: str) -> None:
        self.toolbar.device.explain(reason)
        self.log.append("info", f"Networks run on {reason}.")

    # --- the choice ---------------------------------------------------------------------------------------------------

    def _show_choice(self) -> None:
        config = self.experiment.config
        self.toolbar.device.show_device(config.device)
        self.toolbar.follow(self.controller, self.experiment.config, self.look.theme)
        if self.controller.shows_nothing and self.controller.state not in ACTIVE:
            self._ready_panels()

    def _ready_panels(self) -> None:
        """Ready the panels for the present choice; while a run is on screen, they stay as its own choice made them."""
        self.panels.set_choice(self.experiment.environment, self.experiment.config)

    def _open_gallery(self) -> None:
        self.gallery.open(self.look.theme)

    # --- the look -----------------------------------------------------------------------------------------------------

    def set_theme(self, choice: ThemeChoice) -> None:
        self.look.choose(choice)

    def _wear(self, theme: Theme) -> None:
        acts.set_icons(self.actions_by_name, theme)
        self.runs.apply_theme(theme)
        self.toolbar.apply_theme(theme)
        self.toolbar.follow(self.controller, self.experiment.config, theme)
        self.frame.apply_theme(theme)
        self.panels.apply_theme(theme)
        self.present.apply_theme(theme)
        self.gallery.apply_theme(theme)
        for name in ("system", "dark", "light"):
            self.actions_by_name[f"theme_{name}"].setChecked(name == self.look.choice)

    def _toggle_full_screen(self) -> None:
        self.setWindowState(self.windowState() ^ Qt.WindowState.WindowFullScreen)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.WindowStateChange:
            self.actions_by_name["full_screen"].setChecked(self.isFullScreen())

    def notify(self, level: Level, sentence: str) -> None:
        """Write a sentence to the log, and show it at the foot of the window."""
        self.log.append(level, sentence)
        self._notice.tell(level, sentence)
        if level != "info":
            self.present.warn(sentence)

    # --- what the window remembers ------------------------------------------------------------------------------------

    def _restore(self) -> None:
        geometry = self._settings.value("geometry")
        screen_fit.fit(self, fill=not (isinstance(geometry, QByteArray) and self.restoreGeometry(geometry)))
        titles = strings(self._settings, "panels") or self.docks.titles
        self.frame.train.remember(self._settings.value("layout"), titles)

    def focusNextPrevChild(self, next: bool) -> bool:
        self.keyboard.go_on()
        return super().focusNextPrevChild(next)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if not self._settled:
            # Only now, so that neither icons nor plots nor torch can delay the first picture of the window.
            self._settled = True
            QTimer.singleShot(0, icons.load)
            QTimer.singleShot(0, self._make_late_panels)
            QTimer.singleShot(HEAD_START, self._start_threads)

    def _make_late_panels(self) -> None:
        self.panels.make_others()
        self.run_library.open()
        self._ready_panels()
        self._refresh_panels()
        self.runs.tell(self.panels)

    def _start_threads(self) -> None:
        if not self._closed:
            self.training.start()
            self.playback.start()

    def _start_lookups(self) -> None:
        if not self._closed:
            self.lookups.start()

    def closeEvent(self, event: QCloseEvent) -> None:
        self.present.leave()
        if not self.isFullScreen():
            self._settings.setValue("geometry", self.saveGeometry())
        for name, value in zip(("layout", "panels"), self.frame.train.to_remember, strict=True):
            self._settings.setValue(name, value)
        self._settings.sync()
        self._closed = True
        self.gallery.close()
        super().closeEvent(event)

    def shut_down(self, patience: int = 5000) -> bool:
        """Stop timers and threads within ``patience`` ms; False where one is still at work, be it in an environment
        that never returns."""
        self._closed = True
        self.runs.thumbnails.keep()
        self.run_library.close()
        self._tick.stop()
        self.training.ask("quit")  # all at once, so that each ends while the others do
        pages = self.compare, self.experiments
        for each in (others := (self.lookups, self.playback, *pages, self.files.work, self.panels, self.runs.workers)):
            each.end()
        deadline = QDeadlineTimer(patience)
        return all(each.wait(deadline) for each in (*others, self.training))
