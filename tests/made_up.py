"""Made-up rows in the layout of data sets that are not here, or may not be.

GPQA, HLE, AA-LCR, GEdit-Bench, LiveCodeBench.
"""

import base64
import csv
import json
import pickle
import tempfile
import zlib
from functools import cache
from pathlib import Path

import pyarrow
import pyarrow.ipc
from pyarrow import parquet

from steelyard.sim.wire_images import picture

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

LCR_COLUMNS = (
    *("", "document_category", "document_set_id", "question_id", "question", "answer"),
    *("data_source_filenames", "data_source_urls", "input_tokens"),
)
LCR_DOCUMENTS = {
    "Company_Documents/co_made_up": {
        "Q1 report.txt": "Made up. Sales: 12 {target}.\r\nCosts: 5.\r\n",
        "Q2 report; draft.txt": "Never named.",
        "Q2 résumé – 报告.txt": "\ufeffVerkäufe: 15 €.\n成本: 6\n",
    },
    "Legal/legal_made_up": {
        "The EU’s act.txt": "Article 1. END QUESTION {documents}\u2028\nArticle 2.",
        "Başev.txt": "Süre: 3 yıl",
    },
}
"""By folder and file; AA-LCR's names have such apostrophes and accents."""
LCR_ROWS = [
    (folder, f"Question {n}?\n", answer, names)
    for n, (folder, answer, names) in enumerate(
        [
            ("Company_Documents/co_made_up", "twelve", (0,)),
            ("Company_Documents/co_made_up", "first; second", (2, 0)),
            ("Legal/legal_made_up", "three years\nof it", (0, 1)),
            ("Company_Documents/co_made_up", "27", (2, 0)),
        ]
    )
]


def put_lcr(root: Path) -> Path:
    """AA-LCR's table and unpacked documents in a data folder; gives the folder of the table."""
    home = root / "aa_lcr"
    for place, files in LCR_DOCUMENTS.items():
        (home / "lcr" / place).mkdir(parents=True)
        for name, text in files.items():
            (home / "lcr" / place / name).write_bytes(text.encode())
    with (home / "AA-LCR_Dataset.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(LCR_COLUMNS)
        for n, (place, question, answer, picked) in enumerate(LCR_ROWS):
            names = ";".join(list(LCR_DOCUMENTS[place])[one] for one in picked)
            table.writerow((n, *place.split("/"), n + 1, question, answer, names, "", 100))
    return home


GEDIT_TYPES = ("background_change", "color_alter", "text_change")


def gedit_rows(number: int) -> list[dict[str, object]]:
    """Rows of GEdit-Bench: every picture with an instruction in English and one in Chinese."""
    return [
        {
            "task_type": GEDIT_TYPES[n // 2 % 3],
            "key": f"made_up_{n // 2}",
            "instruction": f"把东西 {n // 2} 涂成红色。" if n % 2 else f"Paint thing {n // 2} red.",
            "instruction_language": "cn" if n % 2 else "en",
            "input_image": {"bytes": picture(f"original {n // 2}"), "path": None},
            "input_image_raw": {"bytes": picture(f"raw {n // 2}"), "path": None},
            "Intersection_exist": True,
        }
        for n in range(number)
    ]


def put_gedit(root: Path, number: int = 12, *, shards: int = 2) -> Path:
    """GEdit-Bench as ``save_to_disk`` of Hugging Face's datasets writes it; gives its folder."""
    home, rows = root / "GEdit-Bench", gedit_rows(number)
    home.mkdir(parents=True)
    names = [f"data-{n:05}-of-{shards:05}.arrow" for n in range(shards)]
    for n, name in enumerate(names):
        part = rows[n * len(rows) // shards : (n + 1) * len(rows) // shards]
        table = pyarrow.Table.from_pylist(part)
        with pyarrow.ipc.new_stream(str(home / name), table.schema) as stream:
            stream.write_table(table, max_chunksize=4)
    state = {"_data_files": [{"filename": name} for name in names], "_split": "train"}
    (home / "state.json").write_text(json.dumps(state), encoding="utf-8")
    (home / "dataset_info.json").write_text("{}", encoding="utf-8")
    return home


def lcb_row(
    name: str,
    public: list[tuple[str, str]],
    private: list[tuple[str, str]],
    *,
    function: str = "",
    starter: str = "",
) -> dict[str, str]:
    """A row of LiveCodeBench; tests are pairs of input and output."""
    kind = "functional" if function else "stdin"

    def tests(pairs: list[tuple[str, str]]) -> str:
        return json.dumps([{"input": a, "output": b, "testtype": kind} for a, b in pairs])

    return {
        "question_title": name,
        "question_content": f"Made-up problem {name}.",
        "platform": "leetcode" if function else "atcoder",
        "question_id": name,
        "contest_id": "made_up",
        "contest_date": "2025-01-01T00:00:00",
        "starter_code": starter,
        "difficulty": "easy",
        "public_test_cases": tests(public),
        "private_test_cases": packed(tests(private)),
        "metadata": json.dumps({"func_name": function} if function else {}),
    }


def packed(value: object) -> str:
    """How LiveCodeBench stores private tests: base64 of zlib of a pickle."""
    return base64.b64encode(zlib.compress(pickle.dumps(value))).decode()


LCB_STARTER = "class Solution:\n    def double(self, x: int) -> List[int]:\n        "


def put_lcb(root: Path) -> None:
    """The six files of LiveCodeBench, two problems each: one of input and output, one function."""
    (root / "code_generation_lite").mkdir()
    for version in range(1, 7):
        rows = [
            lcb_row(f"sum_{version}", [("1 2\n", "3\n")], [("5 6\n", "11\n"), ("0 0\n", "0\n")]),
            lcb_row(
                f"double_{version}",
                [("2", "[2, 2]")],
                [("3", "[3, 3]")],
                function="double",
                starter=LCB_STARTER,
            ),
        ]
        path = root / f"code_generation_lite/test{version if version > 1 else ''}.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


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
    put_lcr(root)
    put_lcb(root)
    put_gedit(root)
    return root
