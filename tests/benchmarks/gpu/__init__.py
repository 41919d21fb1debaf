"""What ``gpu.sh`` runs: checks that the program is right on a GPU, and how fast it is there.

It asks for torch, numpy and what the engine itself needs, so that it runs where nothing else is installed.
"""
