"""What the simulated judge says of pictures: two scores that are drawn, not seen.

It looks at nothing. The scores are a function of the seed and of the pictures' contents: the same
pictures get the same scores, whenever they are shown and in whatever order.
"""

from steelyard.sim import chance
from steelyard.sim.ask import Ask

_ASKS_FOR = "output score = ["
_SALT = 0x706963
_LEAST, _MOST = 3, 10


def is_about_pictures(ask: Ask) -> bool:
    """Whether ``ask`` wants pictures to be scored by a list, in our words or AISBench's."""
    return bool(ask.pictures) and _ASKS_FOR in ask.prompt


def key_of(ask: Ask) -> int:
    """Stands for the pictures in all draws."""
    return chance.text_key("\0".join(ask.pictures))


def scored(key: int, seed: int) -> str:
    """The reply with both scores."""
    random = chance.generator(seed, _SALT, key)
    first, second = (random.randint(_LEAST, _MOST) for _ in range(2))
    return f"Simulated: nobody looked at a picture.\n\noutput score = [{first}, {second}]"
