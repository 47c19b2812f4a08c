"""C-Eval: 1,346 four-option questions of Chinese exams in 52 subjects (validation split).

Source:  arXiv:2305.08322, https://github.com/hkust-nlp/ceval (data CC BY-NC-SA 4.0)
Data:    ceval/formal_ceval/{dev,val}/<subject>_{dev,val}.csv; dev has the five worked examples.
         The right answers of the test split are not public, so it is not asked
Row:     id,question,A,B,C,D,answer
         0,下列关于法律推理的表述，能够成立的是____。,演绎推理是一种或然性推理,...,C
Prompt:  an exam in Chinese about the subject, up to ``答案: ``; or a letter on a last line
Marking: text forms: the first capital letter of the reply; chat forms: the last option
         letter; ``fixed``: the option letter that the reply states. ppl: the letter that makes
         prompt and letter together most likely; ``sum``: the letter that is most likely itself
"""

from collections.abc import Iterator

from steelyard.core import Prompt, Task
from steelyard.scoring import first_capital, last_option, most_likely
from steelyard.tasks.catalogue import task
from steelyard.tasks.data import Data
from steelyard.tasks.exam import LETTERS, Exam, Manner, Subject
from steelyard.tasks.likely import letters

INTRO = "以下是中国{subject}考试的单项选择题，请选出正确答案。\n"
QUESTION = "{question}\n{choices}\n答案: "
LAST_LINE = (
    "'answer:$LETTER'（不含引号），其中 $LETTER 是 A、B、C、D 之一。\n\n{question}\n{choices}"
)

SUBJECTS = {
    "computer_network": Subject("计算机网络", ("stem",), 19),
    "operating_system": Subject("操作系统", ("stem",), 19),
    "computer_architecture": Subject("计算机组成", ("stem",), 21),
    "college_programming": Subject("大学编程", ("stem",), 37),
    "college_physics": Subject("大学物理", ("stem", "hard"), 19),
    "college_chemistry": Subject("大学化学", ("stem", "hard"), 24),
    "advanced_mathematics": Subject("高等数学", ("stem", "hard"), 19),
    "probability_and_statistics": Subject("概率统计", ("stem", "hard"), 18),
    "discrete_mathematics": Subject("离散数学", ("stem", "hard"), 16),
    "electrical_engineer": Subject("注册电气工程师", ("stem",), 37),
    "metrology_engineer": Subject("注册计量师", ("stem",), 24),
    "high_school_mathematics": Subject("高中数学", ("stem", "hard"), 18),
    "high_school_physics": Subject("高中物理", ("stem", "hard"), 19),
    "high_school_chemistry": Subject("高中化学", ("stem", "hard"), 19),
    "high_school_biology": Subject("高中生物", ("stem",), 19),
    "middle_school_mathematics": Subject("初中数学", ("stem",), 19),
    "middle_school_biology": Subject("初中生物", ("stem",), 21),
    "middle_school_physics": Subject("初中物理", ("stem",), 19),
    "middle_school_chemistry": Subject("初中化学", ("stem",), 20),
    "veterinary_medicine": Subject("兽医学", ("stem",), 23),
    "college_economics": Subject("大学经济学", ("social-science",), 55),
    "business_administration": Subject("工商管理", ("social-science",), 33),
    "marxism": Subject("马克思主义基本原理", ("social-science",), 19),
    "mao_zedong_thought": Subject(
        "毛泽东思想和中国特色社会主义理论体系概论", ("social-science",), 24
    ),
    "education_science": Subject("教育学", ("social-science",), 29),
    "teacher_qualification": Subject("教师资格", ("social-science",), 44),
    "high_school_politics": Subject("高中政治", ("social-science",), 19),
    "high_school_geography": Subject("高中地理", ("social-science",), 19),
    "middle_school_politics": Subject("初中政治", ("social-science",), 21),
    "middle_school_geography": Subject("初中地理", ("social-science",), 12),
    "modern_chinese_history": Subject("近代史纲要", ("humanities",), 23),
    "ideological_and_moral_cultivation": Subject("思想道德修养与法律基础", ("humanities",), 19),
    "logic": Subject("逻辑学", ("humanities",), 22),
    "law": Subject("法学", ("humanities",), 24),
    "chinese_language_and_literature": Subject("中国语言文学", ("humanities",), 23),
    "art_studies": Subject("艺术学", ("humanities",), 33),
    "professional_tour_guide": Subject("导游资格", ("humanities",), 29),
    "legal_professional": Subject("法律职业资格", ("humanities",), 23),
    "high_school_chinese": Subject("高中语文", ("humanities",), 19),
    "high_school_history": Subject("高中历史", ("humanities",), 20),
    "middle_school_history": Subject("初中历史", ("humanities",), 22),
    "civil_servant": Subject("公务员", ("other",), 47),
    "sports_science": Subject("体育学", ("other",), 19),
    "plant_protection": Subject("植物保护", ("other",), 22),
    "basic_medicine": Subject("基础医学", ("other",), 19),
    "clinical_medicine": Subject("临床医学", ("other",), 22),
    "urban_and_rural_planner": Subject("注册城乡规划师", ("other",), 46),
    "accountant": Subject("注册会计师", ("other",), 49),
    "fire_engineer": Subject("注册消防工程师", ("other",), 31),
    "environmental_impact_assessment_engineer": Subject("环境影响评价工程师", ("other",), 31),
    "tax_accountant": Subject("税务师", ("other",), 49),
    "physician": Subject("医师资格", ("other",), 49),
}

CEVAL = Exam(
    group="ceval",
    abbr="ceval-{subject}",
    asked="ceval/formal_ceval/val/{subject}_val.csv",
    shown="ceval/formal_ceval/dev/{subject}_dev.csv",
    source="https://modelscope.cn/datasets/opencompass/ceval-exam",
    subjects=SUBJECTS,
)


@task("ceval_gen_5_shot_str", "ceval_gen")
def five_shot_text(data: Data) -> Iterator[Task]:
    """Five worked examples and the question in one text."""
    prompt = Prompt(intro=INTRO, user=QUESTION, shot_answer="{target}\n")
    return CEVAL.tasks(data, Manner(prompt=prompt, scorer=first_capital, shots=5))


@task("ceval_ppl_0_shot_str")
def letters_compared(data: Data) -> Iterator[Task]:
    """The five-example text with each letter behind it; AISBench's name says 0 of the examples."""
    prompt = Prompt(intro=INTRO, user=QUESTION.rstrip(), shot_answer=" {target}\n")
    manner = Manner(prompt=prompt, scorer=most_likely("whole"), shots=5, candidates=letters)
    return CEVAL.tasks(data, manner)


@task("ceval_gen_0_shot_str")
def zero_shot_text(data: Data) -> Iterator[Task]:
    """No examples."""
    prompt = Prompt(intro=INTRO, user=QUESTION)
    return CEVAL.tasks(data, Manner(prompt=prompt, scorer=first_capital))


@task("ceval_gen_0_shot_str_perf")
def bare_question(data: Data) -> Iterator[Task]:
    """Question and options alone, for measuring speed."""
    prompt = Prompt(user="{question}\n{choices}")
    return CEVAL.tasks(data, Manner(prompt=prompt, scorer=first_capital))


@task("ceval_gen_0_shot_cot_chat_prompt")
def zero_shot_chat(data: Data) -> Iterator[Task]:
    """No examples; reasoning first, the letter on a last line."""
    hint = "请回答下面这道中国{subject}考试的单项选择题。先逐步思考，回答的最后一行必须写成 "
    return _chat(data, hint)


@task("ceval_gen_0_shot_noncot_chat_prompt")
def zero_shot_direct(data: Data) -> Iterator[Task]:
    """No examples and no reasoning."""
    hint = "请回答下面这道中国{subject}考试的单项选择题。不要解释，只写一行 "
    return _chat(data, hint)


def _chat(data: Data, hint: str) -> Iterator[Task]:
    prompt = Prompt(style="chat", user=hint + LAST_LINE)
    scorer = last_option(LETTERS)
    return CEVAL.tasks(data, Manner(prompt=prompt, scorer=scorer, gold="answer:{target}"))
