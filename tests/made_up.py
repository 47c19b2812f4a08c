"""Made-up rows in the layout of data sets that may not be copied here (GPQA, HLE)."""

import csv
import tempfile
from functools import cache
from pathlib import Path

import pyarrow
from pyarrow import parquet

GPQA_COLUMNS = (
    *("Record ID", "Question", "Correct Answer"),
    *("Incorrect Answer 1", "Incorrect Answer 2", "Incorrect Answer 3", "High-level domain"),
)
GPQA_ROWS = [
    (f"rec{n}", f"What is {n} * 7?\n", f"{7 * n}\n", f"{n}7", f"7{n}", f"{n + 7}", "Arithmetic")
    for n in range(10, 18)
]

PICTURE = "data:image/png;base64,iVBORw0KGgo="
HLE_ROWS = [
    {
        "id": f"made_up_{n}",
        "question": f"What is {n} * 7?",
        "image": PICTURE if n % 4 == 0 else "",
        "answer": str(7 * n) if n % 3 else "a number",
        "answer_type": "exactMatch",
        "category": "Math",
    }
    for n in range(10, 18)
]


@cache
def folder() -> Path:
    """A data folder with all of them."""
    root = Path(tempfile.mkdtemp(prefix="steelyard_made_up_"))
    (root / "gpqa").mkdir()
    with (root / "gpqa/gpqa_diamond.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([GPQA_COLUMNS, *GPQA_ROWS])
    (root / "hle/data").mkdir(parents=True)
    table = pyarrow.Table.from_pylist(HLE_ROWS)
    parquet.write_table(table, root / "hle/data/test-00000-of-00001.parquet")
    return root
