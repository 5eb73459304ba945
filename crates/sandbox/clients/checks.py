"""Runs named checks and closes with a line that counts like cargo's.

A check is a function whose name is a sentence; it fails by raising. Every check runs, whatever became of those before it.
"""

import sys
import traceback

CHECKS = []


def check(function):
    """Registers a check."""
    CHECKS.append(function)
    return function


def raises(kind, function, *arguments, **keywords):
    """The error of that very class that a call raises."""
    try:
        value = function(*arguments, **keywords)
    except kind as error:
        assert type(error) is kind, f"{type(error).__name__} in place of {kind.__name__}"
        return error
    raise AssertionError(f"no {kind.__name__}, but {value!r}")


def run():
    """Runs every check and ends the process."""
    passed = failed = 0
    for function in CHECKS:
        try:
            function()
        except Exception:
            failed += 1
            print(f"FAILED {function.__name__}")
            traceback.print_exc(limit=-3, chain=False, file=sys.stdout)
        else:
            passed += 1
            print(f"ok     {function.__name__}")
    verdict = "FAILED" if failed else "ok"
    print(f"test result: {verdict}. {passed} passed; {failed} failed", flush=True)
    sys.exit(1 if failed or not passed else 0)
