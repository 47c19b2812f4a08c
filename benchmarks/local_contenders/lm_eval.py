"""The Language Model Evaluation Harness, its `hf` model and a task file over our questions."""

from __future__ import annotations

import json
from string import Template

from account import Command

from local_contenders.contract import DRIVERS, Contender, Job, Told

STEPS = (("torch==2.13.0",), ("lm_eval[hf]==0.4.13",))
TASK_FILE = Template("""\
task: questions
dataset_path: json
dataset_kwargs:
  data_files:
    test: $questions
test_split: test
output_type: generate_until
doc_to_text: "{{question}}"
doc_to_target: ""
generation_kwargs:
  until: []
  do_sample: false
  max_gen_toks: $max_tokens
metric_list:
  - metric: exact_match
""")


def prepare(job: Job) -> Command:
    """A task file, and a driver that times the call in which all answers are computed."""
    tasks = job.folder / "tasks"
    tasks.mkdir()
    text = TASK_FILE.substitute(questions=job.questions / "test.jsonl", max_tokens=job.max_tokens)
    (tasks / "questions.yaml").write_text(text, encoding="utf-8")
    words = {
        "--model": str(job.model),
        "--tasks": str(tasks),
        "--device": job.device,
        "--batch-size": str(job.batch_size),
        "--longest": str(job.longest),
        "--out": str(job.folder / "told.json"),
    }
    driver = str(DRIVERS / "lm_eval_questions.py")
    pairs = [word for pair in words.items() for word in pair]
    return Command((str(job.programs / "python"), driver, *pairs))


def told(job: Job) -> Told:
    """What the driver wrote."""
    found = json.loads((job.folder / "told.json").read_text(encoding="utf-8"))
    return Told(found["busy_s"], {int(row): text for row, text in found["answers"].items()})


CONTENDER = Contender(
    name="lm_eval_local",
    distribution="lm_eval",
    steps=STEPS,
    pinned=True,
    setup="`simple_evaluate` with its model `hf`; prompts sorted by length, a batch runs until its "
    "longest answer is over",
    prepare=prepare,
    told=told,
)
