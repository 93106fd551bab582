"""The fields of definitions, as docs/reference/definition.md has them: for type checkers and editors.

The server says what fields mean and whether they are right; here stand only their names and forms. A test holds them against
`baton schema`.
"""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any, List, Mapping, Optional, Sequence, TypedDict, Union

if TYPE_CHECKING:
    from .workflow import Expr, Step

Length = Union[float, str, datetime.timedelta]  #: of time: seconds, a text as "10m", or a timedelta
Map = Mapping[str, Any]

# None is as if the field were not given.


class Policies(TypedDict, total=False):
    """What is done about a step's attempts: how often, how long, where, in which order. Tasks may have them, too."""

    title: Optional[str]
    type: Optional[str]
    env: Optional[Map]
    workdir: Optional[str]
    shell: Optional[Sequence[str]]
    parse: Optional[str]
    retry: Optional[Map]
    repeat: Optional[Map]
    timeout: Optional[Union[Length, Map]]
    deadline: Optional[Length]
    sla: Optional[Length]
    estimate: Optional[Length]
    queue: Optional[str]
    priority: Optional[int]
    on_error: Optional[Sequence[Map]]
    fallback: Optional[Map]
    continue_on_error: Optional[bool]
    cleanup: Optional[Map]
    compensate: Optional[Map]
    preflight: Optional[Union[bool, Map]]
    target: Optional[str]
    operation: Optional[str]
    breaker: Optional[Union[str, Map]]
    concurrency: Optional[Union[Map, Sequence[Map]]]
    uses: Optional[Mapping[str, int]]
    rate_limit: Optional[Map]
    fair_key: Optional[Union[str, Expr]]
    cache: Optional[Union[Length, Map]]
    critical: Optional[bool]
    tags: Optional[Sequence[str]]
    metadata: Optional[Map]
    secrets: Optional[Sequence[str]]
    result_schema: Optional[Union[bool, Map]]
    response_schema: Optional[Union[bool, Map]]


class StepFields(Policies, total=False):
    """Those of a step: what it does (one of the first), when, with what; and its policies."""

    run: Optional[str]
    exec: Optional[Sequence[Any]]
    set: Optional[Map]
    http: Optional[Map]
    task: Any  #: a task, `task.s(…)` with its arguments, a function, or a name
    celery: Optional[Map]
    workflow: Optional[Union[str, Map]]
    wait: Optional[Union[Length, Map]]
    switch: Optional[Sequence[Map]]
    needs: Optional[Union[str, Step, Sequence[Union[str, Step]]]]
    when: Optional[Union[bool, str, Expr]]
    trigger_rule: Optional[str]
    for_each: Optional[Union[Expr, str, Sequence[Any], Map]]
    max_parallel: Optional[int]
    max_failures: Optional[Union[int, str]]
    with_: Any


class WorkflowFields(TypedDict, total=False):
    """Those of a workflow, but for name, title, inputs and steps."""

    description: Optional[str]
    labels: Optional[Map]
    defaults: Optional[Map]
    env: Optional[Map]
    max_parallel: Optional[int]
    fail_fast: Optional[bool]
    max_recovery_attempts: Optional[int]
    on_error: Optional[Sequence[Map]]
    retry_budget: Any
    deadline: Optional[Length]
    sla: Optional[Length]
    recovery: Optional[Map]
    concurrency: Optional[Union[Map, Sequence[Map]]]
    targets: Optional[Map]
    retention: Optional[Map]
    alerts: Any
    schedules: Optional[Sequence[Map]]
    rollout: Optional[Map]


POLICIES = frozenset(Policies.__annotations__)

#: What policies are called elsewhere, and here.
_ELSEWHERE = {
    "max_retries": 'retry={"max_retries": 3}', "retries": 'retry={"max_retries": 3}',
    "default_retry_delay": 'retry={"initial": "60s"}', "retry_delay_seconds": 'retry={"initial": "60s"}',
    "retry_backoff": 'retry={"backoff": "exponential"}', "retry_policy": "retry={…}",
    "autoretry_for": "retry={…}, for every failure; on_error=[…] makes differences",
    "timeout_seconds": "timeout=300", "start_to_close_timeout": "timeout=300", "schedule_to_close_timeout": "deadline=300",
    "heartbeat_timeout": 'timeout={"hard": "1h", "heartbeat": "1m"}', "expires": 'timeout={"start": "1h"}', "task_run_name": "title=",
    "bind": "a first parameter called ctx", "acks_late": "nothing: an attempt that is lost is always done again",
    "ignore_result": "nothing: return None", "cache_key_fn": 'cache={"key": …, "ttl": "1d"}',
}


def check_policies(given: Mapping[str, Any]) -> None:
    """Raises TypeError for what is no policy, with what it is called here."""
    import difflib  # only for mistakes
    for name in given:
        if name in POLICIES:
            continue
        hint = _ELSEWHERE.get(name)
        if name in StepFields.__annotations__ or name == "with":
            hint = f"Workflow.step(…, {name}=…), since it belongs to one step of a workflow"
        near: List[str] = difflib.get_close_matches(name, POLICIES, 1)
        raise TypeError(f"a task has no {name!r}" + (f"; here it is {hint}" if hint else f"; did you mean {near[0]}=?" if near else
                        "; it has name, soft_time_limit, time_limit, and policies of a step (docs/reference/definition.md)"))
