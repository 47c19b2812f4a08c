"""CMMLU: 11,582 four-option questions in 67 subjects, written in and about Chinese.

Source:  arXiv:2306.09212, https://github.com/haonan-li/CMMLU (data CC BY-NC-SA 4.0)
Data:    cmmlu/{dev,test}/<subject>.csv; dev has the five worked examples
Row:     ,Question,A,B,C,D,Answer
         0,根据物权法规定，土地承包经营权的设立时间是,土地承包经营权登记时,...,C
Prompt:  think step by step, a last line ``答案: `` with the letter
Marking: the letter behind the first ``答案:``; ``fixed``: the option letter that the reply states,
         after a full-width colon too. ppl: the letter that makes question and answer together
         most likely; ``sum``: the letter that is most likely itself
"""

from collections.abc import Iterator

from msgspec.structs import replace

from steelyard.core import Candidate, Prompt, Sample, Task
from steelyard.scoring import cmmlu, most_likely
from steelyard.tasks.catalogue import task
from steelyard.tasks.data import Data
from steelyard.tasks.exam import Exam, Manner, Subject
from steelyard.tasks.likely import letters

QUESTION = (
    "请回答下面这道关于{subject}的单项选择题。先逐步思考，回答的最后一行必须写成 '答案: $选项'"
    "（不含引号），其中 $选项 是 A、B、C、D 之一。\n\n{question}\n{choices}"
)

SUBJECTS = {
    "agronomy": Subject("农学", ("other",), 169),
    "anatomy": Subject("解剖学", ("stem",), 148),
    "ancient_chinese": Subject("古汉语", ("social-science", "china-specific"), 164),
    "arts": Subject("艺术学", ("humanities",), 160),
    "astronomy": Subject("天文学", ("stem",), 165),
    "business_ethics": Subject("商业伦理", ("social-science",), 209),
    "chinese_civil_service_exam": Subject(
        "中国公务员考试", ("social-science", "china-specific"), 160
    ),
    "chinese_driving_rule": Subject("中国驾驶规则", ("other", "china-specific"), 131),
    "chinese_food_culture": Subject("中国饮食文化", ("social-science", "china-specific"), 136),
    "chinese_foreign_policy": Subject("中国外交政策", ("social-science", "china-specific"), 107),
    "chinese_history": Subject("中国历史", ("humanities", "china-specific"), 323),
    "chinese_literature": Subject("中国文学", ("humanities", "china-specific"), 204),
    "chinese_teacher_qualification": Subject(
        "中国教师资格", ("social-science", "china-specific"), 179
    ),
    "clinical_knowledge": Subject("临床知识", ("other",), 237),
    "college_actuarial_science": Subject("大学精算学", ("stem",), 106),
    "college_education": Subject("大学教育学", ("social-science",), 107),
    "college_engineering_hydrology": Subject("大学工程水文学", ("stem",), 106),
    "college_law": Subject("大学法律", ("humanities",), 108),
    "college_mathematics": Subject("大学数学", ("stem",), 105),
    "college_medical_statistics": Subject("大学医学统计", ("stem",), 106),
    "college_medicine": Subject("大学医学", ("other",), 273),
    "computer_science": Subject("计算机科学", ("stem",), 204),
    "computer_security": Subject("计算机安全", ("other",), 171),
    "conceptual_physics": Subject("概念物理学", ("stem",), 147),
    "construction_project_management": Subject("建设工程管理", ("other", "china-specific"), 139),
    "economics": Subject("经济学", ("social-science",), 159),
    "education": Subject("教育学", ("social-science",), 163),
    "electrical_engineering": Subject("电气工程", ("stem",), 172),
    "elementary_chinese": Subject("小学语文", ("social-science", "china-specific"), 252),
    "elementary_commonsense": Subject("小学常识", ("other", "china-specific"), 198),
    "elementary_information_and_technology": Subject("小学信息技术", ("other",), 238),
    "elementary_mathematics": Subject("初等数学", ("stem",), 230),
    "ethnology": Subject("民族学", ("social-science", "china-specific"), 135),
    "food_science": Subject("食品科学", ("other",), 143),
    "genetics": Subject("遗传学", ("stem",), 176),
    "global_facts": Subject("全球事实", ("humanities",), 149),
    "high_school_biology": Subject("高中生物", ("stem",), 169),
    "high_school_chemistry": Subject("高中化学", ("stem",), 132),
    "high_school_geography": Subject("高中地理", ("social-science",), 118),
    "high_school_mathematics": Subject("高中数学", ("stem",), 164),
    "high_school_physics": Subject("高中物理学", ("stem",), 110),
    "high_school_politics": Subject("高中政治", ("social-science", "china-specific"), 143),
    "human_sexuality": Subject("人类性行为", ("other",), 126),
    "international_law": Subject("国际法学", ("humanities",), 185),
    "journalism": Subject("新闻学", ("social-science",), 172),
    "jurisprudence": Subject("法理学", ("humanities",), 411),
    "legal_and_moral_basis": Subject("法律与道德基础", ("other",), 214),
    "logical": Subject("逻辑学", ("humanities",), 123),
    "machine_learning": Subject("机器学习", ("stem",), 122),
    "management": Subject("管理学", ("social-science",), 210),
    "marketing": Subject("市场营销", ("social-science",), 180),
    "marxist_theory": Subject("马克思主义理论", ("humanities",), 189),
    "modern_chinese": Subject("现代汉语", ("social-science", "china-specific"), 116),
    "nutrition": Subject("营养学", ("other",), 145),
    "philosophy": Subject("哲学", ("humanities",), 105),
    "professional_accounting": Subject("专业会计", ("social-science",), 175),
    "professional_law": Subject("专业法学", ("humanities",), 211),
    "professional_medicine": Subject("专业医学", ("other",), 376),
    "professional_psychology": Subject("专业心理学", ("social-science",), 232),
    "public_relations": Subject("公共关系", ("social-science",), 174),
    "security_study": Subject("安全研究", ("social-science",), 135),
    "sociology": Subject("社会学", ("social-science",), 226),
    "sports_science": Subject("体育学", ("other",), 165),
    "traditional_chinese_medicine": Subject("中医中药", ("other", "china-specific"), 185),
    "virology": Subject("病毒学", ("stem",), 169),
    "world_history": Subject("世界历史", ("humanities",), 161),
    "world_religions": Subject("世界宗教", ("humanities",), 160),
}

CMMLU = Exam(
    group="cmmlu",
    abbr="cmmlu-{subject}",
    asked="cmmlu/test/{subject}.csv",
    shown="cmmlu/dev/{subject}.csv",
    source="http://opencompass.oss-cn-shanghai.aliyuncs.com/datasets/data/cmmlu.zip",
    subjects=SUBJECTS,
)


@task("cmmlu_gen_0_shot_cot_chat_prompt", "cmmlu_gen")
def zero_shot(data: Data) -> Iterator[Task]:
    """No examples."""
    return _cmmlu(data, shots=0)


@task("cmmlu_gen_5_shot_cot_chat_prompt")
def five_shot(data: Data) -> Iterator[Task]:
    """Five worked examples, a turn of question and answer each."""
    return _cmmlu(data, shots=5)


@task("cmmlu_ppl_0_shot_cot_chat_prompt")
def letters_compared(data: Data) -> Iterator[Task]:
    """The question with ``答案: `` and each letter behind it."""
    prompt = Prompt(style="chat", user=QUESTION)
    return CMMLU.tasks(data, Manner(prompt=prompt, scorer=most_likely("whole"), candidates=answers))


def answers(sample: Sample) -> tuple[Candidate, ...]:
    """The line that the question asks for; only its letter is the candidate's own."""
    return tuple(replace(one, lead="\n答案:") for one in letters(sample))


def _cmmlu(data: Data, shots: int) -> Iterator[Task]:
    manner = Manner(
        prompt=Prompt(style="chat", user=QUESTION, shot_answer="答案: {target}"),
        scorer=cmmlu,
        gold="答案: {target}",
        shots=shots,
    )
    return CMMLU.tasks(data, manner)
