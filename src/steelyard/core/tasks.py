"""What is evaluated: samples, tasks, models, jobs."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Literal, TypeAlias

import msgspec

from steelyard.core.protocols import Judge, Marking
from steelyard.core.records import Judgement, Metric, Score
from steelyard.core.wire import Candidate, Json, Sampling, Turn

Together: TypeAlias = Callable[[Sequence[Judgement]], Judgement]
Mode: TypeAlias = Literal["all", "infer", "judge", "infer_judge", "eval", "viz", "perf", "perf_viz"]


class Sample(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One row of a data set: what the data says, before any prompt."""

    id: str
    """Stable across runs and unique in its task; without ``#``."""
    question: str | list[dict[str, Json]]
    """Text, or OpenAI-style content parts."""
    target: str | None = None
    """The right answer; ``None`` when the data has none (then nothing can be marked)."""
    choices: tuple[str, ...] = ()
    """Option texts of a multiple-choice row; the target is then the letter."""
    worked: str = ""
    """A worked solution, for few-shot examples."""
    subset: str = ""
    max_tokens: int | None = None
    """This row's own output limit."""
    sampling: Mapping[str, Json] = {}
    """This row's own values of ``Sampling.extra``, for all its turns; they go before the model's.
    A model of this machine, which has one way of drawing, is refused such rows."""
    meta: Mapping[str, str] = {}
    """Further fields that prompts may name (``{subject}``...)."""
    turns: tuple[Turn, ...] = ()
    """Of a dialogue: the turns after ``question``, in order."""
    given: str | None = None
    """Of a dialogue: the reference answer to ``question``, for histories that use references."""
    due_ms: float | None = None
    """When a trace sent this request, in ms since the trace began."""
    place: str = ""
    """Of a row whose answer is a picture: where the data set's authors keep that picture, seen from
    the folder of all answers and without its ending (``color_alter/en/3f2a``)."""


class Prompt(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How a sample becomes messages. Templates name fields in braces; other braces stay.

    Fields: ``question target worked choices`` (lines ``A. ...``), the option letters, and every
    ``meta`` key.
    """

    user: str
    """The turn that is asked."""
    style: Literal["text", "chat"] = "text"
    """``text``: intro, examples and question in one user message. ``chat``: one turn each."""
    shot: str | None = None
    """The question side of a worked example; the same as ``user`` when not given."""
    shot_answer: str = "{target}"
    """The answer side of a worked example."""
    intro: str = ""
    """Text before the examples (``text`` style only); may name fields of the asked sample."""
    system: str = ""
    separator: str = "\n"
    """Between intro, examples and question in ``text`` style."""


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """One data set with its prompt and its marking. The only type that holds functions."""

    name: str
    """Short display and file name, the ``abbr`` of a table row (``ceval-law``); no dot."""
    version: int
    """Raised when prompt or data handling changes."""
    samples: Callable[[], Iterable[Sample]]
    """Reads the rows; raises ``MissingData`` or ``DataError``."""
    prompt: Prompt
    scorer: Marking
    shots: Callable[[], tuple[Sample, ...]] = tuple
    """Worked examples put before every question."""
    variants: Mapping[str, Marking] = {}
    """Other rules for the same answers (``fixed``: where the reference rule is known wrong)."""
    gold: str = "{target}"
    """How a right answer reads (fields as in prompts): self-test and simulator write it. Empty:
    none can be written down so."""
    group: str = ""
    """The family that sub-data sets are merged and averaged under (``mmlu``)."""
    merged_name: str = ""
    """The task's name in a ``--merge-ds`` run (``mmludataset``); empty when it has no siblings."""
    metric: str = "accuracy"
    figures: Callable[[Sequence[Score]], tuple[Metric, ...]] | None = None
    """Further rows of the report that are no mean of the scores' values, out of their ``parts``."""
    features: Callable[[str, Sample], Mapping[str, float]] | None = None
    """Of a judged answer: what ``figures`` need to know of the text that was judged, and of the
    sample as the judge saw it. Goes into ``Score.parts`` beside the judgement's own."""
    candidates: Callable[[Sample], tuple[Candidate, ...]] | None = None
    """Makes this a task of likelihoods: what is scored after the prompt of a sample, an option
    each, in the order of ``Sample.choices``."""
    dialogue: Literal["every", "every_with_gt", "last"] = "every"
    """What stands in the history of a dialogue: the model's own answers; the data's answers; or
    the data's answers with only the last turn asked."""
    draws: bool = False
    """Answers are pictures. A stored one is the path of its file, seen from the record file."""
    judges: tuple[Judge, ...] = ()
    """Not empty: answers are marked by a model, and this is what it is asked about each of them.
    What it says to several questions makes one judgement, by ``together``."""
    together: Together | None = None
    """See ``Judging.together``."""
    cascade: bool = False
    """With ``judges``: the rule ``scorer`` goes first, see ``Judging.cascade``."""

    @property
    def mode(self) -> Literal["gen", "ppl"]:
        """What tables call the way of asking: for an answer, or for likelihoods."""
        return "gen" if self.candidates is None else "ppl"


class Traffic(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True
):
    """How arrivals are spread around a mean rate (``traffic_cfg``)."""

    burstiness: float = 0.0
    """Shape of the gaps: 0 even, 1 Poisson, below 1 burstier, above 1 more even (Gamma)."""
    ramp_up_strategy: Literal["linear", "exponential"] | None = None
    """How the rate grows over the run, from ``start`` to ``end``; ``None``: it does not."""
    ramp_up_start_rps: float = 0.0
    ramp_up_end_rps: float = 0.0
    """With a ramp this is the target rate, in place of ``request_rate``."""


class Load(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How hard a model is asked. Nothing in here may change an answer."""

    concurrency: int = 32
    """Requests in flight at most."""
    request_rate: float = 0.0
    """Mean requests per second; 0 is as fast as places in flight allow."""
    retries: int = 2
    """Extra tries after a failure that may pass."""
    timeout_s: float | None = None
    """Limit for one attempt; ``None`` is the automatic limit (see ``engine.patience``)."""
    senders: int = 0
    """Sender processes; 0 is automatic."""
    traffic: Traffic | None = None
    """Shape of the arrivals at ``request_rate``; ``None``: even gaps."""
    use_timestamp: bool = False
    """Send when the data's time stamps say (``Sample.due_ms``); rate and places do not count."""
    pressure_s: float = 0.0
    """Above 0: clients ask again and again for so many seconds, ``request_rate`` new ones a second
    until there are ``concurrency``."""
    seed: int = 0
    """Of the arrival times."""


class Price(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True
):
    """What a service takes for its tokens."""

    input: float = 0.0
    """For a million tokens of prompts."""
    output: float = 0.0
    """For a million tokens of answers."""
    currency: str = ""

    def of(self, prompt_tokens: int, output_tokens: int) -> float:
        """The price of so many tokens."""
        return (self.input * prompt_tokens + self.output * output_tokens) / 1e6


class ModelSpec(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How to reach one model."""

    abbr: str
    """Display and directory name; unique in a plan, without slash."""
    backend: str
    """A module of ``steelyard.backends`` (``openai_chat``) or ``package.module``."""
    options: Mapping[str, Json] = {}
    """What the backend needs to know; it checks them (unknown names are an error)."""
    sampling: Sampling = Sampling()
    clean: str = ""
    """Cleaner applied before marking: ``strip_reasoning``, ``strip_reasoning_raw`` or none."""
    load: Load = Load()
    repeats: int = 1
    """Independent requests per row (``num_return_sequences``)."""
    tokenizer: str = ""
    """The model's ``tokenizer.json`` or its folder.

    For prompts of exact lengths, and for counts that the service does not give.
    """
    price: Price | None = None
    """What its tokens cost; ``None``: unknown."""
    label: str = ""
    """Column header when it differs from ``abbr`` (``summarizer_abbr``)."""


class Judging(msgspec.Struct, frozen=True, kw_only=True):
    """Marking by a model: which one is asked, what, and about which answers."""

    model: ModelSpec
    judges: tuple[Judge, ...]
    """See ``Task.judges``."""
    together: Together | None = None
    """Makes one judgement of those that the judges came to, in their order; ``None``: two judges
    are the two orders of one comparison."""
    cascade: bool = False
    """The task's own rule goes first: what it accepts is right, the judge is asked about the rest.
    """
    audit: float = 0.0
    """Of a cascade: the share of what the rule accepts that the judge is asked about all the same.
    It changes no score; it tells how far rule and judge agree."""


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One model on one task: the unit of running, resuming and reporting."""

    model: ModelSpec
    task: Task
    dataset: str
    """The catalogue name that was asked for (``mmlu_gen``); one name may expand to many jobs."""
    limit: int | None = None
    """Only the first rows of the task; of a merged one the first of every sub-data set."""
    rows: Callable[[int], Sequence[int]] | None = None
    """Given the number of rows, which of them are meant (``test_range``); goes before ``limit``."""
    judging: Judging | None = None
    """Set where a model marks the answers."""

    @property
    def marked_name(self) -> str:
        """What marks, results and table rows are called: the task's name, with who judged."""
        return f"{self.task.name}-{self.judging.model.abbr}" if self.judging else self.task.name

    @property
    def by_rule(self) -> bool:
        """Whether the task's own rule marks: where nobody judges, and first in a cascade."""
        return self.judging is None or self.judging.cascade


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """Everything one command does: jobs and the stages that they go through."""

    mode: Mode
    jobs: tuple[Job, ...]
    notices: tuple[str, ...] = ()
    """What a person should know before it starts (accepted but idle flags, ambiguous names)."""
