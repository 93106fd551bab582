"""The calls of the worker protocol. Each is repeated, with growing pauses, until the server has answered or `give_up` says
that it is too late: a server that comes back knows the attempts."""

from __future__ import annotations

import json
import logging
import time
import urllib.parse
from typing import Any, Callable, Dict, Iterable, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from ..errors import Invalid, Overloaded, Unavailable
from ..results import Report, failed
from ..transport import Endpoint, Transport, backoff

log = logging.getLogger("baton.worker")

MOST = 1000  # tasks of a claim, reports of a call
MOST_BYTES = 8 << 20  # of the reports of one call


class Told(NamedTuple):
    """A report on its way."""

    task: str
    token: str
    report: Report

    def text(self) -> bytes:
        return b'{"task":"%s","token":"%s",%s}' % (self.task.encode(), self.token.encode(), self.report.body)


class Offer(NamedTuple):
    """What the worker takes."""

    functions: Sequence[str]
    queues: Sequence[str]

    def text(self) -> str:
        queues = f',"queues":{json.dumps(list(self.queues))}' if self.queues else ""
        return f'"protocol":1,"functions":{json.dumps(list(self.functions))}{queues}'


class About(NamedTuple):
    """What the worker says of itself, for people to look at."""

    tags: Sequence[str]
    concurrency: int

    def members(self) -> Dict[str, Any]:
        return {**({"tags": list(self.tags)} if self.tags else {}), "concurrency": self.concurrency}


def _running(held: Sequence[str]) -> str:
    return f'"running":{json.dumps(list(held))},'


class GivenUp(Exception):
    """The worker ends and does not wait for the server any longer."""


class Link:
    """Threads may share it; each waits for its own calls."""

    def __init__(self, endpoint: Endpoint, worker: str, give_up: Callable[[], bool]) -> None:
        self.transport = Transport(endpoint, timeout=30.0, user_agent="baton-python-worker")
        self._path = f"/api/v1/workers/{urllib.parse.quote(worker, safe='')}"
        self._give_up = give_up
        self._away = False

    def register(self, offer: Offer, about: About) -> float:
        """This process is new. Returns the lease in seconds."""
        return float(self._call("register", f"{{{offer.text()},{json.dumps(about.members())[1:]}".encode())["lease"])

    def claim(self, offer: Offer, most: int, wait: int = 0, held: Optional[Sequence[str]] = None) -> List[Dict[str, Any]]:
        """Asks for tasks; waits up to `wait` seconds for one. `held`: the tokens of all that the worker has, which a claim
        that is repeated names, so that it gets what a lost answer had; no other claim may be on its way then."""
        body = f'"max":{most},"wait":{wait}}}'
        again = None if held is None else f"{{{offer.text()},{_running(held)}{body}".encode()
        return list(self._call("claim", f"{{{offer.text()},{body}".encode(), wait, again=again)["tasks"])

    def exchange(self, reports: Sequence[Told], offer: Offer, most: int, held: Sequence[str]) -> List[Dict[str, Any]]:
        """Reports, and claims up to `most` tasks with the same call; `held` as in `claim`."""
        told = b'"reports":[%s]}' % b",".join(report.text() for report in reports)
        head = f'{offer.text()},"max":{most},' if most else ""
        again = f"{{{head}{_running(held)}".encode() + told if most else None
        try:
            answer = self._call("claim" if most else "report", b"{%s%s" % (head.encode(), told), again=again)
        except Invalid as problem:
            self._tell_one_by_one(reports, problem)
            return []
        self._look_at(answer["reports"])
        return list(answer["tasks"])

    def heartbeat(self, running: Iterable[str], about: About, usage: Mapping[str, Any]) -> Dict[str, Any]:
        """Renews the lease, once: the next one comes soon. `usage`: cpu_percent and memory_bytes, if they are known. Raises
        Unavailable."""
        body = json.dumps({"running": list(running), **about.members(), **usage}).encode()
        return dict(self.transport.request("POST", self._path + "/heartbeat", body)[1])

    def release(self, tasks: Sequence[Tuple[str, str]]) -> None:
        """Gives back tasks that were not begun: of each its id and token. What counts no more by now is nobody's concern."""
        for begin in range(0, len(tasks), MOST):
            self._call("report", json.dumps({"reports": [{"task": task, "token": token, "status": "released"}
                                                         for task, token in tasks[begin:begin + MOST]]}).encode())

    def farewell(self) -> None:
        """The worker ends; what it still has is lost."""
        self._call("", None, method="DELETE")

    def _tell_one_by_one(self, reports: Sequence[Told], problem: Invalid) -> None:
        """One of these cannot be read by the server; the others must not suffer for it."""
        if len(reports) > 1:
            middle = len(reports) // 2
            for half in (reports[:middle], reports[middle:]):
                try:
                    told = b",".join(report.text() for report in half)
                    self._look_at(self._call("report", b'{"reports":[%s]}' % told)["reports"])
                except Invalid as error:
                    self._tell_one_by_one(half, error)
            return
        only = reports[0]
        log.error("task %s: the server does not take its report: %s", only.task, problem)
        instead = failed("validation", f"the server does not take the report of this attempt: {problem.detail}", retry=False)
        if only.report.body != instead.body:
            self._look_at(self._call("report", b'{"reports":[%s]}' % only._replace(report=instead).text())["reports"])

    @staticmethod
    def _look_at(answers: Sequence[Dict[str, Any]]) -> None:
        for answer in answers:
            error = answer.get("error")
            if error is not None:
                log.warning("the report of attempt %s counts no more: %s", answer["token"], error["message"])

    def _call(self, what: str, body: Optional[bytes], wait: float = 0.0, method: str = "POST",
              again: Optional[bytes] = None) -> Any:
        """`again`: what is said instead when the call is repeated."""
        for pause in backoff():
            try:
                path = f"{self._path}/{what}" if what else self._path
                answer = self.transport.request(method, path, body, wait=wait)[1]
                if self._away:
                    self._away = False
                    log.info("%s answers again", self.transport.endpoint)
                return answer
            except (Unavailable, Overloaded) as error:
                if self._give_up():
                    raise GivenUp() from error
                if not self._away:
                    self._away = True
                    log.warning("%s; trying again", error)
                # Not sooner than the server has asked for, but it cannot send a worker away for long.
                after = getattr(error, "retry_after", None) or 0.0
                self._rest(max(min(2.0, pause), min(60.0, after)))
                body = again or body
        raise AssertionError("pauses do not end")

    def _rest(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0 and not self._give_up():
            time.sleep(min(0.5, left))
