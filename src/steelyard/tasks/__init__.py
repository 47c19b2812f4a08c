"""Data sets: the catalogue, file readers, prompts, and users' own data.

Rule: a data set says where its rows are, how they are asked and which rule marks them; the rules
themselves are in ``scoring``. ``custom`` (users' files) and ``groups`` (averages over sub-data
sets) are imported where they are needed, since they need ``scoring``.
"""

from steelyard.tasks import catalogue
from steelyard.tasks.asking import candidates, requests
from steelyard.tasks.catalogue import Entry, task
from steelyard.tasks.data import Data, data_roots
from steelyard.tasks.merge import merged
from steelyard.tasks.prompting import asker, gold_text, messages, wrong_text

__all__ = [
    "Data",
    "Entry",
    "asker",
    "candidates",
    "catalogue",
    "data_roots",
    "gold_text",
    "merged",
    "messages",
    "requests",
    "task",
    "wrong_text",
]
