"""MMLU: 14,042 four-option questions in 57 subjects, from school to professional exams.

Source:  arXiv:2009.03300, https://github.com/hendrycks/test (MIT)
Data:    mmlu/{dev,test}/<subject>_{dev,test}.csv, without header; dev has the five worked examples
Row:     The pleura,have no sensory innervation.,...,are composed of respiratory epithelium.,C
Prompt:  the authors' form, an exam about the subject up to ``Answer:``; or think step by step
Marking: text form: the first capital letter of the reply; chat forms: the last option letter, or
         the one that the reply names; ``fixed``: the option letter that the reply states.
         ppl: the letter that makes prompt and letter together most likely; ``sum``: the letter
         that is most likely itself
"""

from collections.abc import Iterator

from steelyard.core import Prompt, Task
from steelyard.scoring import first_capital, first_option, last_option, most_likely
from steelyard.tasks.catalogue import task
from steelyard.tasks.data import Data
from steelyard.tasks.exam import LETTERS, Exam, Manner, Subject
from steelyard.tasks.likely import letters

QUESTION = "{question}\n{choices}\nAnswer:"
REASON_FIRST = (
    "Answer this multiple-choice question about {subject}. Think step by step first. The last line "
    "of your reply must be 'ANSWER: $LETTER' (without quotes), where $LETTER is one of A, B, C, D."
    "\n\n{question}\n{choices}"
)
LETTER_ONLY = (
    "Answer this multiple-choice question about {subject} with one line, 'ANSWER: $LETTER' "
    "(without quotes), where $LETTER is one of A, B, C, D.\n\n{question}\n{choices}"
)

SUBJECTS = {
    "abstract_algebra": Subject("abstract algebra", ("stem",), 100),
    "anatomy": Subject("anatomy", ("stem",), 135),
    "astronomy": Subject("astronomy", ("stem",), 152),
    "business_ethics": Subject("business ethics", ("other",), 100),
    "clinical_knowledge": Subject("clinical knowledge", ("other",), 265),
    "college_biology": Subject("college biology", ("stem",), 144),
    "college_chemistry": Subject("college chemistry", ("stem",), 100),
    "college_computer_science": Subject("college computer science", ("stem",), 100),
    "college_mathematics": Subject("college mathematics", ("stem",), 100),
    "college_medicine": Subject("college medicine", ("other",), 173),
    "college_physics": Subject("college physics", ("stem",), 102),
    "computer_security": Subject("computer security", ("stem",), 100),
    "conceptual_physics": Subject("conceptual physics", ("stem",), 235),
    "econometrics": Subject("econometrics", ("social-science",), 114),
    "electrical_engineering": Subject("electrical engineering", ("stem",), 145),
    "elementary_mathematics": Subject("elementary mathematics", ("stem",), 378),
    "formal_logic": Subject("formal logic", ("humanities",), 126),
    "global_facts": Subject("global facts", ("other",), 100),
    "high_school_biology": Subject("high school biology", ("stem",), 310),
    "high_school_chemistry": Subject("high school chemistry", ("stem",), 203),
    "high_school_computer_science": Subject("high school computer science", ("stem",), 100),
    "high_school_european_history": Subject("high school european history", ("humanities",), 165),
    "high_school_geography": Subject("high school geography", ("social-science",), 198),
    "high_school_government_and_politics": Subject(
        "high school government and politics", ("social-science",), 193
    ),
    "high_school_macroeconomics": Subject("high school macroeconomics", ("social-science",), 390),
    "high_school_mathematics": Subject("high school mathematics", ("stem",), 270),
    "high_school_microeconomics": Subject("high school microeconomics", ("social-science",), 238),
    "high_school_physics": Subject("high school physics", ("stem",), 151),
    "high_school_psychology": Subject("high school psychology", ("social-science",), 545),
    "high_school_statistics": Subject("high school statistics", ("stem",), 216),
    "high_school_us_history": Subject("high school us history", ("humanities",), 204),
    "high_school_world_history": Subject("high school world history", ("humanities",), 237),
    "human_aging": Subject("human aging", ("other",), 223),
    "human_sexuality": Subject("human sexuality", ("social-science",), 131),
    "international_law": Subject("international law", ("humanities",), 121),
    "jurisprudence": Subject("jurisprudence", ("humanities",), 108),
    "logical_fallacies": Subject("logical fallacies", ("humanities",), 163),
    "machine_learning": Subject("machine learning", ("stem",), 112),
    "management": Subject("management", ("other",), 103),
    "marketing": Subject("marketing", ("other",), 234),
    "medical_genetics": Subject("medical genetics", ("other",), 100),
    "miscellaneous": Subject("miscellaneous", ("other",), 783),
    "moral_disputes": Subject("moral disputes", ("humanities",), 346),
    "moral_scenarios": Subject("moral scenarios", ("humanities",), 895),
    "nutrition": Subject("nutrition", ("other",), 306),
    "philosophy": Subject("philosophy", ("humanities",), 311),
    "prehistory": Subject("prehistory", ("humanities",), 324),
    "professional_accounting": Subject("professional accounting", ("other",), 282),
    "professional_law": Subject("professional law", ("humanities",), 1534),
    "professional_medicine": Subject("professional medicine", ("other",), 272),
    "professional_psychology": Subject("professional psychology", ("social-science",), 612),
    "public_relations": Subject("public relations", ("social-science",), 110),
    "security_studies": Subject("security studies", ("social-science",), 245),
    "sociology": Subject("sociology", ("social-science",), 201),
    "us_foreign_policy": Subject("us foreign policy", ("social-science",), 100),
    "virology": Subject("virology", ("other",), 166),
    "world_religions": Subject("world religions", ("humanities",), 171),
}

MMLU = Exam(
    group="mmlu",
    abbr="lukaemon_mmlu_{subject}",
    asked="mmlu/test/{subject}_test.csv",
    shown="mmlu/dev/{subject}_dev.csv",
    source="http://opencompass.oss-cn-shanghai.aliyuncs.com/datasets/data/mmlu.zip",
    subjects=SUBJECTS,
    columns=("question", "A", "B", "C", "D", "answer"),
)


FIVE_SHOT = Prompt(
    intro="The following are multiple-choice questions about {subject}, with their answers.\n",
    user=QUESTION,
    shot_answer=" {target}\n",
)


@task("mmlu_gen_5_shot_str", "mmlu_gen")
def five_shot_text(data: Data) -> Iterator[Task]:
    """Five worked examples and the question in one text."""
    return MMLU.tasks(data, Manner(prompt=FIVE_SHOT, scorer=first_capital, shots=5))


@task("mmlu_ppl_0_shot_str")
def letters_compared(data: Data) -> Iterator[Task]:
    """The same text with each letter behind it; AISBench's name says 0 of the five examples."""
    scorer = most_likely("whole")
    return MMLU.tasks(data, Manner(prompt=FIVE_SHOT, scorer=scorer, shots=5, candidates=letters))


@task("mmlu_gen_0_shot_cot_chat_prompt")
def zero_shot_chat(data: Data) -> Iterator[Task]:
    """No examples; reasoning first, the letter on a last line."""
    prompt = Prompt(style="chat", user=REASON_FIRST)
    return MMLU.tasks(
        data, Manner(prompt=prompt, scorer=last_option(LETTERS), gold="ANSWER: {target}")
    )


@task("mmlu_gen_5_shot_chat_prompt")
def five_shot_chat(data: Data) -> Iterator[Task]:
    """Five worked examples, a turn of question and answer each."""
    prompt = Prompt(style="chat", user=LETTER_ONLY, shot_answer="ANSWER: {target}")
    manner = Manner(prompt=prompt, scorer=first_option(LETTERS), gold="ANSWER: {target}", shots=5)
    return MMLU.tasks(data, manner)
