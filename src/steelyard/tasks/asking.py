"""From samples to requests: keys, repeats and output limits."""

from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from steelyard.core import Request, Sample, Sampling, Task
from steelyard.tasks.prompting import Asker, asker


def requests(
    task: Task, samples: Iterable[Sample], *, sampling: Sampling, repeats: int = 1
) -> Iterator[Request]:
    """One request per sample and repeat, the repeats of a sample next to each other.

    The key is ``sample_id#repeat``. A sample's own ``max_tokens`` replaces that of ``sampling``.
    The worked examples are read by this call (``MissingData``), not by the first request.
    """
    ask = asker(task.prompt, task.shots())
    return (
        request
        for sample in samples
        for request in _repeated(ask, sample, sampling=sampling, repeats=repeats)
    )


def _repeated(ask: Asker, sample: Sample, *, sampling: Sampling, repeats: int) -> Iterator[Request]:
    messages = ask(sample)
    if sample.max_tokens is not None:
        sampling = replace(sampling, max_tokens=sample.max_tokens)
    for repeat in range(repeats):
        yield Request(key=f"{sample.id}#{repeat}", messages=messages, sampling=sampling)
