"""Where an endpoint is, given what a user may have put into the base URL.

``base`` is ``HttpClient.path("")``: the base URL's path, with its query if it has one. What it
already ends with is not repeated, so the full address of an endpoint does as base URL too.
"""

import re


def below(base: str, endpoint: str) -> str:
    """The target of ``endpoint``: ``/x/infer`` for ``/x/`` and for ``/x/infer/``."""
    path, mark, query = base.partition("?")
    have, steps = path.strip("/").split("/"), endpoint.split("/")
    overlap = len(steps)
    while have[-overlap:] != steps[:overlap] and overlap:
        overlap -= 1
    return "/" + "/".join(filter(None, have + steps[overlap:])) + mark + query


def openai(base: str, call: str) -> str:
    """The target of an OpenAI ``call`` (``chat/completions``, ``models``).

    ``v1`` comes before it, unless ``base`` ends with a version of its own (``/v1``, ``/api/v3``)
    or is the address of a completions endpoint.
    """
    path, mark, query = base.partition("?")
    root, is_endpoint = re.subn(r"/(chat/)?completions$", "", path.rstrip("/"))
    if not is_endpoint and not re.search(r"/v\d+$", root):
        root += "/v1"
    return f"{root}/{call}{mark}{query}"
