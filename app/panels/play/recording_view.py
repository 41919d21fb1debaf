"""A recording frame by frame: its picture, where in it one is, and which steps of it are kept."""

from __future__ import annotations

from PySide6.QtCore import QDeadlineTimer, QSignalBlocker, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QHideEvent, QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from app.models.recordings import action_words, episode_words, where
from app.panels.episode.frame_view import FrameView
from app.session.replay_thread import Moment, Place, ReplayThread
from app.style import icons
from app.style.combo import Combo
from app.style.format import NOTHING, short_number
from app.style.sentence import Sentence
from app.style.slider import Slider
from app.style.theme import Theme
from engine.catalogue.spaces import Space
from engine.runs.recording_records import EpisodeRecord, RecordingRecord

EMPTY = "Choose a recording to look at it step by step."
SEVERAL = "Choose one recording alone to look at it step by step."
NOT_IMPORTED = (
    "Pictures of this recording need code from elsewhere, of which you have not said that it may run; choose its "
    "environment, and you are asked."
)
_LOWEST = 64  # pixels of the picture
_PLAYS = 33  # ms between pictures that play by themselves
_FAR = 10  # steps of a page


class RecordingView(QWidget):
    """Shows one recording; ``trimmed`` is emitted with its id, the episode, and from where to before where it is to be
    kept."""

    trimmed = Signal(str, int, int, int)

    def __init__(self, theme: Theme, thread: ReplayThread) -> None:
        super().__init__()
        self.thread_of_replay = thread
        self._theme = theme
        self._record: RecordingRecord | None = None
        self._space: Space | None = None  # of the actions
        self._may_run = True
        self._moment: Moment | None = None
        self.picture = FrameView()
        self.picture.setAccessibleName("Recorded episode")
        self.episode_box = Combo()
        self.episode_box.setAccessibleName("Episode of the recording")
        self.slider = Slider()
        self.slider.setAccessibleName("Step of the episode")
        self.slider.setPageStep(_FAR)
        self.slider.setToolTip("Left and Right go a step, Page Up and Page Down ten; [ and ] trim")
        self.play_button = self._button("Play it from here; again to stop", checkable=True)
        self.first_button = self._button("Keep nothing before this step  ([)")
        self.last_button = self._button("Keep nothing from this step on  (])")
        self.whole_button = self._button("Keep the whole episode again")
        self.words, self.kept_words = Sentence(), Sentence()
        self._playing = QTimer(self, interval=_PLAYS)
        self._arrange()
        self._wire()
        self.apply_theme(theme)
        self.show_recording(None)

    def _button(self, tip: str, *, checkable: bool = False) -> QToolButton:
        button = QToolButton()
        button.setToolTip(tip)
        button.setAccessibleName(tip)
        button.setCheckable(checkable)
        button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        return button

    def _arrange(self) -> None:
        unit = self._theme.unit
        line = QHBoxLayout()
        line.setSpacing(unit // 2)
        line.addWidget(self.play_button)
        line.addWidget(self.slider, 1)
        for button in (self.first_button, self.last_button, self.whole_button):
            line.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(unit // 2)
        column.addWidget(self.picture, 1)
        column.addWidget(self.episode_box)
        column.addLayout(line)
        column.addWidget(self.words)
        column.addWidget(self.kept_words)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Expanding)

    def _wire(self) -> None:
        self.episode_box.activated.connect(self._choose_episode)
        self.slider.valueChanged.connect(self._look)
        self.play_button.toggled.connect(self._play)
        self._playing.timeout.connect(self._play_on)
        self.first_button.clicked.connect(self._keep_from_here)
        self.last_button.clicked.connect(self._keep_to_here)
        self.whole_button.clicked.connect(self._keep_whole)
        self.thread_of_replay.ready.connect(self._take)
        self.thread_of_replay.failed.connect(self._fail)

    # --- which is shown -----------------------------------------------------------------------------------------------

    @property
    def record(self) -> RecordingRecord | None:
        return self._record

    @property
    def episode(self) -> EpisodeRecord | None:
        """The episode that is looked at."""
        if self._record is None:
            return None
        return self._record.episodes[max(self.episode_box.currentIndex(), 0)]

    def show_none(self, why: str = EMPTY) -> None:
        """Show a sentence in place of a recording."""
        self.show_recording(None)
        self.picture.show_sentence(why)

    def show_recording(self, record: RecordingRecord | None, space: Space | None = None, may_run: bool = True) -> None:
        """Show ``record``, where its beginning is kept; the same one as before stays where it is.

        Args:
            space: of its actions, where it is known.
            may_run: whether the code of its environment may be run.
        """
        before = self._record
        self._record, self._space, self._may_run = record, space, may_run
        if record is None:
            self.play_button.setChecked(False)
            self.picture.show_sentence(EMPTY)
            self.picture.show_badge("")
            self.words.setText("")
            self.thread_of_replay.leave()
        self._fill_episodes()
        if record is not None and (before is None or before.id != record.id):
            self.play_button.setChecked(False)
            self.picture.forget_sizes()
            first = next((place for place, each in enumerate(record.episodes) if each.kept), 0)
            self.episode_box.setCurrentIndex(first)
            self._choose_episode()
        self._follow()

    def _fill_episodes(self) -> None:
        record = self._record
        texts = [] if record is None else [episode_words(n, each) for n, each in enumerate(record.episodes, 1)]
        with QSignalBlocker(self.episode_box):
            here = self.episode_box.currentIndex()
            if len(texts) != self.episode_box.count():
                self.episode_box.clear()
                self.episode_box.addItems(texts)
            for index, text in enumerate(texts):
                self.episode_box.setItemText(index, text)
            self.episode_box.setCurrentIndex(min(max(here, 0), len(texts) - 1))
        self.episode_box.setVisible(len(texts) > 1)

    def _choose_episode(self) -> None:
        episode = self.episode
        if episode is None:
            return
        self._moment = None
        with QSignalBlocker(self.slider):
            self.slider.setRange(0, episode.steps)
            self.slider.setValue(episode.first if episode.kept else 0)
        self._look()

    def step(self, by: int) -> None:
        """Go so many steps on, or back."""
        self.slider.setValue(self.slider.value() + by)

    def _look(self) -> None:
        """Ask for the moment that the slider is at."""
        if self._record is not None:
            place = Place(self._record.id, max(self.episode_box.currentIndex(), 0), self.slider.value())
            self.thread_of_replay.show(place, pictured=self._may_run)
        self._follow()

    # --- what is there to be seen -------------------------------------------------------------------------------------

    def _take(self) -> None:
        moment = self.thread_of_replay.take()
        if moment is None or self._record is None or moment.place.recording != self._record.id:
            return
        self._moment = moment
        if moment.picture is not None:
            self.picture.show_picture(moment.picture)
        else:
            self.picture.show_sentence(moment.frame.problem if self._may_run else NOT_IMPORTED)
        self._follow()

    def _fail(self, sentence: str) -> None:
        if self._record is not None:
            self.play_button.setChecked(False)
            self.picture.show_sentence(sentence, "error")

    def _follow(self) -> None:
        episode, at = self.episode, self.slider.value()
        there = episode is not None
        for control in (self.slider, self.play_button, self.first_button, self.last_button):
            control.setEnabled(there)
        self.whole_button.setEnabled(episode is not None and episode.trimmed)
        if episode is None:
            self.kept_words.setText("")
            return
        parts = [where(at, episode)]
        moment = self._moment
        if moment is not None and moment.place.step == at and at < episode.steps:
            frame = moment.frame
            parts += [action_words(frame.action, self._space), f"reward {short_number(frame.reward, 3)}"]
        if moment is not None and moment.place.step == at and moment.frame.return_so_far is not None:
            parts.append(f"return so far {short_number(moment.frame.return_so_far, 4)}")
        self.words.setText(" · ".join(part for part in parts if part != NOTHING))
        inside = episode.first <= at < episode.stop or (at == episode.stop == episode.steps and episode.kept > 0)
        self.picture.show_badge("" if inside else "Not kept")
        self.kept_words.setText(_kept(episode))

    # --- what a person does -------------------------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.text() == "[" and self.first_button.isEnabled():
            self._keep_from_here()
        elif event.text() == "]" and self.last_button.isEnabled():
            self._keep_to_here()
        else:
            super().keyPressEvent(event)

    def _keep_from_here(self) -> None:
        episode, at = self.episode, self.slider.value()
        if episode is not None:
            self._keep(at, episode.stop if episode.stop > at else episode.steps)

    def _keep_to_here(self) -> None:
        episode, at = self.episode, self.slider.value()
        if episode is not None:
            self._keep(episode.first if episode.first < at else 0, at)

    def _keep_whole(self) -> None:
        if (episode := self.episode) is not None:
            self._keep(0, episode.steps)

    def _keep(self, first: int, stop: int) -> None:
        episode, record = self.episode, self._record
        if record is not None and episode is not None and (first, stop) != (episode.first, episode.stop):
            self.trimmed.emit(record.id, self.episode_box.currentIndex(), first, stop)

    def _play(self, on: bool) -> None:
        episode = self.episode
        if on and episode is not None:
            if self.slider.value() >= episode.steps:
                self.slider.setValue(0)
            self._playing.start()
        else:
            self._playing.stop()
        self._give_icons()

    def _play_on(self) -> None:
        moment, at = self._moment, self.slider.value()
        if self.slider.value() == self.slider.maximum():
            self.play_button.setChecked(False)
        elif moment is not None and moment.place.step == at:  # else the picture of it is still to come
            self.slider.setValue(at + 1)

    # --- from the window ----------------------------------------------------------------------------------------------

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.play_button.setChecked(False)
        self.thread_of_replay.leave()

    def look_again(self) -> None:
        """Show again what was left while nobody looked."""
        self._look()

    def end(self) -> None:
        """Begin no work any more."""
        self._playing.stop()
        self.thread_of_replay.end()

    def wait(self, deadline: QDeadlineTimer) -> bool:
        return self.thread_of_replay.wait(deadline)

    def apply_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.picture.setMinimumHeight(theme.px(_LOWEST))
        for button in (self.play_button, self.first_button, self.last_button, self.whole_button):
            button.setIconSize(QSize(theme.px(16), theme.px(16)))
        self._give_icons()

    def _give_icons(self) -> None:
        names = {
            self.play_button: "pause" if self.play_button.isChecked() else "play",
            self.first_button: "arrow-collapse-left",
            self.last_button: "arrow-collapse-right",
            self.whole_button: "arrow-expand-horizontal",
        }
        for button, name in names.items():
            icons.give(button, name, color=self._theme.text, color_disabled=self._theme.muted)


def _kept(episode: EpisodeRecord) -> str:
    if not episode.trimmed:
        return "All steps are kept."
    if not episode.kept:
        return "Nothing of this episode is kept."
    return f"Kept are the steps {episode.first:,} to {episode.stop - 1:,}, {episode.kept:,} of {episode.steps:,}."
