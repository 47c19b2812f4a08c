"""The words of our own judges' questions. A change of a word changes the judge's hash.

Fields: ``question``, ``reference``, ``candidate`` (the answer to be judged), ``first`` and
``second`` (two answers to be compared), ``low`` and ``high``, ``criteria``, ``lines``, ``mark``.
"""

from steelyard.scoring.judge_fence import NOTICE, Form

_GRADER = "You are a careful and impartial grader. " + NOTICE

VERIFIER = Form(
    system=_GRADER,
    user=(
        "Decide whether the candidate's final answer agrees with the reference answer.\n\n"
        "{question}\n\n{reference}\n\n{candidate}\n\n"
        "- Take the reference answer as right, and the question as it stands. Do not solve the "
        "question yourself.\n"
        "- Compare final answers only. A faulty derivation does not make a right answer wrong.\n"
        "- Different notations of the same value or meaning agree. Where several things are asked "
        "for, all of them have to agree.\n"
        "- A candidate that was cut off, repeats itself without end, or refuses to answer is "
        "invalid.\n\n"
        "Say in a few sentences what you compared. Then end with a line of its own, one of:\n"
        "Verdict: CORRECT\nVerdict: INCORRECT\nVerdict: INVALID"
    ),
)

LETTERS = Form(
    system=_GRADER,
    user=(
        "Below are a question, the reference answer and a candidate's answer. Judge only whether "
        "the candidate's final answer means the same as the reference answer, which is right by "
        "definition.\n\n{question}\n\n{reference}\n\n{candidate}\n\n"
        "A: CORRECT\nB: INCORRECT\n\nReply with the letter A or B and nothing else."
    ),
)

WORDS = Form(
    system=_GRADER,
    user=(
        "Judge whether the candidate's answer is consistent with the reference answer, which is "
        "right.\n\n{question}\n\n{reference}\n\n{candidate}\n\n"
        "The question is shown for orientation, without the documents it is about. Do not answer "
        "it yourself. The candidate's final answer is correct when it says what the reference "
        "answer says, however it is written; where several things are asked for, all of them have "
        "to agree.\n\nReply with one word and nothing else: CORRECT or INCORRECT."
    ),
)

JSON = Form(
    system=_GRADER,
    user=(
        "Judge whether the candidate's response to the question gives the reference answer, which "
        "is exact and right.\n\n{question}\n\n{reference}\n\n{candidate}\n\n"
        "Look only at whether the two final answers agree: a number may be off by a small error of "
        "rounding, anything else has to mean the same. Do not solve the question, and do not "
        "defend another answer.\n\n"
        "Reply with one JSON object and nothing else. Its fields, in this order:\n"
        '"extracted_final_answer": the response\'s final answer as text, "None" if it has none\n'
        '"reasoning": in a few sentences, where the two answers agree or differ\n'
        '"correct": "yes" or "no"\n'
        '"confidence": how sure the response says it is, a whole number of percent from 0 to 100; '
        "100 if it does not say"
    ),
)

SCORE = Form(
    system=_GRADER,
    user=(
        "Rate the candidate's answer.\n\n{question}\n\n{reference}\n\n{candidate}\n\n"
        "{guide}\n\nThe scale goes from {low} to {high}; {high} is best.{steps}\n\n"
        "First write a short analysis of strengths and weaknesses. Do not reward length. Then end "
        "with a line of its own that holds nothing but the score:\nScore: <number>"
    ),
)

PAIRWISE = Form(
    system=_GRADER,
    user=(
        "Two assistants answered the same question. Decide which answer is better.\n\n"
        "{question}\n\nAssistant A:\n{first}\n\nAssistant B:\n{second}\n\n"
        "Judge by whether the answer does what was asked, by its correctness and its usefulness. "
        "Neither the order of the answers nor their length counts.\n\n"
        "First write a short comparison. Then end with a line of its own, one of:\n"
        "Verdict: [[A]]\nVerdict: [[B]]\nVerdict: [[C]]\n"
        "where [[C]] means that they are equally good."
    ),
)

GRADED = Form(
    system=_GRADER,
    user=(
        "Two assistants answered the same question. Decide which answer is better, and by how "
        "much.\n\n"
        "{question}\n\nAssistant A:\n{first}\n\nAssistant B:\n{second}\n\n"
        "Judge by whether the answer does what was asked, by its correctness and its usefulness. "
        "Neither the order of the answers nor their length or layout counts.\n\n"
        "First sketch how you would answer the question, then write a short comparison. Then end "
        "with a line of its own, one of:\n"
        "Verdict: [[A>>B]]\nVerdict: [[A>B]]\nVerdict: [[A=B]]\nVerdict: [[B>A]]\n"
        "Verdict: [[B>>A]]\n"
        "where >> means clearly better, > slightly better and = equally good."
    ),
)

RUBRIC = Form(
    system=_GRADER,
    user=(
        "Rate the candidate's answer by each of these criteria.\n\n"
        "{question}\n\n{reference}\n\n{candidate}\n\n{criteria}\n\n"
        "Every scale goes from {low} to {high}; {high} is best.{steps}\n\n"
        "First write a short analysis. Then end with these lines, each with its score:\n{lines}"
    ),
)

CORRECTNESS_GUIDE = "Judge how well the answer does what was asked, and whether it is right."

ONCE_MORE = (
    "Important: your reply has to state the verdict exactly in the form that is asked for above, "
    "once, as its last line, with nothing after it."
)
