"""What the server says, as typed values. Members that this package does not know are in `raw`."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, Dict, List, Mapping, Optional

TERMINAL = frozenset({"completed", "failed", "cancelled"})


def instant(text: Optional[str]) -> Optional[datetime]:
    """An instant of the API (RFC 3339, UTC) as an aware datetime."""
    if text is None:
        return None
    return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(timezone.utc)


@dataclass(frozen=True)
class Failure:
    """Why something failed: a type that rules match, and words for people."""

    type: str
    message: str
    raw: Dict[str, Any] = field(default_factory=dict, repr=False)

    @staticmethod
    def read(data: Optional[Mapping[str, Any]]) -> Optional["Failure"]:
        return Failure(str(data["type"]), str(data["message"]), dict(data)) if data else None


@dataclass(frozen=True)
class Run:
    """One execution of a workflow."""

    id: str
    workflow: str
    version: int
    status: str
    progress: int
    current_step: int
    total_steps: Optional[int]
    job_id: Optional[str]
    input: Dict[str, Any]
    metadata: Dict[str, Any]
    labels: Dict[str, str]
    priority: int
    recovery_attempts: int
    counts: Dict[str, int]
    created_at: Optional[datetime]
    started_at: Optional[datetime]
    ended_at: Optional[datetime]
    error: Optional[Failure]
    raw: Dict[str, Any] = field(repr=False)

    @property
    def ended(self) -> bool:
        """Whether the status is a last one."""
        return self.status in TERMINAL

    @property
    def completed(self) -> bool:
        """Whether it has ended well."""
        return self.status == "completed"

    @staticmethod
    def read(data: Mapping[str, Any]) -> "Run":
        return Run(
            id=data["id"], workflow=data["workflow"], version=data["version"], status=data["status"],
            progress=data["progress"], current_step=data["current_step"], total_steps=data["total_steps"],
            job_id=data["job_id"], input=dict(data.get("input") or {}), metadata=dict(data["metadata"]),
            labels=dict(data["labels"]), priority=data["priority"], recovery_attempts=data["recovery_attempts"],
            counts=dict(data["counts"]), created_at=instant(data["created_at"]), started_at=instant(data["started_at"]),
            ended_at=instant(data["ended_at"]), error=Failure.read(data["error"]), raw=dict(data))


@dataclass(frozen=True)
class TaskRow:
    """One execution of a step inside a run, as the server knows it."""

    id: str
    run: str
    step: str
    title: str
    type: str
    status: str
    index: Optional[int]
    attempts: int
    retry_count: int
    lost: int
    interrupted: int
    progress: Optional[int]
    queue: str
    priority: int
    worker: Optional[str]
    dependencies: List[str]
    result: Any
    error: Optional[Failure]
    started_at: Optional[datetime]
    ended_at: Optional[datetime]
    raw: Dict[str, Any] = field(repr=False)

    @staticmethod
    def read(data: Mapping[str, Any]) -> "TaskRow":
        return TaskRow(
            id=data["id"], run=data["run"], step=data["step"], title=data["title"], type=data["type"],
            status=data["status"], index=data["index"], attempts=data["attempts"], retry_count=data["retry_count"],
            lost=data["lost"], interrupted=data["interrupted"], progress=data["progress"], queue=data["queue"],
            priority=data["priority"], worker=data["worker"], dependencies=list(data["dependencies"]),
            result=data["result"], error=Failure.read(data["error"]), started_at=instant(data["started_at"]),
            ended_at=instant(data["ended_at"]), raw=dict(data))


@dataclass(frozen=True)
class Applied:
    """What became of a definition: `created` (a new version), `changed` (another one counts now) or `unchanged`."""

    workflow: str
    version: int
    previous_version: Optional[int]
    outcome: str
    changes: List[Dict[str, Any]]

    @staticmethod
    def read(data: Mapping[str, Any]) -> "Applied":
        return Applied(data["workflow"], data["version"], data["previous_version"], data["outcome"],
                       list(data["changes"]))


@dataclass(frozen=True)
class Event:
    """Something that happened to a run; `id` lets a later stream go on behind it."""

    id: Optional[str]
    type: str
    data: Dict[str, Any]
