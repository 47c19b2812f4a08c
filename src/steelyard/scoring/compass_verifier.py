r"""The two published forms of CompassVerifier, word for word.

The models were trained on them, so their wording is theirs, contradictions included. Source:
open-compass/CompassVerifier, ``src/prompts.py`` at commit c5d6700 (Apache-2.0); ``CV_PROMPT`` and
``CV_COT_PROMPT``, with ``{{`` and ``}}`` written as the single braces that a model gets to see.

What is ours is ``{mark}`` in the lines around the texts: with it an answer cannot imitate these
lines. A published form without it is used only while no text imitates one of them.
"""

from steelyard.scoring.judge_fence import Form

_IMITATION = (
    "(?:originalquestion|standardanswer|candidates?answer)(?:begin|end)"
    "|^.{0,3}(?:orig|stand|candi).{3,9}[qa].{3,9}(?:begin|end)$"
    "|(?:问题|题目|(?:标准|参考|候选|考生)答案)(?:开始|结束)"
)
"""The titles anywhere, lines that are almost one, and what a translator would make of them."""

DIRECT = (
    "\nPlease as a grading expert, judge whether the final answers given by the candidates below "
    "are consistent with the standard answers, that is, whether the candidates answered "
    "correctly. \n"
    "Here are some evaluation criteria:\n"
    "1. Please refer to the given standard answer. You don't need to re-generate the answer to "
    "the question because the standard answer has been given. You only need to judge whether the "
    "candidate's answer is consistent with the standard answer according to the form of the "
    "question. THE STANDARD ANSWER IS ALWAYS CORRECT AND THE QUESTION IS PERFECTLY VALID. NEVER "
    "QUESTION THEM.\n"
    "2. ONLY compare the FINAL ANSWER - COMPLETELY IGNORE any potential errors in the REASONING "
    "PROCESSES.\n"
    "3. Some answers may be expressed in different ways, such as some answers may be a "
    "mathematical expression, some answers may be a textual description, as long as the meaning "
    "expressed is the same. Before making a judgment, please understand the question and the "
    "standard answer first, and then judge whether the candidate's answer is correct.\n"
    "4. Some answers may consist of multiple items, such as multiple-choice questions, "
    "multiple-select questions, fill-in-the-blank questions, etc. Regardless of the question "
    "type, the final answer will be considered correct as long as it matches the standard answer, "
    "regardless of whether the reasoning process is correct. For multiple-select questions and "
    "multi-blank fill-in-the-blank questions, all corresponding options or blanks must be "
    "answered correctly and match the standard answer exactly to be deemed correct.\n"
    "5. If the prediction is given with \\boxed{}, please ignore the \\boxed{} and only judge "
    "whether the candidate's answer is consistent with the standard answer.\n"
    "6. If the candidate's answer is invalid (e.g., incomplete (cut off mid-response), lots of "
    "unnormal repetitive content, or irrelevant to the question, saying it can't answer the "
    "question because some irresistible factors, like ethical issues, no enough information, "
    "etc.), select option C (INVALID).Please judge whether the following answers are consistent "
    "with the standard answer based on the above criteria. Grade the predicted answer of this new "
    "question as one of:\n"
    "A: CORRECT \n"
    "B: INCORRECT\n"
    "C: INVALID\n"
    'Just return the letters "A", "B", or "C", with no text around it.\n'
    "Here is your task. Simply reply with either CORRECT, INCORRECT, or INVALID. Don't apologize "
    "or correct yourself if there was a mistake; we are just trying to grade the answer.\n"
    "<Original Question Begin{mark}>:\n{question}\n<Original Question End{mark}>\n"
    "<Standard Answer Begin{mark}>:\n{reference}\n<Standard Answer End{mark}>\n"
    "<Candidate's Answer Begin{mark}>: \n{candidate}\n<Candidate's Answer End{mark}>\n"
    "Judging the correctness of the candidate's answer:\n"
)

STEPS = (
    "As a grading expert, your task is to determine whether the candidate's final answer matches "
    "the provided standard answer. Follow these evaluation guidelines precisely:\n\n"
    "Evaluation Protocol:\n"
    "1. Reference Standard:\n"
    "   - The standard answer is definitive and always correct\n"
    "   - The question is perfectly valid - never question them\n"
    "   - Do not regenerate answers; only compare with the given standard\n\n"
    "2. Comparison Method:\n"
    "   - Carefully analyze the question's requirements and the standard answer's structure\n"
    "     * Determine whether the question expects exact matching of the entire standard answer or "
    "allows partial matching of its components.\n"
    "     * This determination must be made based on the question's phrasing and the nature of the "
    "standard answer.\n"
    "   - Compare ONLY the candidate's final answer (ignore all reasoning/explanation errors)\n"
    "   - Disregard any differences in formatting or presentation style\n"
    "   - For mathematical expressions: calculate step by step whether the two formulas are "
    "equivalent\n"
    "   - For multiple-choice questions: compare only the final choice and corresponding option "
    "content\n\n"
    "3. Multi-part Answers:\n"
    "   - For questions requiring multiple responses (e.g., multi-select):\n"
    "   - All parts must match the standard answer exactly. \n"
    "   - Compare each sub-answer step by step. Partial matches are considered incorrect.\n\n"
    "4. Validity Check:\n"
    "   - Reject answers that are:\n"
    "     * Incomplete (cut off mid-sentence in the final sentence, lacking a complete response) "
    "→ Label as INCOMPLETE\n"
    "     * Repetitive (repetition of words or phrases in a loop) → Label as REPETITIVE\n"
    '     * Explicit refusals (e.g., directly return "I cannot answer/provide/access ...") → '
    "Label as REFUSAL\n"
    "   - For invalid answers, specify the type in the judgment (e.g., \\boxed{C} - "
    "INCOMPLETE).\n\n"
    "Grading Scale:\n"
    "\\boxed{A} - CORRECT: \n"
    "   - Answer matches standard exactly (including equivalent expressions)\n"
    "   - For numerical answers: consider as equivalent if values match when rounded "
    "appropriately\n"
    "   - Semantically equivalent responses\n\n"
    "\\boxed{B} - INCORRECT:\n"
    "   - Any deviation from standard answer\n"
    "   - Partial matches for multi-part questions\n\n"
    "\\boxed{C} - INCOMPLETE/REPETITIVE/REFUSAL:\n"
    "   - Fails validity criteria above (must specify: INCOMPLETE/REPETITIVE/REFUSAL)\n\n"
    "Execution Steps and Output Formats:\n\n"
    "Analysis step by step: [\n"
    "Thoroughly evaluate the candidate's answer including:\n"
    "(1) First check if the answer is INCOMPLETE (cut off mid-sentence), REPETITIVE (looping "
    "repetition), or a REFUSAL (explicit denial) - if so, immediately classify as \\boxed{C} with "
    "the corresponding type.\n"
    "(2) Analyze the question's core requirements and the standard answer's structure, for "
    "example:\n"
    "- Strict requirements: Identify mandatory constraints (e.g., simplification, answer order, "
    "multi-part completeness)\n"
    "- Tolerant allowances: Ignore non-critical deviations (e.g., missing option labels in MCQs, "
    "equivalent but unformatted expressions)\n"
    "- Required answer type, precision level, etc.\n"
    "(3) Perform a detailed comparison between the candidate's final answer and the standard "
    "answer, for example:\n"
    "- Content equivalence\n"
    "- Permitted variations in numerical precision\n"
    "- Allowed expression formats]\n"
    "Final Judgment: \\boxed{A/B/C} - <CORRECT/INCORRECT/INCOMPLETE/REPETITIVE/REFUSAL>\n\n"
    "Here is your task.\n"
    "<Original Question Begin{mark}>\n{question}\n<Original Question End{mark}>\n\n"
    "<Standard Answer Begin{mark}>\n{reference}\n<Standard Answer End{mark}>\n\n"
    "<Candidate's Answer Begin{mark}>\n{candidate}\n<Candidate's Answer End{mark}>\n\n"
    "Analysis step by step and Final Judgment:\n"
)


def form(*, steps: bool, published: bool) -> Form:
    """The form that asks for a letter, or for an analysis first."""
    return Form(
        user=STEPS if steps else DIRECT,
        bare=True,
        mark_always=not published,
        imitation=_IMITATION,
    )
