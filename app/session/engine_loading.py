"""Loading the learning engine, which takes a second or more, while the window is in use already."""

from __future__ import annotations

import gc

from engine.runtime.torch_library import load_torch_library


def load_engine() -> None:
    """Load it, with torch, for the thread that trains, which calls this.

    Garbage is not looked for meanwhile, as each look through half of torch would hold up the window; what is there
    afterwards stays, and is never looked through again.
    """
    gc.disable()
    try:
        load_torch_library()
        import numpy.ma  # noqa: F401  (which numpy's quantiles load in passing, for as long as the window stands still)

        import engine.analysis.playback  # noqa: F401  (and with it torch)
        from engine.runtime.threads import compute_on_one_thread
        from engine.training.warm_up import warm_up

        compute_on_one_thread()
        warm_up()
    finally:
        if not gc.get_freeze_count():
            gc.freeze()
        gc.enable()
