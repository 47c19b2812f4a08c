"""Old-style entries for a user's own data file, to ``DatasetRef``.

Two shapes are in use: the short one (``path``, ``data_type``, ``template``, ``human_prompt``...)
and the full one of ``CustomDataset`` (``reader_cfg``, ``infer_cfg``, ``eval_cfg``). The data file
names the columns, and the usual rules for its type mark it; other rules are refused, not ignored.
"""

from collections.abc import Mapping

from steelyard.config.checks import TABLE, require, unknown
from steelyard.config.refs import DatasetRef
from steelyard.config.standins import named
from steelyard.core import ConfigError, Json

_FIELDS = DatasetRef.__struct_fields__
_KEYS = (
    *_FIELDS,
    *("type", "human_prompt", "bot_prompt", "test_range", "evaluator", "evaluator_kwargs"),
    *("reader_cfg", "infer_cfg", "eval_cfg"),
)
_USUAL_RULES = ("", "AccEvaluator", "OptionSimAccEvaluator")
_MCQ_QUESTION = "Question: {question}\n{choices}"
_ANSWER_COLUMNS = (None, "", "answer", "response", "target")


def read_custom(entry: Mapping[str, Json], where: str) -> DatasetRef:
    """The reference that ``entry`` describes; its values are not checked yet.

    Raises ``ConfigError`` for unknown keys and for what cannot be followed.
    """
    for key in entry:
        if key not in _KEYS:
            raise unknown(f"{where}, data of your own", key, _KEYS)
    given = {key: value for key, value in entry.items() if value not in (None, "", {})}
    reader, infer, marking = (
        _table(given, key, where) for key in ("reader_cfg", "infer_cfg", "eval_cfg")
    )
    _refuse_other_rules(given, marking, where)
    if reader.get("output_column") not in _ANSWER_COLUMNS:
        raise ConfigError(
            f"{where}: reader_cfg.output_column is {reader['output_column']!r}; expected 'answer'. "
            "Rename the column in the data file."
        )
    fields = {key: given[key] for key in _FIELDS if key in given}
    rows = given.get("test_range", reader.get("test_range"))
    if rows is not None:
        fields["rows"] = rows
    template = _template(given, _table(infer, "prompt_template", where), where)
    if template:
        fields["template"] = template
    return DatasetRef(**fields)


def _table(given: Mapping[str, Json], key: str, where: str) -> Mapping[str, Json]:
    value: Mapping[str, Json] = given.get(key) or {}
    require(TABLE, value, f"{where}: {key}")
    return value


def _refuse_other_rules(given: Mapping[str, Json], marking: Mapping[str, Json], where: str) -> None:
    evaluator = given.get("evaluator") or marking.get("evaluator") or ""
    kind = evaluator.get("type", "") if isinstance(evaluator, Mapping) else evaluator
    if named(kind) not in _USUAL_RULES or given.get("evaluator_kwargs"):
        wrong = f"the evaluator {named(kind)}"
    elif marking.get("pred_postprocessor") or marking.get("dataset_postprocessor"):
        wrong = "a postprocessor in eval_cfg"
    else:
        return
    raise ConfigError(
        f"{where}: {wrong} is not known here. Leave it out, or mark with a function of your own: "
        "--scorer FILE.py:function."
    )


def _template(given: Mapping[str, Json], prompt: Mapping[str, Json], where: str) -> str:
    """The prompt that is asked; empty for the usual one. The answer never stands in it."""
    if "human_prompt" in given or "bot_prompt" in given:
        text = _from_halves(given, where)
    else:
        text = given.get("template") or prompt.get("template") or ""
        if isinstance(text, Mapping):
            text = _only_question(text, where)
    if not isinstance(text, str):
        raise ConfigError(f"{where}: template is of type {type(text).__name__}; expected text.")
    return text.replace("{answer}", "")


def _from_halves(given: Mapping[str, Json], where: str) -> str:
    """``human_prompt`` and ``bot_prompt`` the way AISBench joins them for each data type."""
    human, bot = given.get("human_prompt"), given.get("bot_prompt")
    match given.get("data_type"):
        case "qa":
            return f"Question: {human or '{question}'}\nAnswer: {bot or ''}"
        case "mcq":
            return f"{human or _MCQ_QUESTION}\n{bot or 'Answer: '}"
    raise ConfigError(
        f"{where}: human_prompt and bot_prompt are joined differently for qa and mcq. Give "
        "data_type, or write the whole prompt as template."
    )


def _only_question(dialogue: Mapping[str, Json], where: str) -> str:
    """The one question of a dialogue template; the turn to be generated is not part of a prompt."""
    turns = [turn for turn in dialogue.get("round", ()) if isinstance(turn, Mapping)]
    asked = [turn.get("prompt", "") for turn in turns if turn.get("role") == "HUMAN"]
    others = [turn for turn in turns if turn.get("role") not in ("HUMAN", "BOT")]
    if len(asked) != 1 or others or set(dialogue) != {"round"}:
        raise ConfigError(
            f"{where}: template: expected text, or one HUMAN turn and a BOT turn to be generated. "
            "For longer dialogues write a data set file into <config-dir>/datasets."
        )
    return str(asked[0])
