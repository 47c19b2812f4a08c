"""vLLM's engine behind the ``Backend`` seam.

Every request goes to the engine when it comes, so the engine's own continuous batching has all of
them to choose from. The engine starts at the first question and computes in processes of its own.
"""

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import fields
from itertools import count
from time import monotonic_ns
from typing import TYPE_CHECKING, NamedTuple

from steelyard.backends._hf_prompts import DEFAULT_MAX_TOKENS, Manner, fitted, opening
from steelyard.backends._options import read_options
from steelyard.backends._vllm_options import (
    VllmOptions,
    drawing,
    engine_arguments,
    refuse_unusable,
)
from steelyard.core import (
    ConfigError,
    Failure,
    Json,
    Likelihood,
    ModelSpec,
    Reply,
    Request,
    RunStopped,
    Timing,
)

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase
    from vllm.logprobs import Logprob
    from vllm.outputs import RequestOutput
    from vllm.v1.engine.async_llm import AsyncLLM

_ENVIRONMENT = {"VLLM_LOGGING_LEVEL": "ERROR", "VLLM_NO_USAGE_STATS": "1"}
"""Unless somebody says otherwise: quiet, and nothing is sent to anybody."""


class Started(NamedTuple):
    """An engine that runs."""

    engine: "AsyncLLM"
    tokenizer: "PreTrainedTokenizerBase"
    longest: int
    """Tokens of prompt and answer together at most."""


def vllm_model(spec: ModelSpec, manner: Manner) -> "VllmModel":
    """The model in the folder that ``spec`` names; its engine starts when it is first asked.

    Raises ``ConfigError`` for what can be seen to fail without starting anything.
    """
    options = read_options(spec, VllmOptions)
    refuse_unusable(spec, options)
    return VllmModel(spec, options, manner)


class VllmModel:
    """A model in vLLM's engine, for one event loop."""

    def __init__(self, spec: ModelSpec, options: VllmOptions, manner: Manner) -> None:
        self._where = f"model {spec.abbr}"
        self._drawing = drawing(spec, options)
        self._options = options
        self._manner = manner
        self._numbers = count()
        self._starting: asyncio.Task[Started] | None = None

    async def ask(self, request: Request) -> Reply:
        """See ``Backend``. Raises ``RunStopped`` when the engine does not start or breaks."""
        queued_ns = monotonic_ns()
        if self._starting is None:
            self._starting = asyncio.create_task(asyncio.to_thread(self._start))
        started = await asyncio.shield(self._starting)
        sent_ns = monotonic_ns()

        def timing() -> Timing:
            return Timing(queued_ns=queued_ns, sent_ns=sent_ns, done_ns=monotonic_ns())

        try:
            if request.candidates:
                return await self._scored(started, request, timing)
            return await self._answered(started, request, timing)
        except ConfigError as error:
            raise RunStopped(str(error)) from error
        except ValueError as error:  # what the engine calls a bad request
            failure = Failure(kind="model", detail=str(error))
            return Reply(key=request.key, timing=timing(), failure=failure)

    async def close(self) -> None:
        """See ``Backend``. What is under way is given up."""
        starting, self._starting = self._starting, None
        if starting is None:
            return
        await asyncio.wait({starting})
        if not starting.cancelled() and starting.exception() is None:
            await asyncio.to_thread(starting.result().engine.shutdown)

    def _start(self) -> Started:
        for name, value in _ENVIRONMENT.items():
            os.environ.setdefault(name, value)
        from transformers import AutoTokenizer
        from vllm import SamplingParams
        from vllm.engine.arg_utils import AsyncEngineArgs
        from vllm.v1.engine.async_llm import AsyncLLM

        arguments = engine_arguments(self._options)
        known = {field.name for field in fields(AsyncEngineArgs)}
        if unknown := sorted(arguments.keys() - known):
            raise RunStopped(
                f"{self._where}: the engine of the installed vLLM has no argument "
                f"{', '.join(unknown)} (model_kwargs)."
            )
        try:
            SamplingParams(**self._drawing.parameters("", 1))
            tokenizer = AutoTokenizer.from_pretrained(
                arguments["tokenizer"],
                trust_remote_code=self._options.trust_remote_code,
                local_files_only=True,
            )
            engine = AsyncLLM.from_engine_args(AsyncEngineArgs(**arguments))
        except Exception as error:
            raise RunStopped(
                f"{self._where}: vLLM does not start ({type(error).__name__}: {error}). With "
                "VLLM_LOGGING_LEVEL=INFO in the environment it says more."
            ) from error
        return Started(engine, tokenizer, engine.model_config.max_model_len)

    async def _answered(
        self, started: Started, request: Request, timing: Callable[[], Timing]
    ) -> Reply:
        longest = started.longest
        limit = request.sampling.max_tokens or DEFAULT_MAX_TOKENS
        ids = self._manner.ids(started.tokenizer, request)
        room = longest - min(limit, longest - 1)
        prompted = fitted(ids, room, middle=self._options.mode == "mid")
        limit = min(limit, longest - len(prompted.ids))
        values = self._drawing.parameters(request.key, limit)
        said = await self._computed(started, prompted.ids, values)
        (answer,) = said.outputs
        return Reply(
            key=request.key,
            timing=timing(),
            text=answer.text,
            finish=answer.finish_reason or "",
            prompt_tokens=len(prompted.ids),
            output_tokens=len(answer.token_ids),
            token_source="tokenizer",
            prompt_cut=prompted.cut,
        )

    async def _scored(
        self, started: Started, request: Request, timing: Callable[[], Timing]
    ) -> Reply:
        from steelyard.backends._hf_likelihood import Cutter

        prompt = self._manner.text(started.tokenizer, request)
        candidates = request.candidates
        if self._manner.own_turn:
            candidates = tuple(map(opening, candidates))
        cutter = Cutter(started.tokenizer, started.longest - 1, self._manner.special)
        groups = cutter.scored(request.key, prompt, candidates)
        texts = [
            (one.shared + rest, own)
            for one in groups
            for rest, own in zip(one.rests, one.own, strict=True)
        ]
        values: dict[str, Json] = {"temperature": 0, "max_tokens": 1, "prompt_logprobs": 0}
        said = await asyncio.gather(*(self._computed(started, ids, values) for ids, _ in texts))
        return Reply(
            key=request.key,
            timing=timing(),
            likelihoods=tuple(
                likelihood(ids, own, one.prompt_logprobs)
                for (ids, own), one in zip(texts, said, strict=True)
            ),
            prompt_tokens=sum(len(ids) for ids, _ in texts),
            token_source="tokenizer",
            prompt_cut=max(one.cut for one in groups),
        )

    async def _computed(
        self, started: Started, ids: list[int], values: Mapping[str, Json]
    ) -> "RequestOutput":
        """What the engine says of ``ids``; an empty prompt is a ``ValueError``."""
        from vllm import SamplingParams, TokensPrompt
        from vllm.sampling_params import RequestOutputKind
        from vllm.v1.engine.exceptions import EngineDeadError, EngineGenerateError

        if not ids:
            raise ValueError("the prompt is empty")
        how = SamplingParams(**values, output_kind=RequestOutputKind.FINAL_ONLY)
        name = str(next(self._numbers))
        try:
            outputs = started.engine.generate(TokensPrompt(prompt_token_ids=ids), how, name)
            async with aclosing(outputs):
                (said,) = [one async for one in outputs]
                return said
        except (EngineDeadError, EngineGenerateError) as error:
            cause = error.__cause__ or error
            raise RunStopped(
                f"{self._where}: vLLM's engine broke ({type(cause).__name__}: {cause}). What is "
                "finished is kept. With VLLM_LOGGING_LEVEL=INFO in the environment it says more."
            ) from error


def likelihood(
    ids: Sequence[int], own: int, told: "Sequence[Mapping[int, Logprob] | None]"
) -> Likelihood:
    """From the log-probabilities of a text's tokens; the first one has none.

    ``own``: how many of the last tokens are the candidate's.
    """
    each = [at[token] for token, at in zip(ids[1:], told[1:], strict=True) if at is not None]
    values = [float(one.logprob) for one in each]
    return Likelihood(
        total=sum(values[-own:]),
        tokens=own,
        whole_total=sum(values),
        whole_tokens=len(values),
        greedy=all(one.rank == 1 for one in each[-own:]),
    )
