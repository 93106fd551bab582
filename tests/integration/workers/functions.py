"""The functions of conformance.py with the Python SDK: `python -m baton worker functions`."""

import pathlib

import baton


@baton.task(name="conformance.echo")
def echo(*args, **kwargs):
    """Its `with` again: a map came by name, a list by place, and an empty list or map as nothing at all."""
    return baton.current().value


@baton.task(name="conformance.fail")
def fail(type, message, **words):
    raise baton.TaskFailed(message, type=type, **words)


@baton.task(name="conformance.wait")
def wait(ctx, file):
    pathlib.Path(file + ".begun").touch()
    while not pathlib.Path(file).exists():
        ctx.sleep(0.01)
    return "waited"


@baton.task(name="conformance.progress")
def progress(ctx, percent):
    ctx.progress(percent)
