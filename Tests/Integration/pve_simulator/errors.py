"""How the simulated API says no."""


class Refused(Exception):
    """An answer that is not a success: a status, a reason phrase, and errors by parameter."""

    def __init__(self, status, reason, errors=None):
        super().__init__(reason)
        self.status, self.reason, self.errors = status, reason, errors


class TaskFailed(Exception):
    """Ends a task with `TASK ERROR: text`."""


def refuse_parameter(**errors):
    raise Refused(400, "Parameter verification failed.",
                  {name.replace("_", "-"): text for name, text in errors.items()})


def denied(path, *privileges):
    return Refused(403, f"Permission check failed ({path}, {'|'.join(privileges)})")
