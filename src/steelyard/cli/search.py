"""``--search``: the table of files behind the names that were given."""

from pathlib import Path

from steelyard import config, reports
from steelyard.cli.run_options import RunOptions
from steelyard.core import ConfigError

_HEAD = ("Task Type", "Task Name", "Config File Path")


def print_locations(options: RunOptions) -> int:
    """Print the table; nothing is run and no folder is made."""
    summarizer = options.summarizer if options.summarizer != RunOptions().summarizer else ""
    if not (options.models or options.datasets or summarizer):
        raise ConfigError(
            "--search: name what to look for with --models, --datasets, --summarizer."
        )
    where = config.places(options.config_dir, Path.cwd())
    rows = config.search_rows(options.models, options.datasets, summarizer, where)
    print("Searching configs...")
    print(reports.table("grid", _HEAD, [(row.task_type, row.name, str(row.path)) for row in rows]))
    return 0
