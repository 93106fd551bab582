"""How programs look to a type checker: `mypy --strict` of this file finds nothing, and each ignored mistake is one."""

import datetime
from typing import TYPE_CHECKING, Any, List

import baton
from baton.testing import run

if TYPE_CHECKING:
    from typing_extensions import assert_type


@baton.task(name="images.label", retry={"max_retries": 3}, timeout=datetime.timedelta(minutes=10))
def label(path: str, size: int = 256) -> List[str]:
    return [path] * size


@baton.task
async def fetch(ctx: baton.Context, url: str) -> bytes:
    ctx.progress(50)
    return url.encode()


@baton.task(max_retries=3)  # type: ignore[call-overload,untyped-decorator]
def old() -> None:
    pass


class Alerts(baton.Middleware):
    def after(self, task: "baton.Task[Any]", args: Any, result: Any, request: baton.Request) -> None:
        print(task.name, request.attempt)


def program(client: baton.Client) -> None:
    words: List[str] = label("a.png")
    label(3)  # type: ignore[arg-type]
    flow = baton.Workflow("w", deadline="1h", inputs={"n": {"type": "integer"}})
    first = flow.step("first", task=label, with_={"path": flow.input("n")}, queue="gpu", timeout=datetime.timedelta(hours=1))
    flow.step("second", task=label.s(first.result[0]).set(queue=None), needs=[first, "first"], for_each=first.result)
    flow.step("third", rum="x")  # type: ignore[call-arg]
    flow.step("fourth", run=3)  # type: ignore[arg-type]
    made = client.submit(flow, {"n": 3}, priority=9)
    client.get(made)  # type: ignore[arg-type]
    for found in client.list(state="active"):
        if TYPE_CHECKING:
            assert_type(found, baton.Run)
    played = run(flow, tasks=[label, fetch], at={"1h": "cancel"})
    print(words, played.result, played.task("first").attempts)


async def asynchronous() -> None:
    async with baton.AsyncClient() as client:
        made = await client.submit(label.s("a"), job_id="j")
        runs = await client.list(job_id="j")
        if TYPE_CHECKING:
            assert_type(made, baton.Run)
            assert_type(runs, List[baton.Run])
        await client.approve(made.id, reason=3)  # type: ignore[arg-type]
        async for event in client.events(made.id):
            print(event.type)
