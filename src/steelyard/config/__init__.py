"""What is asked for: presets, names, config files and command-line overrides, as plain values.

Rule: nothing runs here but the user's config files, which are programs and run as such. A secret
never leaves in a text that is written or shown.
"""

from steelyard.config.dump import write_config
from steelyard.config.files import load_config
from steelyard.config.judging import JudgeChoice, judge_in, judges_of_labels, refuse_repeats
from steelyard.config.lookup import FoundModel, Places, find_models, places
from steelyard.config.overrides import Overrides, override
from steelyard.config.planning import Wanted, make_plan
from steelyard.config.refs import Combination, ConfigFile, DatasetRef
from steelyard.config.rows import chosen_rows, read_rows
from steelyard.config.search import SearchRow, search_rows
from steelyard.config.secrets import from_environment, shown_command, without_secrets
from steelyard.config.suite import SUITE, Wish, suite_config

__all__ = [
    "SUITE",
    "Combination",
    "ConfigFile",
    "DatasetRef",
    "FoundModel",
    "JudgeChoice",
    "Overrides",
    "Places",
    "SearchRow",
    "Wanted",
    "Wish",
    "chosen_rows",
    "find_models",
    "from_environment",
    "judge_in",
    "judges_of_labels",
    "load_config",
    "make_plan",
    "override",
    "places",
    "read_rows",
    "refuse_repeats",
    "search_rows",
    "shown_command",
    "suite_config",
    "without_secrets",
    "write_config",
]
