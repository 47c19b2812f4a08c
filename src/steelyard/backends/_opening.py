"""From a backend's name to the backend: the lazy import behind the room's public functions."""

import importlib
from collections.abc import Callable
from types import ModuleType
from typing import Protocol, cast

import msgspec

from steelyard.backends._options import read_options
from steelyard.core import (
    Backend,
    CandidateModule,
    ConfigError,
    ModelSpec,
    NoSuchName,
    PictureModule,
)


class _BackendModule(Protocol):
    """What a module must hold to be a backend."""

    Options: type[msgspec.Struct]

    def connect(self, spec: ModelSpec) -> Backend: ...


def open_backend(spec: ModelSpec) -> Backend:
    """The backend that ``spec`` names, ready to be asked on the running event loop.

    Raises what ``check`` raises, and ``ConfigError`` for what only shows when connecting is
    prepared (a key that is not in the environment, a certificate file that is not there).
    """
    return _module(spec.backend).connect(spec)


def check(spec: ModelSpec) -> None:
    """Refuse a model that cannot be reached as described; sends nothing.

    An unknown backend is ``NoSuchName``, an unknown or mistyped option ``ConfigError``.
    """
    read_options(spec, _module(spec.backend).Options)


def check_candidates(spec: ModelSpec, dataset: str) -> None:
    """Refuse a model that cannot say how likely the options of ``dataset`` are; sends nothing.

    Raises what ``check`` raises, and ``ConfigError`` with what to do.
    """
    module = _module(spec.backend)
    if not isinstance(module, CandidateModule):
        raise ConfigError(
            f"{dataset} compares how likely its options are, which backend {spec.backend} of model "
            f"{spec.abbr} cannot tell. Use vLLM through vllm_api_general or vllm_api_general_chat, "
            "or a data set that asks for answers (..._gen_...)."
        )
    if obstacle := module.scoring_obstacle(read_options(spec, module.Options)):
        raise ConfigError(f"{dataset} with model {spec.abbr}: {obstacle}")


def check_pictures(spec: ModelSpec, dataset: str, *, draws: bool) -> None:
    """Refuse a model that cannot do what ``dataset`` asks for; sends nothing.

    ``draws``: to answer with a picture; else to be shown some. Raises what ``check`` raises, and
    ``ConfigError`` with what to do.
    """
    module = _module(spec.backend)
    knows = module if isinstance(module, PictureModule) else None
    if draws and not (knows and knows.DRAWS):
        raise ConfigError(
            f"{dataset} asks for pictures, which backend {spec.backend} of model {spec.abbr} does "
            "not make. Use vllm_api_image_edits (a service that edits pictures) or picture_folder "
            "(pictures that were made elsewhere)."
        )
    if not draws and not (knows and knows.TAKES_PICTURES):
        raise ConfigError(
            f"{dataset} shows its judge pictures, which backend {spec.backend} of {spec.abbr} does "
            "not take. Use a vision model behind the OpenAI chat interface (openai_chat)."
        )


def backend_options(name: str) -> tuple[str, ...]:
    """Names of the options that backend ``name`` knows."""
    return _module(name).Options.__struct_fields__


def devices(spec: ModelSpec) -> int | None:
    """How many devices of this machine the model takes; ``None``: it is served elsewhere."""
    count: Callable[[ModelSpec], int] | None = getattr(_module(spec.backend), "devices", None)
    return None if count is None else count(spec)


def _module(name: str) -> _BackendModule:
    steps = name.split(".")
    if not all(step.isidentifier() for step in steps) or name.startswith("_"):
        raise NoSuchName("backend", name, _nearest(name))
    module = _own_module(name) if len(steps) > 1 else _built_in(name)
    for part in ("Options", "connect"):
        if not hasattr(module, part):
            raise ConfigError(
                f"{module.__name__} ({module.__file__}) is not a backend: it has no {part}. "
                "A backend module holds Options (a msgspec struct) and connect(spec) -> Backend."
            )
    return cast(_BackendModule, module)


def _built_in(name: str) -> ModuleType:
    path = f"{__package__}.{name}"
    try:
        return importlib.import_module(path)
    except ModuleNotFoundError as error:
        if error.name != path:
            raise
    raise NoSuchName("backend", name, _nearest(name))


def _nearest(name: str) -> tuple[str, ...]:
    import difflib
    import pkgutil

    import steelyard.backends as room

    names = [info.name for info in pkgutil.iter_modules(room.__path__) if info.name[0] != "_"]
    return tuple(difflib.get_close_matches(name, names, n=2)) or tuple(names)


def _own_module(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise
        raise ConfigError(
            f"backend {name}: there is no module {error.name}. Put its folder on PYTHONPATH, or "
            "name one of the built-in backends."
        ) from error
