"""Whole algorithms in one file each, in plain torch, after the papers: what the engine's updates are compared with.

None of them imports the engine, and none shares code with another, so that each reads from top to bottom and can
disagree. ``recorded`` plays with the engine and hands on what it saw and learned; the tests let the references learn
from the same experience and first weights.
"""
