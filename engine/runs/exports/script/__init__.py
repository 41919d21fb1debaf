"""A run written out as a program of plain PyTorch and Gymnasium, one file for each part of it."""
