"""Marking answers, folding marks into metrics, and saying how sure we are.

Rule: pure functions of their arguments. No files, no clocks, no asking of models; the processes
that are started (``math_check``, ``code_check``) are functions with a wall around them. Code that
models wrote is run in ``sandbox`` and nowhere else. A name is imported from its file when it is
first used, so that a run pays only for the rules it needs.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from steelyard.scoring.clean import (
        cleaner,
    )
    from steelyard.scoring.code_cases import (
        livecodebench_first,
        livecodebench_last,
    )
    from steelyard.scoring.code_check import (
        humaneval,
        mbpp,
        mbpp_counts,
    )
    from steelyard.scoring.comparing import (
        Comparison,
        compare,
    )
    from steelyard.scoring.comparison_figures import (
        alpaca_eval_figures,
        arena_hard_figures,
        styles,
    )
    from steelyard.scoring.exams import (
        answer_line,
        cmmlu,
        custom_choice,
        custom_choice_fixed,
        exact_match,
        gpqa_first,
        gpqa_last,
        mmlu_pro_0_shot,
        mmlu_pro_5_shot,
        mmlu_pro_official,
        nearest_option,
    )
    from steelyard.scoring.folding import (
        aisbench_value,
        fold,
        in_points,
    )
    from steelyard.scoring.groups import (
        combine,
    )
    from steelyard.scoring.ifeval import (
        ifeval_figures,
        ifeval_strict,
        instructions_target,
    )
    from steelyard.scoring.judge_scores import (
        by_rule,
        judged_score,
        judgement,
        text_to_judge,
        without_judge,
    )
    from steelyard.scoring.judge_tally import (
        tally,
    )
    from steelyard.scoring.judging import (
        both_orders,
        compass_verifier_judge,
        graded_pairwise,
        in_both_orders,
        insisting,
        json_verifier,
        judged,
        letter_verifier,
        pairwise,
        rubric,
        score,
        verifier,
        word_verifier,
    )
    from steelyard.scoring.length_control import (
        length_controlled,
    )
    from steelyard.scoring.likelihoods import (
        most_likely,
    )
    from steelyard.scoring.marking import (
        mark,
        prediction,
    )
    from steelyard.scoring.math_check import (
        math_verify,
        math_verify_fixed,
    )
    from steelyard.scoring.mathtext import (
        math_v2,
    )
    from steelyard.scoring.mt_bench_figures import (
        mt_bench_category,
        mt_bench_ratings,
        mt_bench_wins,
    )
    from steelyard.scoring.mt_bench_judges import (
        mt_bench,
        mt_bench_comparison,
        mt_bench_pairwise,
        mt_bench_rating,
    )
    from steelyard.scoring.numbers import (
        gsm8k,
        gsm8k_fixed,
    )
    from steelyard.scoring.options import (
        first_capital,
        first_capital_multi,
        first_option,
        last_capital,
        last_option,
        match_answer,
        match_last_answer,
        stated_option,
    )
    from steelyard.scoring.own_judges import (
        own_judge,
    )
    from steelyard.scoring.picture_figures import (
        edit_figures,
    )
    from steelyard.scoring.picture_judges import (
        edit_consistency,
        edit_language,
        edit_quality,
        sc_and_pq,
    )
    from steelyard.scoring.preferences import (
        decided,
        first_token_preference,
        length_bias,
        position_bias,
        standard_error,
        win_rate,
    )
    from steelyard.scoring.raters import (
        agreement,
        cohen_kappa,
        macro,
        majority,
        quadratic_kappa,
        spearman,
    )
    from steelyard.scoring.ratings import (
        bradley_terry,
    )
    from steelyard.scoring.registry import (
        check,
        is_sandboxed,
        scorer,
    )
    from steelyard.scoring.style import (
        style_of,
    )
    from steelyard.scoring.style_control import (
        style_controlled,
        vote,
    )

__all__ = [
    "Comparison",
    "agreement",
    "aisbench_value",
    "alpaca_eval_figures",
    "answer_line",
    "arena_hard_figures",
    "both_orders",
    "bradley_terry",
    "by_rule",
    "check",
    "cleaner",
    "cmmlu",
    "cohen_kappa",
    "combine",
    "compare",
    "compass_verifier_judge",
    "custom_choice",
    "custom_choice_fixed",
    "decided",
    "edit_consistency",
    "edit_figures",
    "edit_language",
    "edit_quality",
    "exact_match",
    "first_capital",
    "first_capital_multi",
    "first_option",
    "first_token_preference",
    "fold",
    "gpqa_first",
    "gpqa_last",
    "graded_pairwise",
    "gsm8k",
    "gsm8k_fixed",
    "humaneval",
    "ifeval_figures",
    "ifeval_strict",
    "in_both_orders",
    "in_points",
    "insisting",
    "instructions_target",
    "is_sandboxed",
    "json_verifier",
    "judged",
    "judged_score",
    "judgement",
    "last_capital",
    "last_option",
    "length_bias",
    "length_controlled",
    "letter_verifier",
    "livecodebench_first",
    "livecodebench_last",
    "macro",
    "majority",
    "mark",
    "match_answer",
    "match_last_answer",
    "math_v2",
    "math_verify",
    "math_verify_fixed",
    "mbpp",
    "mbpp_counts",
    "mmlu_pro_0_shot",
    "mmlu_pro_5_shot",
    "mmlu_pro_official",
    "most_likely",
    "mt_bench",
    "mt_bench_category",
    "mt_bench_comparison",
    "mt_bench_pairwise",
    "mt_bench_rating",
    "mt_bench_ratings",
    "mt_bench_wins",
    "nearest_option",
    "own_judge",
    "pairwise",
    "position_bias",
    "prediction",
    "quadratic_kappa",
    "rubric",
    "sc_and_pq",
    "score",
    "scorer",
    "spearman",
    "standard_error",
    "stated_option",
    "style_controlled",
    "style_of",
    "styles",
    "tally",
    "text_to_judge",
    "verifier",
    "vote",
    "win_rate",
    "without_judge",
    "word_verifier",
]

_FILES = {
    "clean": ("cleaner",),
    "code_cases": ("livecodebench_first", "livecodebench_last"),
    "code_check": ("humaneval", "mbpp", "mbpp_counts"),
    "comparing": ("Comparison", "compare"),
    "comparison_figures": ("alpaca_eval_figures", "arena_hard_figures", "styles"),
    "exams": (
        "answer_line",
        "cmmlu",
        "custom_choice",
        "custom_choice_fixed",
        "exact_match",
        "gpqa_first",
        "gpqa_last",
        "mmlu_pro_0_shot",
        "mmlu_pro_5_shot",
        "mmlu_pro_official",
        "nearest_option",
    ),
    "folding": ("aisbench_value", "fold", "in_points"),
    "groups": ("combine",),
    "ifeval": ("ifeval_figures", "ifeval_strict", "instructions_target"),
    "judge_scores": ("by_rule", "judged_score", "judgement", "text_to_judge", "without_judge"),
    "judge_tally": ("tally",),
    "judging": (
        "both_orders",
        "compass_verifier_judge",
        "graded_pairwise",
        "in_both_orders",
        "insisting",
        "json_verifier",
        "judged",
        "letter_verifier",
        "pairwise",
        "rubric",
        "score",
        "verifier",
        "word_verifier",
    ),
    "length_control": ("length_controlled",),
    "likelihoods": ("most_likely",),
    "marking": ("mark", "prediction"),
    "math_check": ("math_verify", "math_verify_fixed"),
    "mathtext": ("math_v2",),
    "mt_bench_figures": ("mt_bench_category", "mt_bench_ratings", "mt_bench_wins"),
    "mt_bench_judges": ("mt_bench", "mt_bench_comparison", "mt_bench_pairwise", "mt_bench_rating"),
    "numbers": ("gsm8k", "gsm8k_fixed"),
    "options": (
        "first_capital",
        "first_capital_multi",
        "first_option",
        "last_capital",
        "last_option",
        "match_answer",
        "match_last_answer",
        "stated_option",
    ),
    "own_judges": ("own_judge",),
    "picture_figures": ("edit_figures",),
    "picture_judges": ("edit_consistency", "edit_language", "edit_quality", "sc_and_pq"),
    "preferences": (
        "decided",
        "first_token_preference",
        "length_bias",
        "position_bias",
        "standard_error",
        "win_rate",
    ),
    "raters": ("agreement", "cohen_kappa", "macro", "majority", "quadratic_kappa", "spearman"),
    "ratings": ("bradley_terry",),
    "registry": ("check", "is_sandboxed", "scorer"),
    "style": ("style_of",),
    "style_control": ("style_controlled", "vote"),
}
"""Where each public name is defined."""


def __getattr__(name: str) -> object:
    for file, names in _FILES.items():
        if name in names:
            value: object = getattr(import_module(f"{__name__}.{file}"), name)
            globals()[name] = value
            return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
