"""Pictures on the wire: to a vision model, to a service that edits them, and out of a folder.

- A picture becomes a data URL when the request is written, from its span of a file.
- An edit is a form that any server reads; its picture comes back as bytes, looked at, not decoded.
- What is no picture, an address in its place, or a file that is gone, is a failure with its reason.
- Backends that know no pictures refuse them before anything is sent.
"""

import asyncio
import base64
import json
import os
import re
import tempfile
from email import message_from_bytes
from email.message import Message as Mail
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialect_server import connected, json_answer, message, talk
from steelyard import backends
from steelyard.backends import _request
from steelyard.backends.openai_image_edits import Options, _body
from steelyard.core import (
    ConfigError,
    DataError,
    Load,
    Message,
    ModelSpec,
    Picture,
    Reply,
    Request,
    Sampling,
    picture_fault,
)
from steelyard.sim.wire_images import picture
from wire_server import READ, ok, playing

PNG = picture("original")


def stored(path: Path, data: bytes = PNG, *, before: bytes = b"", behind: bytes = b"") -> Picture:
    path.write_bytes(before + data + behind)
    digest = sha256(data).hexdigest()
    return Picture(sha256=digest, path=str(path), offset=len(before), size=len(data))


def editing(*pictures: Picture, **extra: Any) -> Request:
    parts = [*(one.part for one in pictures), {"type": "text", "text": "Paint it red.\n涂红"}]
    sampling = Sampling(max_tokens=64, extra=extra)
    return Request(key="7#0", messages=(Message("user", parts),), sampling=sampling)


def edit(
    body: bytes, request: Request, status: str = "200 OK", **options: Any
) -> tuple[Reply, Any]:
    """What comes of one edit, and the request as the service read it."""

    async def scenario() -> tuple[Reply, bytes]:
        answer = ok(body).replace(b"200 OK", status.encode(), 1)
        async with (
            playing((READ, answer)) as wire,
            connected(wire.url, "openai_image_edits", **options) as backend,
        ):
            reply = await backend.ask(request)
            return reply, wire.requests[0] if wire.requests else b""

    reply, sent = asyncio.run(scenario())
    return reply, sent


def form(sent: bytes) -> list[Mail]:
    """The parts of a form, as another program reads them."""
    head, _, body = sent.partition(b"\r\n\r\n")
    kind = next(line for line in head.split(b"\r\n") if line.lower().startswith(b"content-type"))
    mail = message_from_bytes(kind + b"\r\n\r\n" + body)
    assert mail.get_content_type() == "multipart/form-data"
    return [part for part in mail.get_payload() if isinstance(part, Mail)]


def named(part: Mail) -> str:
    return str(part.get_param("name", header="content-disposition"))


def drawn(**fields: Any) -> bytes:
    return json.dumps({"created": 1, "data": [fields]}).encode()


ANSWERED = drawn(b64_json=base64.b64encode(picture("edited")).decode())


def test_a_vision_model_is_sent_a_data_url_made_of_a_span(tmp_path: Path) -> None:
    shown = stored(tmp_path / "data.arrow", before=b"ARROW" * 7, behind=b"more")
    parts = [{"type": "text", "text": "?"}, shown.part]
    request = Request(key="k", messages=(Message("user", parts),), sampling=Sampling())
    reply, server = talk(json_answer(message(content="4")), request=request)
    assert reply.text == "4"
    url = f"data:image/png;base64,{base64.b64encode(PNG).decode()}"
    (sent,) = server.received[0].body["messages"]
    assert sent["content"] == [parts[0], {"type": "image_url", "image_url": {"url": url}}]


@pytest.mark.parametrize(
    ("data", "kind"),
    [(PNG, "png"), (b"\xff\xd8\xff\xe0JFIF", "jpeg"), (b"RIFF\0\0\0\0WEBPVP8 ", "webp")],
)
def test_what_a_picture_is_decides_what_it_is_called(
    tmp_path: Path, data: bytes, kind: str
) -> None:
    shown = stored(tmp_path / "wrong.name", data)
    request = Request(key="k", messages=(Message("user", [shown.part]),), sampling=Sampling())
    _, server = talk(json_answer(message(content="4")), request=request)
    url = server.received[0].body["messages"][0]["content"][0]["image_url"]["url"]
    assert url.startswith(f"data:image/{kind};base64,")


def test_an_edit_is_a_form_of_picture_prompt_and_parameters(tmp_path: Path) -> None:
    shown = stored(tmp_path / "a.png")
    request = editing(shown, size="512x512", num_inference_steps=8, true_cfg=True, quality=None)
    reply, sent = edit(ANSWERED, request, model="qwen-image-edit")
    assert sent.startswith(b"POST /v1/images/edits HTTP/1.1\r\n")
    parts = {named(part): part for part in form(sent)}
    assert parts["image"].get_payload(decode=True) == PNG
    assert parts["image"].get_content_type() == "image/png"
    assert parts["image"].get_filename() == "1.png"
    told = {name: part.get_payload(decode=True).decode() for name, part in parts.items()
            if name != "image"}  # fmt: skip
    assert told == {
        "prompt": "Paint it red.\n涂红",
        "model": "qwen-image-edit",
        "n": "1",
        "response_format": "b64_json",
        "size": "512x512",
        "num_inference_steps": "8",
        "true_cfg": "true",
    }
    assert reply.failure is None
    assert (reply.drawn, reply.text) == (picture("edited"), "")
    assert reply.timing.gaps_us == ()


def test_several_pictures_and_a_service_that_takes_no_response_format(tmp_path: Path) -> None:
    both = stored(tmp_path / "a.png"), stored(tmp_path / "b.png", picture("other"))
    _, sent = edit(ANSWERED, editing(*both), response_format="")
    names = [named(part) for part in form(sent)]
    assert names == ["image", "image", "prompt", "model", "n"]


@given(st.binary(max_size=300), st.text(st.characters(exclude_categories=["Cs"]), max_size=80))
def test_no_picture_and_no_prompt_ends_the_form(data: bytes, text: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        shown = stored(Path(folder) / "a", b"\x89PNG\r\n\x1a\n" + data)
        parts = [shown.part, {"type": "text", "text": text or "x"}]
        request = Request(key="k", messages=(Message("user", parts),), sampling=Sampling())
        body = _body(Options(base_url="http://h"), b"b" * 64, request)
    values = [part.partition(b"\r\n\r\n")[2] for part in body.split(b"--" + b"b" * 64)]
    assert values[1] == b"\x89PNG\r\n\x1a\n" + data + b"\r\n"
    assert values[2] == (text or "x").encode() + b"\r\n"


def test_a_data_url_in_place_of_base64_and_usage_are_read(tmp_path: Path) -> None:
    url = f"data:image/png;base64,{base64.b64encode(PNG).decode()}"
    body = {"data": [{"b64_json": url}], "usage": {"input_tokens": 9, "output_tokens": 4}}
    reply, _ = edit(json.dumps(body).encode(), editing(stored(tmp_path / "a.png")))
    assert (reply.drawn, reply.prompt_tokens, reply.output_tokens) == (PNG, 9, 4)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (drawn(url="http://h/1.png"), "address of a picture, which is not fetched.*b64_json"),
        (drawn(revised_prompt="x"), "without a picture"),
        (drawn(b64_json="%%%"), "no base64"),
        (drawn(b64_json="R0lGODlh"), "begins like no PNG, JPEG or WebP"),
        (drawn(b64_json=""), "cannot be used: it is empty"),
        (b'{"created": 1, "data": []}', "JSON without an answer"),
        (b'{"error": {"message": "no model"}}', "no model"),
        (b"<html>", "not the JSON"),
        (b"data: x\n\n", "a stream without an answer"),
    ],
)
def test_an_answer_that_holds_no_picture_has_failed(tmp_path: Path, body: bytes, says: str) -> None:
    reply, _ = edit(body, editing(stored(tmp_path / "a.png")))
    assert reply.failure is not None
    assert reply.failure.kind == "protocol"
    assert re.search(says, reply.failure.detail), reply.failure.detail
    assert (reply.drawn, reply.text) == (b"", "")


def test_the_words_of_an_error_status_are_kept(tmp_path: Path) -> None:
    body = b'{"detail": "size is not supported"}'
    reply, _ = edit(body, editing(stored(tmp_path / "a.png")), "400 Bad Request")
    assert reply.failure is not None
    assert (reply.failure.kind, reply.failure.status) == ("status", 400)
    assert "size is not supported" in reply.failure.detail


@pytest.mark.parametrize("what", ["gone", "changed", "cut"])
def test_a_picture_that_is_not_there_any_more_fails_its_request_alone(
    tmp_path: Path, what: str
) -> None:
    path = tmp_path / "a.png"
    shown = stored(path)
    if what == "gone":
        path.unlink()
    else:
        path.write_bytes(picture("another") if what == "changed" else PNG[:-5])
    reply, sent = edit(ANSWERED, editing(shown))
    assert sent == b""
    assert reply.failure is not None
    assert reply.failure.kind == "picture"
    assert str(path) in reply.failure.detail


def test_backends_that_know_texts_alone_refuse_pictures(tmp_path: Path) -> None:
    request = editing(stored(tmp_path / "a.png"))
    with pytest.raises(ConfigError, match="takes plain text, but the message holds a part of type"):
        _request.plain_prompt(request)
    text = Request(key="k", messages=(Message("user", "Hi"),), sampling=Sampling())
    with pytest.raises(ConfigError, match="holds no picture to be edited"):
        edit(ANSWERED, text)
    for backend in ("openai_completions", "tgi", "triton", "mindie", "hf_chat_model"):
        for draws in (True, False):
            spec = ModelSpec(abbr="m", backend=backend)
            with pytest.raises(ConfigError, match=f"backend {backend} of"):
                backends.check_pictures(spec, "gedit", draws=draws)


def out_of(folder: Path, *keys: str, place: str = "a/b") -> list[Reply]:
    """What the folder answers."""

    async def scenario() -> list[Reply]:
        spec = ModelSpec(
            abbr="m", backend="picture_folder", options={"pictures": str(folder)}, load=Load()
        )
        backend = backends.open_backend(spec)
        asked = [Request(key=key, messages=(), sampling=Sampling(), place=place) for key in keys]
        return [await backend.ask(one) for one in asked]

    return asyncio.run(scenario())


@pytest.mark.parametrize("ending", ["png", "jpg", "jpeg", "webp"])
def test_a_folder_has_a_picture_at_each_place(tmp_path: Path, ending: str) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / f"a/b.{ending}").write_bytes(PNG)
    (reply,) = out_of(tmp_path, "0#0")
    assert (reply.drawn, reply.failure) == (PNG, None)
    assert reply.timing.done_ns >= reply.timing.sent_ns


@pytest.mark.parametrize(
    ("place", "says"),
    [
        ("a/none", "there is no a/none.png"),
        ("../out", "leads out of"),
        ("a\0b", "null"),
        ("", "does not say where"),
    ],
)
def test_a_place_without_a_picture_has_failed(tmp_path: Path, place: str, says: str) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "out.png").write_bytes(PNG)
    (reply,) = out_of(tmp_path / "in", "0#0", place=place)
    assert reply.failure is not None
    assert (reply.failure.kind, reply.drawn) == ("picture", b"")
    assert says in reply.failure.detail


def test_what_is_no_plain_file_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    os.mkfifo(tmp_path / "a/b.png")
    (tmp_path / "c.png").mkdir()
    found = [*out_of(tmp_path, "0#0"), *out_of(tmp_path, "0#0", place="c")]
    assert [one.failure.detail.endswith("no plain file") for one in found if one.failure] == [
        True,
        True,
    ]


def test_lines_of_a_file_are_the_repeats_of_a_row_in_their_order(tmp_path: Path) -> None:
    (tmp_path / "1.png").write_bytes(picture("first"))
    (tmp_path / "2.png").write_bytes(picture("second"))
    path = tmp_path / "gedit.jsonl"
    path.write_text(
        '{"id": 3, "prediction": "1.png"}\n\n{"id": 3, "prediction": "2.png", "gold": "x"}\n'
        '{"id": 4, "prediction": "", "success": false}\n'
    )
    found = out_of(path, "3#0", "3#1", "3#2", "4#0")
    assert [one.drawn for one in found[:2]] == [picture("first"), picture("second")]
    assert [one.failure.kind for one in found[2:] if one.failure] == ["picture", "picture"]
    path.write_text('{"id": 3, "prediction": "1.png"}\n{"id": "three"}\n')
    with pytest.raises(DataError, match=r"gedit\.jsonl, line 2"):
        out_of(path, "3#0")


@given(st.binary(max_size=40))
def test_a_picture_is_known_by_its_first_bytes_alone(data: bytes) -> None:
    is_one = data.startswith((b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")) or (
        data[:4] == b"RIFF" and data[8:12] == b"WEBP"
    )
    assert (picture_fault(data) == "") is is_one
