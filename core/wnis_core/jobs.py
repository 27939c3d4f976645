"""Durable jobs: work that outlives a request, and the death of the service that executes it.

DBOS (SQLite, or PostgreSQL by URL) guarantees that a job which was accepted is executed, again if its service was
killed; the table ``wnis_job`` beside DBOS's own is what people see of it. A body may run twice, so its writes are
idempotent by job id. Every change is told to a `sink` until the sink has taken it, at least once and in order.

One engine a process: DBOS is a process-wide singleton.
"""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

from dbos import DBOS, DBOSConfig, DBOSPortableJSONSerializer, SetWorkflowID

from wnis_core import logs, traces
from wnis_core.errors import Cancelled, Conflict, Failure, InvalidValue, NotFound, WnisError
from wnis_core.ids import new_id
from wnis_core.job_store import JobCount, JobKey, JobStore, JobView
from wnis_core.metrics import JOB_SECONDS, JOBS_FINISHED
from wnis_core.ownership import Ownership
from wnis_core.problem import problem_document
from wnis_core.tokens import Caller

__all__ = ["JobContext", "JobEngine", "JobView"]

log = logging.getLogger(__name__)

Body = Callable[["JobContext", dict[str, Any]], dict[str, Any]]
Sink = Callable[[JobView], None]

MAX_ATTEMPTS = 4
"""Starts of one job before it is given up: a job that takes its service down must not do so for ever."""

_POLL_S = 0.1
_PROGRESS_EVERY_S = 0.25
_LOOK_FOR_CANCEL_EVERY_S = 1.0
_SINK_BUSY_S = 2.0
_ENDED = frozenset({"SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"})


class _Interrupted(BaseException):
    """The service is stopping: passes DBOS unrecorded, so that the job is pending when the service is back."""


class JobContext:
    """What a body knows of its job, and how it speaks."""

    def __init__(self, store: JobStore, key: JobKey, caller: Caller, changed: Callable[[], None]) -> None:
        self.job_id = key.job_id
        self.caller = caller
        self.interrupted = threading.Event()
        self.cancel_asked = threading.Event()
        self._store = store
        self._key = key
        self._changed = changed
        self._told_at = 0.0
        self._looked_at = time.monotonic()

    def progress(self, fraction: float, message: str) -> None:
        """Say how far the job is (0 to 1) and what it does; cheap to call often."""
        moment = time.monotonic()
        if moment - self._told_at < _PROGRESS_EVERY_S:
            return
        self._told_at = moment
        self._store.record_progress(self._key, min(max(fraction, 0.0), 1.0), message)
        self._changed()

    def cancelled(self) -> bool:
        """Whether the body must stop; cheap to call often."""
        if self.interrupted.is_set() or self.cancel_asked.is_set():
            return True
        # another instance of this service may have taken the request to cancel
        moment = time.monotonic()
        if moment - self._looked_at >= _LOOK_FOR_CANCEL_EVERY_S:
            self._looked_at = moment
            if self._store.cancel_requested(self._key):
                self.cancel_asked.set()
        return self.cancel_asked.is_set()

    def raise_if_cancelled(self) -> None:
        """Raise `Cancelled` when the body must stop."""
        if self.cancelled():
            raise Cancelled("The job was cancelled.")


class JobEngine:
    """Executes the jobs of one service.

    Parameters
    ----------
    service : name of the service
    database_url : SQLAlchemy URL of SQLite or PostgreSQL
    executor_id : stable name of this instance of the service; the jobs of a dead instance wait for the same name
    home : where one process at a time may have that name: two would both execute what a killed one left
    sink : is told every change of a job; may raise, and is then told again later
    concurrency : jobs executed at once
    """

    def __init__(
        self, *, service: str, database_url: str, executor_id: str, home: Path, sink: Sink, concurrency: int = 2
    ) -> None:
        self._service = service
        self._home = home
        self._owned: Ownership | None = None
        self._database_url = database_url
        self._executor_id = f"{service}-{executor_id}"
        self._sink = sink
        self._concurrency = concurrency
        self._queue = f"{service}-jobs"
        self._bodies: dict[str, Body] = {}
        self._running: dict[JobKey, JobContext] = {}
        self._lock = threading.Lock()
        self._sink_lock = threading.Lock()
        self._stopping = threading.Event()
        self._news = threading.Event()
        self._store: JobStore | None = None
        self._workflow: Callable[[str, str, str], None] | None = None
        self._teller = threading.Thread(target=self._tell, name="job-sink", daemon=True)

    def register(self, kind: str, body: Body) -> None:
        """Execute jobs of `kind` by `body`; before `launch`."""
        self._bodies[kind] = body

    def own(self) -> None:
        """Wait until no other process has this name; `launch` does it too.

        Raises
        ------
        Unavailable
            the other one does not end, or the home cannot be written
        """
        if self._owned is None:
            self._owned = Ownership(self._home, self._executor_id)

    def launch(self) -> None:
        """Begin to execute; jobs that a killed process of this name left are executed again."""
        self.own()
        self._store = JobStore(self._database_url, self._service)
        configuration: DBOSConfig = {
            "name": f"wnis-{self._service}",
            "system_database_url": self._database_url,
            "application_version": f"wnis-{self._service}",
            "executor_id": self._executor_id,
            # the default one is pickle
            "serializer": DBOSPortableJSONSerializer(),
            "log_level": "WARNING",
            # threads beyond the queue's limit serve DBOS itself
            "max_executor_threads": self._concurrency + 8,
        }
        DBOS(config=configuration)

        @DBOS.workflow(name=f"wnis_{self._service}_job", max_recovery_attempts=100)
        def execute(utility: str, job_id: str, asked_by: str = "") -> None:
            self._execute(JobKey(utility, job_id), asked_by)

        self._workflow = execute
        DBOS.launch()
        DBOS.register_queue(self._queue, worker_concurrency=self._concurrency, polling_interval_sec=_POLL_S)
        for key in self._store.unfinished():
            self._enqueue(key)
        self._teller.start()
        self._news.set()

    def stop_on_signals(self) -> None:
        """Interrupt running jobs as soon as this process is asked to end, before whoever handles that so far.

        The interpreter waits for the threads of running jobs before it runs any exit handler.
        """
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
            earlier = signal.getsignal(number)

            def stop(given: int, frame: FrameType | None, earlier: Any = earlier) -> None:
                self.interrupt()
                if callable(earlier):
                    earlier(given, frame)

            signal.signal(number, stop)

    def interrupt(self) -> None:
        """Have running bodies end; their jobs run again at the next `launch`. Returns at once."""
        self._stopping.set()
        for context in list(self._running.values()):
            context.interrupted.set()

    def shutdown(self) -> None:
        """Stop executing and give back everything; what was running runs again at the next `launch`."""
        self.interrupt()
        deadline = time.monotonic() + 10
        while self._running and time.monotonic() < deadline:
            time.sleep(0.02)
        self._news.set()
        self._teller.join(timeout=5)
        DBOS.destroy(destroy_registry=True)
        self._open().close()
        if self._owned is not None:
            self._owned.release()
            self._owned = None

    def submit(self, kind: str, arguments: dict[str, Any], job_id: str, caller: Caller) -> JobView:
        """Accept a job. The same `job_id` of the same utility is the same job, however often it is submitted.

        Raises
        ------
        InvalidValue
            no body is registered for `kind`
        Conflict
            the id belongs to a job of another kind
        """
        if kind not in self._bodies:
            raise InvalidValue(f"The {self._service} service has no jobs of kind {kind!r}.")
        key = JobKey(caller.utility, job_id)
        store = self._open()
        view = store.accept(key, kind, arguments, caller)
        if view.kind != kind:
            raise Conflict(f"Job {job_id} exists already and is of kind {view.kind}.", mend="Use another job id.")
        if view.state == "queued":
            self._enqueue(key)
        self._project(key)
        return view

    def get(self, utility: str, job_id: str) -> JobView:
        """The job; raises `NotFound`, also for the job of another utility."""
        view = self._open().find(JobKey(utility, job_id))
        if view is None:
            raise NotFound(f"There is no job {job_id}.")
        return view

    def cancel(self, utility: str, job_id: str) -> JobView:
        """Ask the job to stop: at once when it waits, within a moment when it runs; finished ones stay as they are."""
        key = JobKey(utility, job_id)
        self.get(utility, job_id)
        self._open().request_cancel(key)
        with self._lock:
            context = self._running.get(key)
        if context is not None:
            context.cancel_asked.set()
        self._news.set()
        return self.get(utility, job_id)

    def ready(self) -> bool:
        """Whether the engine is launched and its database answers."""
        return self._store is not None and not self._stopping.is_set() and self._store.answers()

    @property
    def kinds(self) -> tuple[str, ...]:
        """Kinds of jobs that are executed here."""
        return tuple(self._bodies)

    @property
    def service(self) -> str:
        """Name of the service whose jobs these are."""
        return self._service

    def census(self) -> list[JobCount]:
        """How many jobs there are, by kind and state."""
        return self._open().census()

    def _open(self) -> JobStore:
        if self._store is None:
            raise Failure("The job engine was used before its launch.")
        return self._store

    def _enqueue(self, key: JobKey) -> None:
        """Have DBOS execute an unfinished job, unless it is about to anyway.

        A crash between the two halves of `submit` leaves a job that DBOS does not know; one whose end could not be
        written leaves a job that DBOS believes done.
        """
        assert self._workflow is not None
        name = f"{self._service}/{key.as_text()}"
        known = DBOS.get_workflow_status(name)
        if known is not None and known.status in _ENDED:
            name = f"{name}/{new_id('again')}"
        with SetWorkflowID(name):
            DBOS.enqueue_workflow(self._queue, self._workflow, key.utility, key.job_id, traces.traceparent())

    def _execute(self, key: JobKey, asked_by: str) -> None:
        """One start of one job; returns normally whatever comes of it, unless the service stops.

        `asked_by` is the ``traceparent`` of the request that submitted it.
        """
        store = self._open()
        if self._stopping.is_set():
            raise _Interrupted
        started = store.start(key)
        if started is None:
            return
        attempt, kind, arguments, caller = started
        logs.request_id.set(caller.request_id)
        self._project(key)
        context = JobContext(store, key, caller, self._news.set)
        with self._lock:
            self._running[key] = context
        began = time.monotonic()
        try:
            with traces.job(kind, key.job_id, asked_by):
                state, result, error = self._outcome(context, attempt, kind, arguments)
            if context.interrupted.is_set() and state == "cancelled" and not context.cancel_asked.is_set():
                raise _Interrupted
            store.finish(key, state, result, error)
            JOBS_FINISHED.labels(self._service, kind, state).inc()
            JOB_SECONDS.labels(self._service, kind).observe(time.monotonic() - began)
        finally:
            with self._lock:
                del self._running[key]
            self._news.set()

    def _outcome(
        self, context: JobContext, attempt: int, kind: str, arguments: dict[str, Any]
    ) -> tuple[str, dict[str, Any] | None, dict[str, Any] | None]:
        def problem(error: WnisError) -> dict[str, Any]:
            return problem_document(error, context.caller.request_id)

        if attempt > MAX_ATTEMPTS:
            died = Failure(
                f"The {self._service} service died {MAX_ATTEMPTS} times while it ran this job; it was given up.",
                mend="Look for the reason in the log of the service, then submit a new job.",
            )
            return "failed", None, problem(died)
        try:
            context.raise_if_cancelled()
            return "succeeded", self._bodies[kind](context, arguments), None
        except Cancelled as error:
            return "cancelled", None, problem(error)
        except WnisError as error:
            log.warning("job %s of kind %s failed: %s", context.job_id, kind, error)
            return "failed", None, problem(error)
        except Exception as error:
            log.exception("job %s of kind %s failed", context.job_id, kind)
            unexpected = Failure(
                f"Something went wrong on our side ({type(error).__name__}).",
                mend="Report the request id to whoever runs the system.",
            )
            return "failed", None, problem(unexpected)

    def _project(self, key: JobKey) -> None:
        """Tell the sink now, so that others who look there find the job; what fails is left to the teller."""
        if self._sink_lock.acquire(timeout=_SINK_BUSY_S):
            try:
                self._tell_one(key)
            except Exception as error:
                log.warning("the state of job %s could not be projected: %s", key.job_id, error)
            finally:
                self._sink_lock.release()
        self._news.set()

    def _tell(self) -> None:
        """Bring every change to the sink; runs in a thread of its own until shutdown."""
        pause = 1.0
        while not self._stopping.is_set():
            self._news.wait(timeout=pause)
            self._news.clear()
            pause = 1.0 if self._tell_all() else min(pause * 2, 30.0)
            if pause > 1.0:
                self._stopping.wait(pause)
        self._tell_all()

    def _tell_all(self) -> bool:
        try:
            for key in self._open().untold():
                with self._sink_lock:
                    self._tell_one(key)
        except Exception as error:
            log.warning("changes of jobs could not be projected: %s", error)
            return False
        return True

    def _tell_one(self, key: JobKey) -> None:
        # read under the lock: an older state must not reach the sink after a newer one
        found = self._open().find_with_revision(key)
        if found is not None:
            view, revision = found
            self._sink(view)
            self._open().told(key, revision)
