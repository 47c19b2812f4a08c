"""The files of one load test: what is kept of every request, of the run, and of the client.

``<dataset>_details.json``  one JSON object a line, one per request, as they end
``<dataset>_client.json``   one a line: how the sending process was doing (``Beat``)
``<dataset>_run.json``      the run as a whole: how it was asked, when it began, how it ended

The first two are written while the run goes on, by every sender process its own (``.2.json``...).
Whatever else there is, is computed from these three. A run without an end in its file was killed.
"""

from pathlib import Path
from typing import Literal, TypeAlias

import msgspec

from steelyard import store
from steelyard.core import ArrivalClock, DataError, Failure, Load, Reply, Request, Timing
from steelyard.engine import turn_number
from steelyard.scoring import prediction
from steelyard.store import RunFolder

RunStatus: TypeAlias = Literal["running", "finished", "interrupted", "stopped"]


class LoadFiles(msgspec.Struct, frozen=True):
    """Where one load test keeps its files."""

    folder: RunFolder
    model: str
    dataset: str

    def path(self, ending: str) -> Path:
        """The file that ends in ``ending``."""
        return self.folder.performance(self.model, self.dataset, ending)

    @property
    def details(self) -> Path:
        """The first record file of the requests."""
        return self.path("_details.json")

    @property
    def client(self) -> Path:
        """The first record file of the beats."""
        return self.path("_client.json")


class LoadLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One request of a load test, as stored."""

    key: str
    """``sample_id#repeat``, later turns of a dialogue ``sample_id#repeat.turn``."""
    data_abbr: str
    success: bool
    turn_id: int = 0
    input_tokens: int | None = None
    """The service's own count; ``None``: it gave none."""
    output_tokens: int | None = None
    finish: str = ""
    timing: Timing
    prediction: str = ""
    input: str | None = None
    """The prompt; only where the service did not count it and a tokenizer is at hand."""
    model: str = ""
    failure: Failure | None = None


def load_line(reply: Reply, request: Request, data_abbr: str, *, keep_input: bool) -> LoadLine:
    """The stored form of ``reply``."""
    uncounted = keep_input and reply.prompt_tokens is None
    return LoadLine(
        key=reply.key,
        data_abbr=data_abbr,
        success=reply.failure is None,
        turn_id=turn_number(reply.key),
        input_tokens=reply.prompt_tokens,
        output_tokens=reply.output_tokens,
        finish=reply.finish,
        timing=reply.timing,
        prediction=prediction(reply),
        input=_text(request) if uncounted else None,
        model=reply.model,
        failure=reply.failure,
    )


def _text(request: Request) -> str:
    contents = [message.content for message in request.messages]
    return "\n".join(content for content in contents if isinstance(content, str))


class RunNote(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One load test as a whole."""

    status: RunStatus
    detail: str = ""
    """Why it was stopped."""
    model: str
    dataset: str
    """The task's name."""
    served: str = ""
    """The model's name at the service."""
    started_at: str
    """Local time with its zone, ISO 8601."""
    zero_ns: int
    """The monotonic clock at the start; all times of the run count from it."""
    ended_ns: int | None = None
    planned: int | None = None
    """Requests (of dialogues: first turns) that were to be sent; ``None``: as many as fit."""
    dialogues: bool = False
    load: Load
    stream: bool
    senders: int = 1
    arrivals: ArrivalClock | None = None
    """Who said when bytes arrived; ``None``: not noted."""
    warmups: int = 0
    """Requests sent before the start, not measured."""
    tokenizer: str = ""
    version: str = ""
    machine: str = ""
    """The client's: processors and system."""


def write_note(files: LoadFiles, note: RunNote) -> None:
    """Keep ``note``; raises ``DiskError``."""
    text = msgspec.json.format(msgspec.json.encode(note), indent=2)
    store.write_atomic(files.path("_run.json"), text + b"\n")


def read_note(files: LoadFiles) -> RunNote:
    """The run's note; raises ``DataError`` when there is none or it is not one."""
    path = files.path("_run.json")
    try:
        return msgspec.json.decode(path.read_bytes(), type=RunNote)
    except OSError as error:
        raise DataError(
            f"{path}: {error.strerror}. There is no load test of {files.model} on {files.dataset} "
            "in this run; make one with --mode perf."
        ) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DataError(f"{path} is not the note of a load test ({error}).") from error
