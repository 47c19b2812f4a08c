"""AA-LCR: 100 questions, each over a set of long documents of about 100,000 tokens together.

Source:  https://huggingface.co/datasets/ArtificialAnalysis/AA-LCR (questions Apache-2.0; no licence
         is claimed for the documents), ModelScope evalscope/AA-LCR
Data:    aa_lcr/AA-LCR_Dataset.csv; further columns are not read. The documents in
         aa_lcr/extracted_text/AA-LCR_extracted-text.zip as it comes, or unpacked: the first of
         FOLDERS that is there, then ``<document_category>/<document_set_id>/<file name>``. The
         archive does not say that its names are UTF-8, and composes accents in another way than the
         table: both spellings are found
Row:     document_category,document_set_id,question_id,question,answer,data_source_filenames
         Legal,legal_made_up,1,"Made up: which act came first?",The second,"one.txt;two.txt"
Prompt:  the documents in the order of ``data_source_filenames``, numbered, then the question: the
         authors' form with an instruction of our own
Marking: judged, by the question, the answer and the right answer, without the documents: CORRECT or
         INCORRECT, as the authors' equality checker is asked. AISBench takes a reply with the word
         "correct" anywhere as right, "not correct" too: a known defect, not copied here. Its
         prompt also leaves out documents that are missing; here these are an error
"""

import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from typing import TypeAlias
from unicodedata import normalize

import msgspec

from steelyard.core import DataError, MissingData, Prompt, Sample, Task
from steelyard.scoring import exact_match, word_verifier
from steelyard.tasks.catalogue import task
from steelyard.tasks.data import Data
from steelyard.tasks.files import BadField, samples

SOURCE = "https://huggingface.co/datasets/ArtificialAnalysis/AA-LCR"
FILE = "aa_lcr/AA-LCR_Dataset.csv"
ARCHIVE = "extracted_text/AA-LCR_extracted-text.zip"
FOLDERS = ("lcr", "extracted_text/lcr", "extracted_text/AA-LCR_extracted-text/lcr")
"""Where the archive is unpacked, seen from the folder of the table."""
NAMES = "data_source_filenames"

FROM_DOCUMENTS = Prompt(
    style="chat",
    user="BEGIN INPUT DOCUMENTS\n\n{documents}\n\nEND INPUT DOCUMENTS\n\n"
    "Use the input documents above to answer this question.\n\n"
    "START QUESTION\n\n{question}\n\nEND QUESTION",
)

Place: TypeAlias = Path | zipfile.Path
"""A folder or a file, on disk or in an archive."""
Context: TypeAlias = Callable[[str, str, str], str]
"""Category, set and file names to the documents as they are asked about."""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One question."""

    document_category: str
    document_set_id: str
    question_id: str
    question: str
    answer: str
    data_source_filenames: str


@contextmanager
def library(folder: Path) -> Iterator[Place]:
    """What holds a folder for each category: one on disk, or the archive."""
    unpacked = next((folder / name for name in FOLDERS if (folder / name).is_dir()), None)
    archive = folder / ARCHIVE
    if unpacked is not None:
        yield unpacked
    elif not archive.is_file():
        raise MissingData(f"{folder.name}/{ARCHIVE}", (str(folder.parent),), SOURCE)
    else:
        try:
            opened = zipfile.ZipFile(archive)
        except (OSError, zipfile.BadZipFile) as error:
            raise DataError(f"{archive}: not a readable zip file ({error})") from error
        with opened:
            yield zipfile.Path(opened, "lcr/")


def below(folder: Place, field: str, name: str) -> Place:
    """The folder ``name`` in ``folder``."""
    found = folder / name
    if not name.strip(".") or "/" in name or "\\" in name or not found.is_dir():
        raise BadField(field, name, f"a folder in {folder}")
    return found


def repaired(name: str) -> str:
    """A UTF-8 name that was taken for CP437, which is how archives are read unless told."""
    try:
        return normalize("NFC", name.encode("cp437").decode())
    except UnicodeError:
        return normalize("NFC", name)


def shelf(folder: Place) -> dict[str, Place]:
    """The files in ``folder`` by both spellings of their names; names as they stand go first."""
    files = [one for one in folder.iterdir() if one.is_file()]
    as_they_stand = {normalize("NFC", one.name): one for one in files}
    return {repaired(one.name): one for one in files} | as_they_stand


def text_of(found: Place) -> str:
    """One document; its line ends become ``\\n``."""
    text = found.read_bytes().decode("utf-8-sig")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def texts(folder: Place, names: list[str]) -> Iterator[str]:
    """The documents of one set."""
    files = shelf(folder)
    for name in names:
        found = files.get(normalize("NFC", name))
        if found is None:
            raise BadField(NAMES, name, f"a file in {folder}")
        try:
            yield text_of(found)
        except UnicodeDecodeError as error:
            raise BadField(NAMES, name, f"a file of UTF-8 text in {folder}") from error
        except (OSError, zipfile.BadZipFile, zlib.error) as error:
            raise BadField(NAMES, name, f"a readable file in {folder} ({error})") from error


def documents(whole: Place, category: str, set_id: str, filenames: str) -> str:
    """The documents of one set, numbered from 1 in the order of ``filenames``."""
    folder = below(whole, "document_category", category)
    folder = below(folder, "document_set_id", set_id)
    names = [name.strip() for name in filenames.split(";") if name.strip()]
    if not names:
        raise BadField(NAMES, filenames, "names of files with semicolons between them")
    return "\n\n".join(
        f"BEGIN DOCUMENT {number}:\n{text}\nEND DOCUMENT {number}"
        for number, text in enumerate(texts(folder, names), 1)
    )


def to_sample(context: Context, index: int, row: Row) -> Sample:
    """The documents are a field of the prompt, so that no judge is asked about them."""
    found = context(row.document_category, row.document_set_id, row.data_source_filenames)
    meta = {
        "documents": found,
        "category": row.document_category,
        "document_set": row.document_set_id,
        "question_id": row.question_id,
    }
    return Sample(id=str(index), question=row.question, target=row.answer.strip(), meta=meta)


def read(data: Data) -> Iterator[Sample]:
    """The 100 questions; those about one set share its text."""
    path = data.find(FILE, SOURCE)
    with library(path.parent) as whole:
        yield from samples(path, Row, partial(to_sample, cache(partial(documents, whole))))


@task("aa_lcr_llmjudge")
def aa_lcr(data: Data) -> Task:
    """Asked with all documents of the set; judged."""
    return Task(
        name="aa_lcr",
        version=1,
        samples=partial(read, data),
        prompt=FROM_DOCUMENTS,
        scorer=exact_match,
        judges=(word_verifier(),),
    )
