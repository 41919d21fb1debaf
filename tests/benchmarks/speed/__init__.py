"""The row ``speed``: what training and stepping cost, here and in Stable-Baselines3, EnvPool and the lecture's loop."""
