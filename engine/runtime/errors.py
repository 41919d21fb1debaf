"""The two ways a person's wish can fail; every message is one sentence saying what is wrong and what would be right."""


class RequestError(ValueError):
    """The request itself was wrong: an unknown id, an impossible pair, a value out of bounds, a broken file."""


class RunError(RuntimeError):
    """A sound request failed while it ran: an environment raised, a policy turned NaN, a report ran out of disk."""
