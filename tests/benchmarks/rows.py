"""Every benchmark and the figures it is held to, importable without torch or Qt."""

from __future__ import annotations

from tests.benchmarks.figures import Figure, Row

ROWS: dict[str, Row] = {
    row.name: row
    for row in (
        Row(
            "reinforce-speed",
            "REINFORCE steps/s against the lecture's one-episode-at-a-time loop",
            "reinforce_speed",
            (Figure("speed-up", "×", least=40.0),),
        ),
        Row(
            "cartpole-475",
            "Wall clock to a mean return of 475 on CartPole: fastest preset against SB3 PPO",
            "cartpole_475",
            (Figure("share of SB3's time", "", most=1 / 25),),
        ),
        Row(
            "ppo-speed",
            "PPO steps/s on CartPole at the settings of SB3's zoo, against SB3 and against SBX",
            "ppo_speed",
            (Figure("speed-up", "×", least=3.5), Figure("speed-up against SBX", "×", least=2.0)),
        ),
        Row(
            "dqn-speed",
            "DQN steps/s on CartPole at the settings of SB3's zoo, against SB3 and against SBX",
            "dqn_speed",
            (Figure("speed-up", "×", least=2.0), Figure("speed-up against SBX", "×", least=1.0)),
        ),
        Row(
            "sac-speed",
            "SAC steps/s on Pendulum at the settings of SB3's zoo, against SB3 and against SBX",
            "sac_speed",
            (Figure("speed-up", "×", least=2.0), Figure("speed-up against SBX", "×", least=1.0)),
        ),
        Row(
            "wall-clock",
            "Seconds until DQN on CartPole and SAC on Pendulum have learned, against SB3 and against SBX",
            "wall_clock",
            tuple(
                Figure(f"{task}, against {peer}", "×", least=least)
                for task in ("DQN on CartPole", "SAC on Pendulum")
                for peer, least in (("SB3", 2.0), ("SBX", 1.0))
            ),
        ),
        Row(
            "learning",
            "The presets that have a target reach it, from every seed",
            "learning",
            (Figure("seeds that reach it", "", least=1.0),),
            frozenset({"only", "seeds", "first_seed", "resume"}),
        ),
        Row(
            "speed",
            "Training and stepping beside SB3, SBX, Gymnasium, EnvPool and the one-episode loop, and what bounds each",
            "speed.row",
            (
                Figure("LunarLander PPO against SB3", "×", least=2.0),
                *(
                    Figure(f"stepping {environment}, 64 … 4096, against the best other", "×", least=1.0)
                    for environment in ("CartPole-v1", "Acrobot-v1", "Pendulum-v1")
                ),
                Figure("CartPole PPO on a GPU, 4096 environments", "M steps/s", least=1.0),
            ),
            frozenset({"only", "seeds"}),
        ),
        Row(
            "imitation",
            "DAgger against behavioural cloning at equal numbers of a teacher's answers",
            "imitation",
            (Figure("environments in which DAgger is better", "", least=3.0),),
            frozenset({"seeds"}),
        ),
        Row(
            "horizon",
            "What errors of cloning and of DAgger cost by horizon, on CartPole and LunarLander and where it is exact",
            "horizon",
            (),
            frozenset({"seeds"}),
        ),
        Row(
            "coverage",
            "How often each interval over seeds holds the truth, of normal, skewed, failing and capped scores",
            "coverage",
            (
                Figure("median, furthest from 95 % at 5 seeds and more", "points", most=2.0),
                Figure("interquartile mean, furthest from 95 % at 5 seeds and more", "points", most=2.0),
            ),
        ),
        Row(
            "seeds",
            "Eight seeds trained together against one alone: plain REINFORCE on CartPole, processor time",
            "seeds",
            (Figure("cost", "×", most=2.0),),
        ),
        Row(
            "lecture",
            "Steps to solve CartPole at one episode per update: REINFORCE against causality and a baseline",
            "lecture",
        ),
        Row(
            "window-speed",
            "Steps/s with the window open and every panel live, against headless",
            "window_speed",
            (Figure("cartpole", "", least=0.92), Figure("cartpole-fast", "", least=0.88)),
        ),
        Row(
            "recording",
            "Steps/s of a run that is recorded against one that is not, and how long an iteration waits for it",
            "recording",
            (
                Figure("cartpole", "", least=0.97),
                Figure("cartpole-fast", "", least=0.97),
                Figure("cartpole-ppo", "", least=0.97),
                Figure("an iteration waits, 99th percentile", "ms", most=5.0),
            ),
        ),
        Row(
            "event-loop",
            "Event-loop delay while training with every panel live",
            "event_loop",
            (Figure("99th percentile", "ms", most=25.0), Figure("maximum", "ms", most=100.0)),
        ),
        Row(
            "streams",
            "Event-loop delay while 200 runs of an experiment are written into the library that the window shows",
            "streams",
            (Figure("99th percentile", "ms", most=25.0), Figure("maximum", "ms", most=100.0)),
        ),
        Row(
            "acknowledgement",
            "Longest time from a click on Pause, Step or Stop to its effect",
            "acknowledgement",
            tuple(Figure(click, "ms", most=100.0) for click in ("pause", "step", "stop")),
        ),
        Row(
            "window-shown",
            "Process start to first picture, against an empty PySide6 + pyqtgraph window",
            "window_shown",
            (Figure("ratio", "×", most=1.4),),
        ),
        Row(
            "memory",
            "Memory after a million episodes against after ten thousand, window open",
            "memory",
            (Figure("growth", "×", most=1.05),),
        ),
        Row(
            "library",
            "A library of 1,000 runs of a million steps each: opening it, its list, and overlaying 50 of them",
            "library",
            (
                Figure("opening", "s", most=0.5),
                Figure("overlaying 50", "s", most=1.0),
                Figure("longest frame", "ms", most=100.0),
                Figure("longest frame in the list", "ms", most=100.0),
            ),
        ),
        Row(
            "bookkeeping",
            "A library with an experiment of 10,000 runs × 1,000 iterations × 40 metrics: reading it, and writing on",
            "bookkeeping",
            (
                Figure("opening, with all records", "s", most=5.0),
                Figure("picking runs", "s", most=5.0),
                Figure("table of an experiment", "s", most=5.0),
                Figure("a look at what has changed", "ms", most=25.0),
                Figure("begin a run", "ms", most=250.0),
            ),
        ),
        Row(
            "timeline",
            "How often a second another instant is shown while the timeline is dragged",
            "timeline_drag",
            (Figure("instants shown", "Hz", least=20.0),),
        ),
        Row(
            "surface",
            "How often a second a slice of 100 × 100 states is shown beside training",
            "surface",
            (Figure("slices", "Hz", least=10.0),),
        ),
        Row(
            "doctor",
            "What the doctor says of shipped presets, where all should be well",
            "doctor",
            (Figure("false alarms", "", most=0.0),),
            frozenset({"only", "seeds", "first_seed", "resume"}),
        ),
        Row(
            "lab",
            "A thousand batches through every estimator, beside the exact gradient, on one thread",
            "lab",
            (Figure("16 estimators, 1,000 batches of 20 episodes", "s", most=10.0),),
        ),
        Row(
            "museum",
            "Which of the doctor's rules see which bug of the museum, over ten seeds",
            "museum",
            (Figure("bugs that a rule sees in most seeds", "", least=1.0),),
            frozenset({"only", "seeds", "first_seed", "resume"}),
        ),
        Row(
            "sweep",
            "Eight runs on two processes, against by hand and beside their training; a cluster whose node is killed",
            "sweep",
            (
                Figure("overhead of a run", "s", most=2.0),
                Figure("against by hand", "×", most=1.15),
                Figure("a killed node costs", "intervals of states", most=1.0),
            ),
        ),
        Row(
            "reliability",
            "Kills, full disks, damaged and harmful files, many processes in one library: what is lost or goes wrong",
            "reliability.row",
            (
                Figure("wrong", "", most=0.0),
                Figure("numbers lost", "s", most=1.0),
                Figure("weights lost", "s", most=60.0),
            ),
        ),
    )
}
