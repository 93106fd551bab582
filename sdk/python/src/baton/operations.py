"""What operators ask of a server besides runs: the part of `Client` for workflows, tasks, approvals, dead letters, queues,
workers and secrets. Objects are dicts as docs/reference/api.md and openapi.yaml show them.
"""

from __future__ import annotations

import urllib.parse
import uuid
from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence

from .models import TaskRow
from .transport import Transport

Object = Dict[str, Any]


def quoted(text: str) -> str:
    """A part of a path."""
    return urllib.parse.quote(str(text), safe="")


def given(**members: Any) -> Dict[str, Any]:
    """The members that are said."""
    return {name: value for name, value in members.items() if value is not None}


class Operations:
    """The calls themselves. Each that changes something has an idempotency key, so that a lost answer does nothing twice."""

    _transport: Transport
    _patience: float

    # ---- Workflows

    def workflows(self) -> Iterator[Object]:
        """The workflows that were applied."""
        return self._pages("/api/v1/workflows", {}, None)

    def workflow(self, name: str, *, version: Optional[int] = None) -> Object:
        """One of them, with its definition: the version that counts, or `version`."""
        return dict(self._get(f"/api/v1/workflows/{quoted(name)}", given(version=version)))

    def versions(self, workflow: str) -> Iterator[Object]:
        """The versions of a workflow, the newest first."""
        return self._pages(f"/api/v1/workflows/{quoted(workflow)}/versions", {}, None)

    # ---- Tasks and the people who decide about them

    def retry_task(self, task: str, *, force: bool = False, reason: Optional[str] = None) -> TaskRow:
        """Tries a failed or held task again, and what it blocked."""
        return self._decide(task, "retry", given(force=force or None, reason=reason))

    def skip_task(self, task: str, *, force: bool = False, reason: Optional[str] = None) -> TaskRow:
        """Skips a failed or held task; it counts as not bad."""
        return self._decide(task, "skip", given(force=force or None, reason=reason))

    def complete_task(self, task: str, result: Any = None, *, force: bool = False, reason: Optional[str] = None) -> TaskRow:
        """Takes `result` as the result of a failed or held task."""
        return self._decide(task, "complete", {"result": result, **given(force=force or None, reason=reason)})

    def fail_task(self, task: str, *, reason: Optional[str] = None) -> TaskRow:
        """Lets a held task fail."""
        return self._decide(task, "fail", given(reason=reason))

    def approvals(self, run: Optional[str] = None) -> Iterator[Object]:
        """The questions that nobody has answered, of all runs or of one: `task` is the id to answer with."""
        return self._pages("/api/v1/approvals", {"run": run}, None)

    def approve(self, task: str, value: Any = None, *, reason: Optional[str] = None) -> TaskRow:
        """Says yes to a task that waits for an approval; `value` goes with it into the step's result."""
        return self._decide(task, "approve", given(value=value, reason=reason))

    def reject(self, task: str, *, reason: Optional[str] = None) -> TaskRow:
        """Says no: the task has failed (`rejected`)."""
        return self._decide(task, "reject", given(reason=reason))

    # ---- What failed for good

    def dead_letters(self, *, workflow: Optional[str] = None, step: Optional[str] = None, error_type: Optional[str] = None,
                     group: Optional[str] = None) -> Iterator[Object]:
        """Tasks that failed for good and that nobody has dealt with, those of the newest runs first."""
        return self._pages("/api/v1/dead-letters", given(workflow=workflow, step=step, error_type=error_type, group=group), None)

    def dead_letter(self, letter: str) -> Object:
        """One of them with its task, attempts and arguments."""
        return dict(self._get(f"/api/v1/dead-letters/{quoted(letter)}"))

    def replay_dead_letter(self, letter: str, *, arguments: Optional[Mapping[str, Any]] = None, force: bool = False,
                           reason: Optional[str] = None) -> Object:
        """Does its task again, perhaps with other `arguments` ({"with": …}), merged into what it got last."""
        body = given(arguments=arguments, force=force or None, reason=reason)
        return dict(self._act("POST", f"/api/v1/dead-letters/{quoted(letter)}/replay", body))

    def discard_dead_letters(self, letters: Sequence[str]) -> int:
        """Takes at most 1,000 of them off the list; runs and tasks stay as they are. Returns how many there were."""
        return int(self._act("POST", "/api/v1/dead-letters/discard", {"ids": list(letters)})["discarded"])

    # ---- Queues and workers

    def queues(self) -> List[Object]:
        """The queues: what waits, what runs, pauses."""
        return list(self._get("/api/v1/queues")["items"])

    def pause_queue(self, queue: str, *, reason: Optional[str] = None) -> None:
        """Hands out nothing more of it until it is resumed; it need not be there yet."""
        self._act("POST", f"/api/v1/queues/{quoted(queue)}/pause", given(reason=reason))

    def resume_queue(self, queue: str) -> None:
        """Lets it go on."""
        self._act("POST", f"/api/v1/queues/{quoted(queue)}/resume", {})

    def set_route(self, pattern: str, queue: str, *, reason: Optional[str] = None) -> None:
        """Says where steps wait that name no queue: `*` and `?` of a step's name, or of WORKFLOW/STEP."""
        self._act("PUT", f"/api/v1/routes/{urllib.parse.quote(pattern)}", {"queue": queue, **given(reason=reason)})

    def delete_route(self, pattern: str) -> None:
        """Takes a route away."""
        self._act("DELETE", f"/api/v1/routes/{urllib.parse.quote(pattern)}", None)

    def routes(self) -> List[Object]:
        """The routes: `pattern` and `queue`."""
        return list(self._get("/api/v1/routes")["items"])

    def workers(self, *, tag: Optional[str] = None) -> List[Object]:
        """The workers that are there: name, status, attempts, functions, queues, CPU, memory."""
        return list(self._get("/api/v1/workers", given(tag=tag))["items"])

    def pause_worker(self, worker: str, *, reason: Optional[str] = None) -> None:
        """Hands out nothing more to it until it is resumed."""
        self._act("POST", f"/api/v1/workers/{quoted(worker)}/pause", given(reason=reason))

    def resume_worker(self, worker: str) -> None:
        """Lets it take tasks again."""
        self._act("POST", f"/api/v1/workers/{quoted(worker)}/resume", {})

    def drain_worker(self, worker: str) -> None:
        """Lets it end when it has done what it has."""
        self._act("POST", f"/api/v1/workers/{quoted(worker)}/drain", {})

    # ---- Secrets (an admin's)

    def secrets(self) -> List[Object]:
        """The secrets, without their values."""
        return list(self._get("/api/v1/secrets")["items"])

    def set_secret(self, name: str, value: str, *, reason: Optional[str] = None) -> None:
        """Sets its value, a text of 4 bytes to 64 KiB; attempts that start from here on get it."""
        self._act("PUT", f"/api/v1/secrets/{quoted(name)}", {"value": value, **given(reason=reason)})

    def delete_secret(self, name: str) -> None:
        """Deletes it with its values."""
        self._act("DELETE", f"/api/v1/secrets/{quoted(name)}", None)

    # ---- How calls are made

    def _decide(self, task: str, verb: str, body: Mapping[str, Any]) -> TaskRow:
        return TaskRow.read(self._act("POST", f"/api/v1/tasks/{quoted(task)}/{verb}", body))

    def _act(self, method: str, path: str, body: Optional[Mapping[str, Any]], key: Optional[str] = None) -> Any:
        headers = {"Idempotency-Key": key or uuid.uuid4().hex} if method == "POST" else None
        patience = 0.0 if method == "DELETE" else self._patience  # a repetition would find nothing
        return self._transport.request(method, path, body, headers=headers, patience=patience)[1]

    def _get(self, path: str, query: Optional[Mapping[str, Any]] = None, wait: float = 0.0) -> Any:
        return self._transport.request("GET", path, query=query, wait=wait, patience=self._patience)[1]

    def _pages(self, path: str, query: Mapping[str, Any], limit: Optional[int]) -> Iterator[Object]:
        cursor: Optional[str] = None
        left = limit
        while left is None or left > 0:
            page = self._get(path, {**query, "limit": min(1000, left or 1000), "cursor": cursor})
            items = page["items"] if left is None else page["items"][:left]
            yield from items
            cursor = page["next"]
            if cursor is None:
                return
            left = None if left is None else left - len(items)
