"""One line of ``predictions/<model>/<dataset>.jsonl``: the reply and what users open the file for.

The names ``data_abbr id success origin_prompt prediction gold ppl_list`` are those of AISBench; the
rest is our reply record. Reasoning that came apart from the answer stands in ``prediction`` (before
``</think>``), so the line holds every text once. Older layouts are read, never written.
"""

from collections.abc import Iterator, Mapping, Sequence
from math import isfinite
from pathlib import Path
from string import ascii_uppercase

import msgspec

from steelyard import store
from steelyard.core import (
    Candidate,
    DataError,
    Failure,
    Json,
    Likelihood,
    Message,
    Reply,
    Request,
    Sample,
    Timing,
    ToolCall,
)
from steelyard.reports import LabelPpl
from steelyard.scoring import prediction

_THINK_END = "</think>"
_NO_CLOCK = Timing(queued_ns=0, sent_ns=0, done_ns=0)


class Line(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A reply with its question, as stored."""

    key: str = ""
    """``sample_id#repeat``; empty in files of other tools."""
    data_abbr: str = ""
    id: int = -1
    """Row index inside the data set; repeats share it."""
    success: bool | None = None
    """Always written by us; absent in the older layout."""
    origin_prompt: str | list[Message] = ""
    prediction: str | Json = ""
    """Answer text; with separate reasoning ``reasoning</think>answer``."""
    gold: str | Json = None
    answer: str | None = None
    """The answer alone, only when ``prediction`` also holds reasoning."""
    finish: str = ""
    prompt_tokens: int | None = None
    output_tokens: int | None = None
    token_source: str | None = None
    prompt_cut: int = 0
    logprobs: Json = None
    tool_calls: tuple[ToolCall, ...] = ()
    model: str = ""
    attempts: int = 1
    judged: str = ""
    """Of a judge's reply: the digest of its question, ``@``, the judge's served name."""
    candidates: tuple[Candidate, ...] = ()
    """What was scored behind ``origin_prompt``."""
    ppl_list: tuple[LabelPpl, ...] = ()
    """Of a task of likelihoods; ``prediction`` is then the label with the smallest ``ppl``."""
    likelihoods: tuple[Likelihood, ...] = ()
    """The numbers behind ``ppl_list``, for marking by any rule."""
    failure: Failure | None = None
    timing: Timing | None = None


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """What a line says about the question; pure data, so it can go to a sender process."""

    data_abbr: str
    id: int
    gold: str | None


def origins(data_abbr: str, samples: Sequence[Sample]) -> dict[str, Origin]:
    """Origin by sample id."""
    return {
        sample.id: Origin(data_abbr=sample.subset or data_abbr, id=row, gold=sample.target)
        for row, sample in enumerate(samples)
    }


def sample_id(key: str) -> str:
    """The sample's part of a request key."""
    return key.rpartition("#")[0]


def line(reply: Reply, request: Request, origin: Origin) -> Line:
    """The stored form of ``reply``."""
    messages = request.messages
    single = len(messages) == 1 and messages[0].role == "user"
    prompt = messages[0].content if single else None
    return Line(
        key=reply.key,
        data_abbr=origin.data_abbr,
        id=origin.id,
        success=reply.failure is None,
        origin_prompt=prompt if isinstance(prompt, str) else list(messages),
        prediction=answer(reply),
        gold=origin.gold,
        answer=reply.text if reply.reasoning else None,
        finish=reply.finish,
        prompt_tokens=reply.prompt_tokens,
        output_tokens=reply.output_tokens,
        token_source=reply.token_source,
        prompt_cut=reply.prompt_cut,
        logprobs=reply.logprobs,
        tool_calls=reply.tool_calls,
        model=reply.model,
        attempts=reply.attempts,
        judged=request.judged,
        candidates=request.candidates,
        ppl_list=label_ppls(reply),
        likelihoods=reply.likelihoods,
        failure=reply.failure,
        timing=reply.timing,
    )


def label_ppls(reply: Reply) -> tuple[LabelPpl, ...]:
    """AISBench's figure for every option of a reply that holds likelihoods."""
    return tuple(
        LabelPpl(label, -one.whole_total / one.whole_tokens)
        for label, one in zip(ascii_uppercase, reply.likelihoods, strict=False)
    )


def answer(reply: Reply) -> str:
    """What ``prediction`` says: the whole text, or the label with the smallest ``ppl``."""
    if not reply.likelihoods:
        return prediction(reply)
    return min(label_ppls(reply), key=lambda one: one.ppl).label


def sound(reply: Reply) -> Reply:
    """``reply``, or its failure when its likelihoods are no numbers that could be stored."""
    for one in reply.likelihoods:
        if one.whole_tokens < 1 or not (isfinite(one.total) and isfinite(one.whole_total)):
            detail = (
                f"the model gave no usable log-probability (own tokens {one.total:g}, whole text "
                f"{one.whole_total:g} over {one.whole_tokens} tokens)"
            )
            failure = Failure(kind="protocol", detail=detail)
            return msgspec.structs.replace(reply, likelihoods=(), failure=failure)
    return reply


def reply(stored: Line) -> Reply:
    """The reply that ``stored`` keeps."""
    likelihoods = stored.likelihoods or tuple(map(_whole_only, stored.ppl_list))
    has_text = isinstance(stored.prediction, str) and not likelihoods
    text = stored.prediction if has_text else ""
    reasoning = ""
    if stored.answer is not None:
        reasoning = text.removesuffix(_THINK_END + stored.answer) if stored.answer else text
        text = stored.answer
    failure = stored.failure
    if failure is None and stored.success is False:
        failure = Failure(kind="protocol", detail="stored as failed, without a reason")
    return Reply(
        key=stored.key,
        timing=stored.timing or _NO_CLOCK,
        text=text,
        reasoning=reasoning,
        finish=stored.finish,
        prompt_tokens=stored.prompt_tokens,
        output_tokens=stored.output_tokens,
        prompt_cut=stored.prompt_cut,
        logprobs=stored.logprobs,
        tool_calls=stored.tool_calls,
        model=stored.model,
        attempts=stored.attempts,
        likelihoods=likelihoods,
        failure=failure,
    )


def _whole_only(one: LabelPpl) -> Likelihood:
    """What another tool's figure says: a mean over the whole text, nothing of the option alone."""
    return Likelihood(total=0.0, tokens=0, whole_total=-one.ppl, whole_tokens=1)


class Status(msgspec.Struct, frozen=True):
    """The few fields that resuming needs; decoding them skips the texts."""

    key: str = ""
    id: int = -1
    success: bool | None = None
    failure: Failure | None = None

    @property
    def is_good(self) -> bool:
        """Whether there is an answer."""
        return self.success is not False and self.failure is None


def sources(path: Path) -> list[Path]:
    """The files that hold the replies of ``path``: its parts, else the older layout."""
    dictionary = path.with_suffix(".json")
    return store.parts(path) or ([dictionary] if dictionary.exists() else [])


def finished(path: Path, samples: Sequence[Sample]) -> tuple[set[str], set[str]]:
    """Keys with a good reply, and keys whose last reply is a failure."""
    good: set[str] = set()
    failed: set[str] = set()
    names = _Names(samples)
    for part in store.parts(path):
        for status in store.read(part, Status):
            key = status.key or names.key(status.id, part, is_good=status.is_good)
            if status.is_good:
                good.add(key)
                failed.discard(key)
            elif key not in good:
                failed.add(key)
    return good, failed


def replies(path: Path, samples: Sequence[Sample]) -> dict[str, Reply]:
    """The reply that counts for every key: a good one beats a failure, then the later line wins."""
    found: dict[str, Reply] = {}
    for stored in _lines(path, samples):
        before = found.get(stored.key)
        now = reply(stored)
        if before is None or before.failure is not None or now.failure is None:
            found[stored.key] = now
    return found


def _lines(path: Path, samples: Sequence[Sample]) -> Iterator[Line]:
    names = _Names(samples)
    found = store.parts(path)
    for part in found:
        for stored in store.read(part, Line):
            yield stored if stored.key else names.named(stored, stored.id, part)
    if not found:
        for dictionary in sources(path):
            yield from _dictionary(dictionary, names)


def _dictionary(path: Path, names: "_Names") -> Iterator[Line]:
    """The older layout: one JSON object ``{"0": {origin_prompt, prediction, gold}, ...}``."""
    try:
        rows: Mapping[str, Line] = msgspec.json.decode(path.read_bytes(), type=dict[str, Line])
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DataError(
            f"{path}: not a predictions file ({error}). Expected one JSON object "
            '{"0": {"origin_prompt": ..., "prediction": ..., "gold": ...}, ...}.'
        ) from error
    for index, stored in rows.items():
        if not index.isdecimal():
            raise DataError(f"{path}: key {index!r} is not a row number.")
        yield names.named(stored, int(index), path)


class _Names:
    """Gives lines of other tools, which know only row numbers, their keys."""

    def __init__(self, samples: Sequence[Sample]) -> None:
        self._samples = samples
        self._seen: dict[int, int] = {}
        """Answers so far, by row."""

    def named(self, stored: Line, row: int, path: Path) -> Line:
        """``stored`` with its key; raises ``DataError`` when its answer is not text."""
        is_good = stored.success is not False and stored.failure is None
        if is_good and not isinstance(stored.prediction, str | None):
            raise DataError(
                f"{path}: the prediction of row {row} is not text but "
                f"{type(stored.prediction).__name__}. Expected one line of text per answer."
            )
        return msgspec.structs.replace(stored, key=self.key(row, path, is_good=is_good))

    def key(self, row: int, path: Path, *, is_good: bool) -> str:
        """The key of the next line for ``row``: answers are numbered in order of appearance.

        A failure gets the number of the answer that is still to come, so it never takes the place
        of one.
        """
        if not 0 <= row < len(self._samples):
            raise DataError(
                f"{path}: a prediction belongs to row {row}, but the data set has "
                f"{len(self._samples)} rows. Was it made with another data set or --num-prompts?"
            )
        repeat = self._seen.get(row, 0)
        self._seen[row] = repeat + is_good
        return f"{self._samples[row].id}#{repeat}"
