"""The museum of bugs: what can be switched on, a game of guessing, and the self-test."""
