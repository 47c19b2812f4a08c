"""How many of the packaged test rows the tiny model answers right, asked in both forms.

    python -m tiny_model.measure [FOLDER]    # default: the folder model/ beside this file

Needs torch, transformers and Steelyard, whose prompts, marks and intervals it uses. Answers are
decoded greedily and one by one: in a batch, padding can tip a close choice the other way.
"""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from steelyard.core import Message
from steelyard.scoring.intervals import wilson
from steelyard.tasks import catalogue
from steelyard.tasks.data import Data
from steelyard.tasks.prompting import asker
from tiny_model.train import FOLDER

DATA_SETS = ("tiny_arithmetic_gen", "tiny_arithmetic_base_gen")
LONGEST_ANSWER = 64

Answerer: TypeAlias = Callable[[Sequence[Message]], str]


def answerer(folder: Path, *, chat: bool) -> Answerer:
    """A function from messages to the model's answer; without ``chat`` their text is continued.

    One thread: with more, products this small wait longer for each other than they take.
    """
    torch.set_num_threads(1)
    model = AutoModelForCausalLM.from_pretrained(folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)

    def answer(messages: Sequence[Message]) -> str:
        if chat:
            turns = [{"role": one.role, "content": one.content} for one in messages]
            text = tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
        else:
            text = str(messages[-1].content)
        encoded = tokenizer(text, add_special_tokens=not chat, return_tensors="pt")
        with torch.inference_mode():
            made = model.generate(**encoded, max_new_tokens=LONGEST_ANSWER, do_sample=False)
        return tokenizer.decode(made[0, encoded.input_ids.shape[1] :], skip_special_tokens=True)

    return answer


def measure(data_set: str, folder: Path) -> str:
    """The score of ``data_set`` with its 95 % interval, in words."""
    (entry,) = catalogue.find(data_set)
    (task,) = entry.make(Data())
    ask, answer = asker(task.prompt), answerer(folder, chat=task.prompt.style == "chat")
    marks = [task.scorer(answer(ask(sample)), sample).value for sample in task.samples()]
    right, n = sum(map(bool, marks)), len(marks)
    low, high = wilson(right, n)
    return f"{data_set}: {right} of {n} right, {right / n:.1%} [{low:.1%}, {high:.1%}]"


if __name__ == "__main__":
    for name in DATA_SETS:
        print(measure(name, Path(sys.argv[1]) if sys.argv[1:] else FOLDER), flush=True)
