"""Tokenizers, and texts of exact lengths.

- Counts are those of the tokenizer's own library, without special tokens.
- A text has exactly the tokens that were asked for, under every kind of tokenizer.
- A key is always the same text; a shorter piece is the beginning of the longer one.
- A text that cannot be made exact is never handed out.
- What is not a usable ``tokenizer.json`` is refused with what to do.
"""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer as Loaded
from tokenizers import models, pre_tokenizers

import small_tokenizer
from steelyard.core import ConfigError, DataError
from steelyard.tasks.tokenizer import open_tokenizer
from steelyard.tasks.words import Piece, Words, common_words, words_of, written


@pytest.fixture(params=small_tokenizer.KINDS)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    kind = str(request.param)
    return small_tokenizer.put(kind, tmp_path_factory.getbasetemp() / kind)


def test_counts_are_those_of_the_library_without_special_tokens(folder: Path) -> None:
    own = small_tokenizer.loaded(folder)
    texts = ["", "def text(self)", "a  b\n\tc", "Überraschung 漢字 🙂"]
    tokenizer = open_tokenizer(folder)
    expected = [own.encode(text, add_special_tokens=False).ids for text in texts]
    assert tokenizer.encode_batch(texts) == expected
    assert [tokenizer.count(text) for text in texts] == list(map(len, expected))


def test_special_tokens_are_known_and_never_part_of_a_text(folder: Path) -> None:
    tokenizer = open_tokenizer(folder / "tokenizer.json")
    special = tokenizer.special_ids()
    assert {tokenizer.vocabulary()[name] for name in small_tokenizer.SPECIAL} <= special
    (text,) = written(words_of(tokenizer), [(Piece("a", 500),)])
    assert special.isdisjoint(tokenizer.encode_batch([text])[0])


def test_a_text_has_exactly_the_tokens_asked_for(folder: Path) -> None:
    own = small_tokenizer.loaded(folder)
    words = words_of(open_tokenizer(folder))
    sizes = [1, 2, 3, 17, 64, 511, 512, 2000] * 8
    drafts = [(Piece(f"row {row}", size),) for row, size in enumerate(sizes)]
    texts = list(written(words, drafts))
    found = [len(own.encode(text, add_special_tokens=False).ids) for text in texts]
    assert found == sizes
    assert all(text == " ".join(text.split()) for text in texts)


def test_only_a_vocabulary_that_keeps_words_apart_is_taken_at_its_word(folder: Path) -> None:
    assert words_of(open_tokenizer(folder)).closed == (folder.name != "superwords")


@given(st.text(max_size=20), st.integers(1, 300), st.integers(0, 300))
def test_a_shorter_piece_is_the_beginning_of_the_longer_one(
    key: str, short: int, more: int
) -> None:
    words = common_words()
    whole = words.text((Piece(key, short + more),)).split(" ")
    assert words.text((Piece(key, short),)).split(" ") == whole[:short]
    assert len(whole) == short + more


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 40)), min_size=1, max_size=6))
def test_pieces_add_up_in_any_order(tmp_path: Path, parts: list[tuple[int, int]]) -> None:
    folder = small_tokenizer.put("byte_level", tmp_path)
    draft = tuple(Piece(str(key), size) for key, size in parts)
    (text,) = written(words_of(open_tokenizer(folder)), [draft])
    assert open_tokenizer(folder).count(text) == sum(size for _, size in parts)


def test_a_text_that_cannot_be_exact_is_not_handed_out(tmp_path: Path) -> None:
    words = words_of(open_tokenizer(small_tokenizer.put("byte_level", tmp_path)))
    wrong = Words(openers=("unheardof",), others=words.others, tokenizer=words.tokenizer)
    with pytest.raises(DataError, match=r"1 of the first 1 texts could not be made .* row 0 is"):
        list(written(wrong, [(Piece("a", 5),)]))
    hopeless = Words(
        openers=("unheardof",),
        others=(" unheardof",) * 65536,
        tokenizer=words.tokenizer,
        closed=False,
    )
    with pytest.raises(
        DataError, match=r"2 of the first 2 texts .* by up to \d+; row 0 is \d+ over"
    ):
        list(written(hopeless, [(Piece("a", 1),), (Piece("b", 1),)]))


def test_texts_are_made_only_when_they_are_asked_for(tmp_path: Path) -> None:
    asked = 0

    def drafts():
        nonlocal asked
        while True:
            asked += 1
            yield (Piece(str(asked), 10),)

    words = words_of(open_tokenizer(small_tokenizer.put("byte_level", tmp_path)))
    texts = written(words, drafts())
    assert [len(next(texts).split()) for _ in range(3)] == [10, 10, 10]
    assert asked == 3


def test_a_vocabulary_without_words_is_refused(tmp_path: Path) -> None:
    letters = Loaded(models.BPE(vocab={letter: i for i, letter in enumerate("abc ")}, merges=[]))
    letters.pre_tokenizer = pre_tokenizers.Whitespace()
    letters.save(str(tmp_path / "tokenizer.json"))
    with pytest.raises(ConfigError, match="only 0 words of its vocabulary"):
        words_of(open_tokenizer(tmp_path))


def test_a_tokenizer_that_cuts_texts_short_counts_all_tokens_here(tmp_path: Path) -> None:
    folder = small_tokenizer.put("byte_level", tmp_path)
    count = open_tokenizer(folder).count("def text(self) -> str:")
    cutting = small_tokenizer.loaded(folder)
    cutting.enable_truncation(2)
    cutting.enable_padding(length=50)
    cutting.save(str(folder / "tokenizer.json"))
    assert 2 < open_tokenizer(folder).count("def text(self) -> str:") == count < 50


def test_a_changed_tokenizer_file_is_read_again(tmp_path: Path) -> None:
    first = open_tokenizer(small_tokenizer.put("byte_level", tmp_path))
    assert open_tokenizer(tmp_path) is first
    assert open_tokenizer(small_tokenizer.put("wordpiece", tmp_path)) is not first


def refusal(path: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        open_tokenizer(path)
    return str(caught.value)


def test_another_format_is_named_and_the_way_out_too(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.model").touch()
    (tmp_path / "vocab.json").touch()
    message = refusal(tmp_path)
    assert "no tokenizer.json, only tokenizer.model, vocab.json" in message
    assert "save_pretrained" in message


def test_a_path_that_does_not_exist_is_named(tmp_path: Path) -> None:
    assert refusal(tmp_path / "gone") == f"tokenizer {tmp_path / 'gone'}: no such file or folder"


@pytest.mark.parametrize("content", ["", "{}", '{"model": 3}', "\xff"])
def test_a_file_that_is_no_tokenizer_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "tokenizer.json").write_text(content, encoding="latin-1")
    assert "cannot be read as a tokenizer.json" in refusal(tmp_path)


def test_without_the_library_the_extra_is_named(tmp_path: Path) -> None:
    small_tokenizer.put("byte_level", tmp_path)
    code = (
        "import sys; sys.modules['tokenizers'] = None\n"
        "from pathlib import Path; from steelyard.tasks.tokenizer import open_tokenizer\n"
        "open_tokenizer(Path(sys.argv[1]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path], capture_output=True, text=True, check=False
    )
    assert "MissingExtra: counting tokens needs an extra package" in done.stderr
    assert "steelyard[tokens]" in done.stderr


def test_reading_data_needs_no_tokenizer_library() -> None:
    code = "import sys, steelyard.tasks.builtin.traces; sys.exit('tokenizers' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_token_ids_can_be_read_as_text_again(tmp_path: Path) -> None:
    tokenizer = open_tokenizer(small_tokenizer.put("byte_level", tmp_path))
    assert tokenizer.decode(tokenizer.encode_batch(["a b"])[0]) == "a b"
