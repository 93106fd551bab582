"""Tasks for workers in processes of their own. Files in BATON_TEST_FOLDER tell and say how far they are."""

import asyncio
import ctypes
import os
import pathlib
import time

import baton

FOLDER = pathlib.Path(os.environ.get("BATON_TEST_FOLDER", "/nonexistent"))


def wait_for(name):
    """Says that it is here, and waits until somebody makes the file."""
    (FOLDER / f"{name}.begun").touch()
    while not (FOLDER / name).exists():
        time.sleep(0.005)


@baton.task(name="add")
def add(a, b=0):
    return a + b


@baton.task(name="add_async")
async def add_async(a, b=0):
    await asyncio.sleep(0)
    return a + b


@baton.task(name="gate")
def gate(ctx, name):
    with open(FOLDER / "ledger", "a", encoding="ascii") as file:
        file.write(f"{name} {ctx.request.attempt} {ctx.token}\n")
    wait_for(name)
    return {"pid": os.getpid(), "attempt": ctx.request.attempt}


@baton.task(name="gated_add")
def gated_add(a, b):
    wait_for("all")
    return a + b


@baton.task(name="pid")
def pid():
    return os.getpid()


@baton.task(name="segfault")
def segfault():
    ctypes.string_at(0)


@baton.task(name="leave")
def leave(code):
    os._exit(code)


@baton.task(name="hang")
def hang(name):
    """Hangs in a system call that only a signal ends."""
    try:
        (FOLDER / f"{name}.begun").touch()
        time.sleep(3600)
    except baton.Cancelled as error:
        (FOLDER / f"{name}.{error.reason}").touch()
        raise


@baton.task(name="stubborn")
def stubborn(name):
    (FOLDER / f"{name}.begun").touch()
    while True:
        try:
            time.sleep(3600)
        except baton.Cancelled:
            (FOLDER / f"{name}.asked").touch()


@baton.task(name="soft_limit", soft_time_limit=0.05)
def soft_limit():
    try:
        time.sleep(3600)
    except baton.TimeLimit:
        return "tidied up"


@baton.task(name="soft_limit_async", soft_time_limit=0.05)
async def soft_limit_async():
    try:
        await asyncio.sleep(3600)
    except asyncio.CancelledError:
        return "tidied up"


@baton.task(name="passes_on", soft_time_limit=0.05)
async def passes_on():
    await asyncio.sleep(3600)


@baton.task(name="hard_limit_async", soft_time_limit=0.05, time_limit=0.1)
async def hard_limit_async():
    while True:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            pass


@baton.task(name="hard_limit", time_limit=0.05)
def hard_limit():
    time.sleep(3600)


@baton.task(name="bad_result")
def bad_result():
    return object()


@baton.task(name="raises")
def raises(message="no"):
    raise ValueError(message)
