"""Sub-data sets run as one task (``--merge-ds``): one stream of requests, one overall score."""

from collections.abc import Iterable, Iterator, Sequence

from msgspec.structs import replace

from steelyard.core import ConfigError, Sample, Task


def merged(tasks: Sequence[Task]) -> Task:
    """One task with the rows of all ``tasks``.

    Samples are called ``<task name>/<id>`` and carry the task name as ``subset``; worked examples
    too, so every sample is still shown those of its own task. Tasks that are asked or marked in
    different ways, or that belong to no common data set, cannot be merged (``ConfigError``).
    """
    first = tasks[0]
    strangers = [task.name for task in tasks if _manner(task) != _manner(first)]
    if strangers or not first.merged_name:
        raise ConfigError(
            f"{first.name} cannot be merged with {', '.join(strangers) or 'others'}: only "
            "sub-data sets of one data set, asked and marked alike, can run as one task. Run "
            "them without --merge-ds."
        )

    def samples() -> Iterator[Sample]:
        for task in tasks:
            yield from _owned(task, task.samples())

    def shots() -> tuple[Sample, ...]:
        return tuple(shot for task in tasks for shot in _owned(task, task.shots()))

    return replace(first, name=first.merged_name, samples=samples, shots=shots, merged_name="")


def _owned(task: Task, samples: Iterable[Sample]) -> Iterator[Sample]:
    for sample in samples:
        yield replace(sample, id=f"{task.name}/{sample.id}", subset=task.name)


def _manner(task: Task) -> tuple[object, ...]:
    """Everything that has to be the same for answers to share one task."""
    variants = {name: scorer.id for name, scorer in task.variants.items()}
    asked = (task.prompt, task.dialogue, task.candidates)
    marked = (task.scorer.id, variants, [judge.id for judge in task.judges])
    return (task.merged_name, task.version, asked, marked, task.gold)
