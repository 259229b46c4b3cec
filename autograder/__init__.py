"""The course's machinery: checks, build, grading and dashboard. Notebooks call `check`."""


def __getattr__(name: str):
    # Late, so that `import autograder` stays cheap.
    if name == "check":
        from autograder.checks.api import check

        return check
    raise AttributeError(name)
