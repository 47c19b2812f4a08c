"""From samples to requests: keys, repeats, output limits, and how a dialogue begins.

Every row becomes its first request, made when it is asked for. The later turns of a dialogue travel
in ``Request.then`` until the answer before them is there; every turn carries its own output limit,
so that a short limit of one turn is not inherited by the next.
"""

from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from steelyard.core import Candidate, DataError, Message, Request, Sample, Sampling, Task, Turn
from steelyard.tasks.prompting import Asker, asker


def requests(
    task: Task, samples: Iterable[Sample], *, sampling: Sampling, repeats: int = 1
) -> Iterator[Request]:
    """One request per sample and repeat, the repeats of a sample next to each other.

    The key is ``sample_id#repeat``. A sample's own ``max_tokens`` replaces that of ``sampling``,
    its own ``sampling`` the values of these names.
    ``task.dialogue`` decides what the turns of a dialogue get to see of the answers before them;
    ``DataError`` names a sample without the reference answers that this needs.
    The worked examples are read by this call (``MissingData``), not by the first request.
    """
    ask = asker(task.prompt, task.shots())
    return (
        replace(first, key=f"{sample.id}#{repeat}")
        for sample in samples
        for first in (_first(task, ask, sample, sampling),)
        for repeat in range(repeats)
    )


def _first(task: Task, ask: Asker, sample: Sample, sampling: Sampling) -> Request:
    """The first request of ``sample``, its key still without a repeat."""
    if sample.sampling:
        sampling = replace(sampling, extra={**sampling.extra, **sample.sampling})
    request = Request(
        key=sample.id,
        messages=ask(sample),
        sampling=_limited(sampling, sample.max_tokens),
        due_ms=sample.due_ms,
        candidates=candidates(task, sample),
        place=sample.place,
    )
    if not sample.turns:
        return request
    if task.dialogue == "every":
        return replace(request, then=tuple(_open(turn, sampling) for turn in sample.turns))
    _refuse_without_references(task, sample)
    if task.dialogue == "every_with_gt":
        then = tuple(_with_limit(turn, sampling) for turn in sample.turns)
        return replace(request, then=then, given=sample.given)
    *_, last = sample.turns
    return replace(
        request,
        messages=(*request.messages, *_history(sample)),
        sampling=_limited(sampling, last.max_tokens),
    )


def candidates(task: Task, sample: Sample) -> tuple[Candidate, ...]:
    """What is scored after the prompt of ``sample``; empty for a task that asks for answers.

    ``DataError`` unless there is one for each of two or more options.
    """
    if task.candidates is None:
        return ()
    found = task.candidates(sample)
    if len(found) < 2 or len(found) != len(sample.choices):
        raise DataError(
            f"{task.name}: sample {sample.id} has {len(sample.choices)} options and {len(found)} "
            "candidates; a task of likelihoods needs two or more options, a candidate each."
        )
    return found


def _limited(sampling: Sampling, max_tokens: int | None) -> Sampling:
    return sampling if max_tokens is None else replace(sampling, max_tokens=max_tokens)


def _with_limit(turn: Turn, sampling: Sampling) -> Turn:
    return replace(turn, max_tokens=sampling.max_tokens) if turn.max_tokens is None else turn


def _open(turn: Turn, sampling: Sampling) -> Turn:
    """The turn as it is when the model's own answers are the history."""
    return replace(_with_limit(turn, sampling), given=None)


def _history(sample: Sample) -> Iterator[Message]:
    """What follows the first question: reference answers and questions, up to the last question."""
    answer = sample.given
    for turn in sample.turns:
        yield Message("assistant", answer or "")
        yield Message("user", turn.question)
        answer = turn.given


def _refuse_without_references(task: Task, sample: Sample) -> None:
    answers = (sample.given, *(turn.given for turn in sample.turns[:-1]))
    for number, answer in enumerate(answers, start=1):
        if answer is None:
            raise DataError(
                f"{task.name}: sample {sample.id} has no reference answer to turn {number}, which "
                f"the dialogue mode {task.dialogue} puts into the history. Use the mode every."
            )
