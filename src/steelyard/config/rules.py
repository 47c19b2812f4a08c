"""``--scorer RULE``: marking by another rule than the data set's own.

``fixed`` (any name in ``Task.variants``) chooses a rule that the data set brings along;
``FILE.py:function`` one of the user's. Such a function is either a scorer
``(text, sample) -> Verdict`` or an extractor ``(text) -> str``, whose result is compared with the
target, as in AISBench's ``pred_postprocessor``. Its version is the digest of the file, so results
say which text marked them.
"""

from collections.abc import Callable
from pathlib import Path

import msgspec

from steelyard.core import ConfigError, LikelihoodScorer, Marking, Sample, Task, Verdict


class UserRule(msgspec.Struct, frozen=True):
    """A marking function from a user's file, as a scorer."""

    id: str
    function: Callable[..., Verdict | str | None]
    extracts: bool
    """The function only reads the answer out; comparing is ours."""
    live: bool = False

    def __call__(self, text: str, sample: Sample) -> Verdict:
        """Mark ``text``; the function must return a ``Verdict``, or text if it extracts."""
        found = self.function(text) if self.extracts else self.function(text, sample)
        if isinstance(found, Verdict) and 0 <= found.value <= 1:
            return found
        if not self.extracts or not isinstance(found, str | None):
            verdict = "a steelyard.core.Verdict with a value between 0 and 1"
            wanted = "a string or None" if self.extracts else verdict
            raise ConfigError(f"--scorer {self.id}: returned {found!r}; expected {wanted}.")
        answer = found.strip() if found is not None else None
        if not answer:
            return Verdict(0.0, None, "nothing was read out")
        return Verdict(float(answer == (sample.target or "").strip()), answer)


def rule_chooser(rule: str | None) -> Callable[[Task], tuple[Task, str]]:
    """A function that puts ``rule`` into a task and says what a person should know (or nothing).

    Raises ``ConfigError`` when the file or function cannot be used.
    """
    if rule is None:
        return lambda task: (task, "")
    if ":" in rule or rule.endswith(".py"):
        scorer = _from_file(rule)
        return lambda task: (_marked_by(task, scorer), "")

    def choose(task: Task) -> tuple[Task, str]:
        if rule not in task.variants:
            known = ", ".join(sorted(task.variants)) or "none"
            return task, (
                f"{task.name} has no marking rule {rule!r} (others: {known}); "
                f"its own rule {task.scorer.id} is used"
            )
        return _marked_by(task, task.variants[rule]), ""

    return choose


def _marked_by(task: Task, scorer: Marking) -> Task:
    if isinstance(scorer, LikelihoodScorer) != (task.candidates is not None):
        holds = "likelihoods of the options" if task.candidates else "texts"
        raise ConfigError(
            f"--scorer {scorer.id}: {task.name} is marked by {holds}, which this rule cannot "
            f"mark. Its own rules: {', '.join(sorted(task.variants)) or 'none but its default'}."
        )
    return msgspec.structs.replace(task, scorer=scorer)


def _from_file(rule: str) -> Marking:
    import hashlib
    import importlib.util
    import inspect

    name, _, function_name = rule.rpartition(":")
    path = Path(name)
    if not name or not path.is_file():
        raise ConfigError(
            f"--scorer {rule}: no such file. Expected FILE.py:function, or the name of a variant "
            "such as fixed."
        )
    spec = importlib.util.spec_from_file_location(f"steelyard_rule_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise ConfigError(f"--scorer {rule}: {path} is not a Python file.")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise ConfigError(
            f"--scorer {rule}: {path} fails when loaded: {type(error).__name__}: {error}"
        ) from error
    function = getattr(module, function_name, None)
    if not callable(function):
        raise ConfigError(f"--scorer {rule}: {path} has no function {function_name!r}.")
    if isinstance(getattr(function, "id", None), str):
        scorer: Marking = function
        return scorer
    wanted = len(inspect.signature(function).parameters)
    if wanted not in (1, 2):
        raise ConfigError(
            f"--scorer {rule}: {function_name} takes {wanted} parameters; expected (text) for an "
            "extractor or (text, sample) for a scorer."
        )
    version = hashlib.sha256(path.read_bytes()).hexdigest()[:8]
    return UserRule(f"{path.stem}.{function_name}@{version}", function, wanted == 1)
