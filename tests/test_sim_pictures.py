"""The simulated editor of pictures, and the simulated judge that scores some.

- An edit is a small PNG that the prompt and the picture decide, and nothing else.
- What is no edit is refused with a reason.
- A judge's scores are decided by the pictures and the seed, however often and in whatever words.
"""

import base64
import json
import zlib
from collections.abc import Mapping

import pytest

from sim_client import CHAT, content, post
from sim_process import serving
from steelyard.scoring.verdict_lists import ScoreList, unfenced
from steelyard.scoring.verdicts import read
from steelyard.sim import SimOptions
from steelyard.sim.ask import Refused
from steelyard.sim.wire_images import ImageEditsWire, picture

OURS = "... Then end with a line:\noutput score = [score1, score2]"
AISBENCH = "Put the score in a list such that output score = [naturalness, artifacts]"


def form(fields: Mapping[str, bytes]) -> bytes:
    parts = [
        b'--b\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % (name.encode(), value)
        for name, value in fields.items()
    ]
    return b"".join(parts) + b"--b--\r\n"


def edited(**fields: bytes) -> bytes:
    wire = ImageEditsWire()
    ask = wire.read(form({"image": b"a", "prompt": b"Paint it red.", **fields}), "")
    document = wire.whole(ask, None, 0)  # type: ignore[arg-type]
    return base64.b64decode(json.loads(document)["data"][0]["b64_json"])


def test_an_edit_is_a_png_that_prompt_and_picture_decide() -> None:
    one = edited()
    assert one == edited(n=b"1", size=b"64x64", response_format=b"b64_json")
    assert len({one, edited(image=b"b"), edited(prompt=b"Paint it blue.")}) == 3
    assert one.startswith(b"\x89PNG\r\n\x1a\n")
    start = one.index(b"IDAT") + 4
    assert len(zlib.decompress(one[start : one.index(b"IEND") - 8])) == 8 * (1 + 3 * 8)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"{}", "no multipart form"),
        (form({"prompt": b"x"}), "needs a field `image`"),
        (form({"image": b"x"}), "and a `prompt`"),
        (form({"image": b"x", "prompt": b"x", "response_format": b"url"}), "b64_json only"),
    ],
)
def test_what_is_no_edit_is_refused(body: bytes, says: str) -> None:
    with pytest.raises(Refused) as caught:
        ImageEditsWire().read(body, "")
    assert caught.value.status == 400
    assert says in caught.value.message


def said(url: str, words: str, *pictures: bytes) -> str | None:
    urls = [f"data:image/png;base64,{base64.b64encode(one).decode()}" for one in pictures]
    parts = [{"type": "image_url", "image_url": {"url": one}} for one in urls]
    turn = {"role": "user", "content": [{"type": "text", "text": words}, *parts]}
    reply = content(post(url, CHAT, {"messages": [turn]}).json)
    return read(unfenced(reply), ScoreList(0, 10)).verdict


def test_scores_are_decided_by_the_pictures_and_the_seed() -> None:
    one, other = picture("one"), picture("other")
    with serving(SimOptions(judge="fair")) as url:
        first = said(url, OURS, one, other)
        assert first is not None
        assert first == said(url, OURS, one, other) == said(url, AISBENCH, one, other)
        found = {said(url, OURS, picture(str(n))) for n in range(20)}
        assert len(found) > 10
        assert None not in found
        assert said(url, "What is in these pictures?", one) is None
    with serving(SimOptions(judge="fair", judge_unparsable=1.0)) as url:
        assert said(url, OURS, one) is None
