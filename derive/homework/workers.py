"""Judging on all cores: processes that may hang or die without costing more than the answer they were at.

Each worker judges one answer at a time.  One that takes longer than its seconds is killed, one that dies is replaced;
either answer is tried once more, since it may have been the machine's fault, and then given up.
"""

from __future__ import annotations

import contextlib
import multiprocessing as mp
import os
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from time import monotonic
from typing import Any

Job = Mapping[str, Any]
Found = dict[str, Any]
STARTING = 120.0  # seconds that a worker may take to import the engine
MAX_MEMORY = 8 * 2**30
TRIES = 2


@dataclass(slots=True)
class _Task:
    key: str
    job: Job
    tries: int = 0


@dataclass(slots=True)
class _Worker:
    process: Any
    pipe: Connection
    task: _Task | None = None
    until: float = 0.0
    ready: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a job: what was found, or None and why ("time", "crash") with details."""

    key: str
    found: Found | None
    reason: str = ""
    detail: str = ""


def judged(jobs: Iterable[tuple[str, Job]], seconds: float, count: int | None = None) -> Iterator[Outcome]:
    """The outcomes of jobs, in the order in which they are done, by `count` processes (one a core)."""
    todo = deque(_Task(key, job) for key, job in jobs)
    if not todo:
        return
    pool = _Pool(todo, seconds, max(1, min(count or os.cpu_count() or 1, len(todo))))
    try:
        yield from pool.run()
    finally:
        pool.stop()


class _Pool:
    """The workers and what is still to do."""

    def __init__(self, todo: deque[_Task], seconds: float, count: int) -> None:
        self.todo, self.seconds, self.count = todo, seconds, count
        self.context = mp.get_context("spawn")
        self.workers: list[_Worker] = []

    def run(self) -> Iterator[Outcome]:
        while self.todo or any(w.task for w in self.workers):
            for worker in [w for w in self.workers if w.ready and w.task is None and self.todo]:
                self._feed(worker)
            while len(self.workers) < min(self.count, len(self.todo) + self._busy()):
                self.workers.append(self._start())
            soonest = min(w.until for w in self.workers) - monotonic()
            waited: list[Any] = [w.pipe for w in self.workers]
            done = wait(waited, min(max(0.0, soonest), STARTING))
            for worker in [w for w in self.workers if w.pipe in done]:
                yield from self._receive(worker)
            for worker in [w for w in self.workers if w.until < monotonic() and (w.task or not w.ready)]:
                yield from self._give_up(worker, "time", f"more than {self.seconds:g} seconds")

    def _busy(self) -> int:
        return sum(w.task is not None for w in self.workers)

    def _start(self) -> _Worker:
        ours, theirs = self.context.Pipe()
        process = self.context.Process(target=serve, args=(theirs,), daemon=True)
        process.start()
        theirs.close()
        return _Worker(process, ours, until=monotonic() + STARTING)

    def _receive(self, worker: _Worker) -> Iterator[Outcome]:
        try:
            kind, content = worker.pipe.recv()
        except (EOFError, OSError):
            worker.process.join(5)
            yield from self._give_up(worker, "crash", f"exit code {worker.process.exitcode}")
            return
        if kind == "crash":
            yield from self._give_up(worker, "crash", content)
            return
        if kind == "done" and worker.task is not None:
            yield Outcome(worker.task.key, content)
            worker.task = None
        worker.ready = True
        self._feed(worker)

    def _feed(self, worker: _Worker) -> None:
        worker.until = float("inf") if not self.todo else monotonic() + self.seconds
        if self.todo:
            worker.task = self.todo.popleft()
            worker.task.tries += 1
            with contextlib.suppress(OSError):  # it has died; the next look at its pipe tells
                worker.pipe.send(worker.task.job)

    def _give_up(self, worker: _Worker, reason: str, detail: str) -> Iterator[Outcome]:
        """Replace a worker; its answer is tried once more, then it is what it is."""
        task = worker.task
        self.workers.remove(worker)
        _kill(worker)
        if task is None:
            if not worker.ready:
                raise RuntimeError(f"a worker could not be started ({detail})")
        elif task.tries < TRIES:
            self.todo.append(task)
        else:
            yield Outcome(task.key, None, reason, detail)

    def stop(self) -> None:
        for worker in self.workers:
            _kill(worker)


def _kill(worker: _Worker) -> None:
    worker.process.kill()
    worker.process.join()
    worker.pipe.close()


# ------------------------------------------------------------------------------------------ in the process


def serve(pipe: Connection) -> None:
    """What a worker does: judge what comes through the pipe, until nothing more can come."""
    _quiet()
    _bound()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    from derive.homework.judging import run  # the engine is imported here, once the process is bounded

    with contextlib.suppress(EOFError, BrokenPipeError, KeyboardInterrupt):
        pipe.send(("ready", None))
        while True:
            pipe.send(("done", _run(pipe, run, pipe.recv())))


def _run(pipe: Connection, run: Callable[[Job], Found], job: Job) -> Found:
    """A job's result; where an error of ours ends the process, what it was is told first."""
    done = False
    try:
        found = run(job)
        done = True
        return found
    finally:
        if not done:
            pipe.send(("crash", _described(sys.exc_info())))


def _described(information: Any) -> str:
    kind, _, trace = information
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f" at {os.path.basename(trace.tb_frame.f_code.co_filename)}:{trace.tb_lineno}" if trace else ""
    return f"{kind.__name__ if kind else 'unknown'}{place}"


def _quiet() -> None:
    """Nothing that a library prints reaches the terminal; one thread a process, as there is a process a core."""
    silent = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(silent, stream)
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"


def _bound() -> None:
    """An answer that eats memory ends its own process and nothing else."""
    try:
        import resource
    except ImportError:  # not on Windows
        return
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY, resource.getrlimit(resource.RLIMIT_AS)[1]))


def _end_with_parent() -> None:
    parent = mp.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
