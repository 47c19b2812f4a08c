r"""The published forms of MT-Bench's judges, word for word.

Figures are comparable only when judges were asked in these words, slips included. Source:
lm-sys/FastChat, ``fastchat/llm_judge/data/judge_prompts.jsonl`` at commit 0e6d3e4b (Apache-2.0):
``single-v1``, ``single-math-v1``, ``pair-v2``, ``pair-math-v1`` and the ``-multi-turn`` of each.

What is ours are the names of the fields, and ``{mark}`` in the lines around the texts: with it an
answer cannot imitate these lines. A form without it is used only while no text imitates one.
"""

from steelyard.scoring.judge_fence import Form

IMITATION = (
    r"\[\s*(?:Instruction|(?:User\s+)?Question|The\s+(?:Start|End)\s+of)"
    r"|<\|\s*The\s+(?:Start|End)\s+of|#{2,}\s*(?:User|Assistant|Reference)"
    "|the(?:start|end)of(?:assistant|reference)"
    "|^(?:instruction|(?:user)?question|user|assistant[ab]|referenceanswer)$"
)
"""The lines as they are written, and their letters alone."""

_QUALITIES = (
    "Your evaluation should consider factors such as the helpfulness, relevance, accuracy, depth, "
    "creativity, and level of detail of "
)
_RIGHT = "Your evaluation should consider correctness and helpfulness. "
_MISTAKES = "Identify and correct any mistakes. "
_RATE = (
    "Be as objective as possible. After providing your explanation, you must rate the response on "
    'a scale of 1 to 10 by strictly following this format: "[[rating]]", for example: "Rating: '
    '[[5]]".\n\n'
)
_ONE = (
    "Please act as an impartial judge and evaluate the quality of the response provided by an AI "
)
_TWO = (
    "Please act as an impartial judge and evaluate the quality of the responses provided by two AI "
    "assistants to the user "
)
_CHOOSE = "You should choose the assistant that follows the user's instructions and answers the "
_VERDICT = (
    "Avoid any position biases and ensure that the order in which the responses were presented "
    "does not influence your decision. Do not allow the length of the responses to influence your "
    "evaluation. Do not favor certain names of the assistants. Be as objective as possible. After "
    "providing your explanation, output your final verdict by strictly following this format: "
    '"[[A]]" if assistant A is better, "[[B]]" if assistant B is better, and "[[C]]" for a tie.'
)


def _part(name: str, field: str) -> str:
    return f"[The Start of {name}{{mark}}]\n{{{field}}}\n[The End of {name}{{mark}}]"


def _dialogue(name: str, speaker: str, first: str, second: str) -> str:
    """Both turns; ``first`` and ``second`` are the fields of what was said to either question."""
    turns = "".join(
        f"### User{{mark}}:\n{{{question}}}\n\n### {speaker}{{mark}}:\n{{{said}}}\n\n"
        for question, said in (("first_question", first), ("question", second))
    )
    return f"<|The Start of {name}{{mark}}|>\n\n{turns}<|The End of {name}{{mark}}|>"


_REFERENCE = _part("Reference Answer", "reference")
_REFERENCES = _dialogue("Reference Answer", "Reference answer", "first_reference", "reference")
_ANSWER = _part("Assistant's Answer", "candidate")
_ANSWERS = _part("Assistant A's Answer", "first") + "\n\n" + _part("Assistant B's Answer", "second")
_CONVERSATION = _dialogue(
    "Assistant A's Conversation with User", "Assistant A", "first_answer", "candidate"
)
_CONVERSATIONS = "\n\n\n".join(
    _dialogue(f"Assistant {name}'s Conversation with User", f"Assistant {name}", earlier, said)
    for name, earlier, said in (
        ("A", "first_earlier", "first"),
        ("B", "second_earlier", "second"),
    )
)


def _form(system: str, user: str) -> Form:
    return Form(system=system, user=user, bare=True, imitation=IMITATION)


SINGLE = _form(
    "You are a helpful assistant.",
    "[Instruction]\n" + _ONE + "assistant to the user question displayed below. " + _QUALITIES
    + "the response. Begin your evaluation by providing a short explanation. " + _RATE
    + "[Question{mark}]\n{question}\n\n" + _ANSWER,
)  # fmt: skip

SINGLE_REFERENCE = _form(
    "You are a helpful assistant.",
    "[Instruction]\n" + _ONE + "assistant to the user question displayed below. " + _RIGHT
    + "You will be given a reference answer and the assistant's answer. Begin your evaluation by "
    "comparing the assistant's answer with the reference answer. " + _MISTAKES + _RATE
    + "[Question{mark}]\n{question}\n\n" + _REFERENCE + "\n\n" + _ANSWER,
)  # fmt: skip

SINGLE_TURN_2 = _form(
    _ONE + "assistant to the user question displayed below. " + _QUALITIES
    + "the response. You evaluation should focus on the assistant's answer to the second user "
    "question. Begin your evaluation by providing a short explanation. " + _RATE,
    _CONVERSATION,
)  # fmt: skip

SINGLE_REFERENCE_TURN_2 = _form(
    _ONE + "assistant to the user question. " + _RIGHT
    + "You will be given a reference answer and the assistant's answer. You evaluation should "
    "focus on the assistant's answer to the second question. Begin your evaluation by comparing "
    "the assistant's answer with the reference answer. " + _MISTAKES + _RATE,
    _REFERENCES + "\n\n\n" + _CONVERSATION,
)  # fmt: skip

PAIR = _form(
    _TWO + "question displayed below. " + _CHOOSE + "user's question better. " + _QUALITIES
    + "their responses. Begin your evaluation by comparing the two responses and provide a short "
    "explanation. " + _VERDICT,
    "[User Question{mark}]\n{question}\n\n" + _ANSWERS,
)  # fmt: skip

PAIR_REFERENCE = _form(
    _TWO + "question displayed below. " + _RIGHT
    + "You will be given a reference answer, assistant A's answer, and assistant B's answer. Your "
    "job is to evaluate which assistant's answer is better. Begin your evaluation by comparing "
    "both assistants' answers with the reference answer. " + _MISTAKES + _VERDICT,
    "[User Question{mark}]\n{question}\n\n" + _REFERENCE + "\n\n" + _ANSWERS,
)  # fmt: skip

PAIR_TURN_2 = _form(
    _TWO + "questions. " + _CHOOSE + "user's questions better. " + _QUALITIES
    + "their responses. You should focus on who provides a better answer to the second user "
    "question. Begin your evaluation by comparing the responses of the two assistants and provide "
    "a short explanation. " + _VERDICT,
    _CONVERSATIONS,
)  # fmt: skip

PAIR_REFERENCE_TURN_2 = _form(
    _TWO + "questions. " + _RIGHT
    + "You will be given reference answers, the assistant A's answers, the assistant B's answers. "
    "Your job is to determine which assistant provides correct and helpful answers to the second "
    "user question. Begin your evaluation by comparing both assistants' answers with the reference "
    "answers. " + _MISTAKES + _VERDICT,
    _REFERENCES + "\n\n\n" + _CONVERSATIONS,
)  # fmt: skip
