"""Pictures that were made elsewhere: no service is asked, a folder is looked into.

``pictures`` is a folder with a file for each row, ``<place>.png`` (or .jpg, .jpeg, .webp), where
the place is the one that the data set's authors use (GEdit-Bench:
``<task_type>/<language>/<key>``). Or it is a JSON-lines file as AISBench writes its predictions,
``{"id": 0, "prediction": "a/1.png"}``: ``id`` is the row's number, ``prediction`` the picture's
path seen from that file; a further line for a row is its next repeat. No path leads out of its
folder.

A picture that is missing, or is none, is a request that failed.
"""

from collections import defaultdict
from pathlib import Path
from time import monotonic_ns

import msgspec

from steelyard.backends._options import read_options
from steelyard.backends._pictures import file_inside, read_picture
from steelyard.core import (
    Backend,
    ConfigError,
    DataError,
    Failure,
    Json,
    ModelSpec,
    Reply,
    Request,
    Timing,
)

TAKES_PICTURES = True
DRAWS = True
_ENDINGS = (".png", ".jpg", ".jpeg", ".webp")


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """Where the pictures are."""

    pictures: str = ""
    """A folder of pictures, or a JSON-lines file that names them."""


class _Line(msgspec.Struct, frozen=True):
    id: int
    prediction: Json = None
    success: bool = True


class _Missing(Exception):
    """There is no picture; the words say why."""


def connect(spec: ModelSpec) -> Backend:
    """The pictures that ``spec`` names; ``ConfigError`` when there is nothing."""
    options = read_options(spec, Options)
    path = Path(options.pictures).expanduser()
    if not options.pictures or not path.exists():
        raise ConfigError(
            f"model {spec.abbr}: there is nothing at {options.pictures!r}. Name the folder that "
            "holds the pictures, or the JSON-lines file that names them: --set pictures=..."
        )
    return PictureFolder(path)


class PictureFolder:
    """Answers each request with the picture that lies there."""

    def __init__(self, path: Path) -> None:
        """Raises ``DataError`` for a file that cannot be read."""
        self._folder = (path if path.is_dir() else path.parent).resolve()
        self._named = None if path.is_dir() else _named(path)

    async def ask(self, request: Request) -> Reply:
        """See ``Backend``."""
        began_ns = monotonic_ns()
        drawn, failure = b"", None
        try:
            drawn = self._picture(request)
        except _Missing as missing:
            failure = Failure(kind="picture", detail=str(missing))
        clock = Timing(queued_ns=began_ns, sent_ns=began_ns, done_ns=monotonic_ns())
        return Reply(key=request.key, timing=clock, drawn=drawn, failure=failure)

    async def close(self) -> None:
        """See ``Backend``."""

    def _picture(self, request: Request) -> bytes:
        path = self._listed(request) if self._named is not None else self._placed(request)
        try:
            return read_picture(path)
        except OSError as error:
            raise _Missing(f"{path} cannot be read: {error.strerror}") from error
        except ValueError as error:
            raise _Missing(f"{path} is no picture: {error}") from error

    def _placed(self, request: Request) -> Path:
        if not request.place:
            raise _Missing("the data set does not say where pictures of its answers lie")
        for ending in _ENDINGS:
            path = self._inside(request.place + ending)
            if path.is_file():
                return path
        raise _Missing(f"there is no {request.place}.png (or .jpg, .webp) in {self._folder}")

    def _listed(self, request: Request) -> Path:
        row, _, repeat = request.key.rpartition("#")
        lines = (self._named or {}).get(row, [])
        if int(repeat) >= len(lines):
            raise _Missing(f"the file names no picture for row {row}")
        named = lines[int(repeat)]
        if not named.success or not isinstance(named.prediction, str) or not named.prediction:
            raise _Missing(f"the file says that there is no picture for row {row}")
        return self._inside(named.prediction)

    def _inside(self, name: str) -> Path:
        try:
            return file_inside(self._folder, name)
        except ValueError as error:
            raise _Missing(f"{name!r} cannot be the picture: {error}") from error


def _named(path: Path) -> dict[str, list[_Line]]:
    """The lines of ``path`` by row, those of one row in their order."""
    found: defaultdict[str, list[_Line]] = defaultdict(list)
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        raise DataError(f"{path}: the file cannot be read ({error.strerror})") from error
    for number, text in enumerate(lines, start=1):
        if not text.strip():
            continue
        try:
            line = msgspec.json.decode(text, type=_Line)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise DataError(f"{path}, line {number}: {error}") from error
        found[str(line.id)].append(line)
    return found
