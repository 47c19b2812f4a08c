"""Finding a backend by its name and refusing options that it does not know.

- A name is a file of the room, a dotted name a user's own module.
- Unknown names come with the nearest known ones; mistyped values with what is expected.
"""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from dialect_server import QUESTION
from steelyard import backends
from steelyard.core import ConfigError, ModelLister, ModelSpec, NoSuchName

ALL = ["mindie", "openai_chat", "openai_completions", "tgi", "triton"]


def spec(backend: str = "openai_chat", **options: Any) -> ModelSpec:
    return ModelSpec(abbr="demo", backend=backend, options=options)


@pytest.mark.parametrize("name", ALL)
def test_every_backend_opens_with_its_address_alone(name: str):
    options = {"base_url": "http://localhost:1"} | ({"model": "m"} if name == "triton" else {})
    backends.check(spec(name, **options))

    async def scenario() -> bool:
        backend = backends.open_backend(spec(name, **options))
        await backend.close()
        return isinstance(backend, ModelLister)

    assert asyncio.run(scenario()) == name.startswith("openai")


@pytest.mark.parametrize("name", ALL)
def test_options_are_known_by_name(name: str):
    known = backends.backend_options(name)
    assert {"base_url", "headers", "api_key_env", "stream"} <= set(known)
    assert ("model" in known) == (name not in ("tgi", "mindie"))


def test_unknown_backend_is_refused_with_the_nearest_name():
    with pytest.raises(NoSuchName, match=r"no backend is called 'openai_cat'.*openai_chat"):
        backends.check(spec("openai_cat"))


@pytest.mark.parametrize("name", ["_openai", "", "no such", "../tgi", "a..b"])
def test_what_is_not_a_backend_has_no_backend_name(name: str):
    with pytest.raises(NoSuchName, match=r"Did you mean .*(openai_chat|tgi)"):
        backends.open_backend(spec(name))


def test_unknown_option_is_refused_with_model_option_and_the_nearest_one():
    with pytest.raises(
        ConfigError, match=r"model demo.*openai_chat.*'modle'.*Did you mean model\?"
    ):
        backends.check(spec(modle="m"))


@pytest.mark.parametrize(
    ("option", "value", "expected"),
    [
        ("stream", "yes", "`bool`, got `str`"),
        ("base_url", 8080, "`str`, got `int`"),
        ("headers", {"a": 1}, "`str`, got `int`"),
        ("connect_timeout_s", "10", "`float`, got `str`"),
    ],
)
def test_mistyped_option_is_refused_with_what_is_expected(option: str, value: Any, expected: str):
    with pytest.raises(ConfigError) as refused:
        backends.check(spec(**{option: value}))
    assert "model demo" in str(refused.value)
    assert f"'{option}" in str(refused.value)
    assert expected in str(refused.value)


def test_triton_asks_for_the_models_name_while_planning():
    with pytest.raises(ConfigError, match=r"model demo: backend triton: .*name of the model"):
        backends.check(spec("triton"))


OWN = """
import msgspec
from steelyard.backends import read_options
from steelyard.core import Reply, Timing


class Options(msgspec.Struct, frozen=True):
    word: str = "four"


class Parrot:
    def __init__(self, word):
        self.word = word

    async def ask(self, request):
        clock = Timing(queued_ns=0, sent_ns=0, done_ns=0)
        return Reply(key=request.key, timing=clock, text=self.word)

    async def close(self):
        pass


def connect(spec):
    return Parrot(read_options(spec, Options).word)
"""


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "own_backends"
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "parrot.py").write_text(OWN, encoding="utf-8")
    (folder / "empty.py").write_text("Options = int\n", encoding="utf-8")
    (folder / "needy.py").write_text("import nowhere_to_be_found\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    return folder


def test_a_users_own_module_is_a_backend_like_any_other(own: Path):
    assert backends.backend_options("own_backends.parrot") == ("word",)
    with pytest.raises(ConfigError, match="Did you mean word"):
        backends.check(spec("own_backends.parrot", wrod="five"))
    backend = backends.open_backend(spec("own_backends.parrot", word="five"))
    assert asyncio.run(backend.ask(QUESTION)).text == "five"


def test_a_module_that_is_no_backend_is_refused_with_what_it_lacks(own: Path):
    with pytest.raises(ConfigError, match=r"empty.py.*has no connect"):
        backends.check(spec("own_backends.empty"))


@pytest.mark.parametrize("name", ["own_backends.parot", "own_backend.parrot"])
def test_a_module_that_is_not_there_is_refused_with_its_name(own: Path, name: str):
    with pytest.raises(ConfigError, match=f"backend {name}: there is no module own_backend"):
        backends.check(spec(name))


def test_a_module_whose_own_import_fails_keeps_its_error(own: Path):
    with pytest.raises(ModuleNotFoundError, match="nowhere_to_be_found"):
        backends.check(spec("own_backends.needy"))
