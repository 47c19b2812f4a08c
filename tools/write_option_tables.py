"""Rewrites the option tables at the end of the guide and the simulator's page.

    python tools/write_option_tables.py

A test compares these tables with the options, so run this after changing one.
"""

from pathlib import Path

import msgspec

from steelyard.cli.options import option_table
from steelyard.cli.run_options import RunOptions
from steelyard.cli.sim_options import SimCommand

DOCS = Path(__file__).parents[1] / "docs"
HEADING = "\n## All options"


def table(options: type[msgspec.Struct]) -> str:
    """The options as a Markdown table."""
    rows = ["| option | meaning |", "|---|---|"]
    for flag, meaning in option_table(options):
        name = flag if flag.startswith("--") else "CONFIG.py"
        rows.append(f"| `{name}` | {meaning.replace('|', chr(92) + '|')} |")
    return "\n".join(rows) + "\n"


def rewrite(page: str, options: type[msgspec.Struct]) -> None:
    """Put a fresh table under the page's last heading."""
    path = DOCS / page
    before, heading, after = path.read_text(encoding="utf-8").partition(HEADING)
    title = after.partition("\n")[0]
    path.write_text(f"{before}{heading}{title}\n\n{table(options)}", encoding="utf-8")


if __name__ == "__main__":
    rewrite("guide.md", RunOptions)
    rewrite("simulator.md", SimCommand)
