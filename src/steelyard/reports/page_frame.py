"""The frame of a self-contained page: one HTML file that needs no network, for years.

Lives here: the skeleton, style and scripts in one text, the data block, the policy that forbids the
page every connection, and the parts that all pages have (warnings, figures, settings, tables). What
a page draws is its own business. All texts are untrusted: they may come from services and data
files, so they are escaped in HTML and in the data, and control characters never pass through.
"""

import hashlib
import re
from base64 import b64encode
from collections.abc import Iterable, Sequence
from functools import cache
from html import escape
from importlib import resources
from typing import NamedTuple

import msgspec

from steelyard.reports.text import one_line

_NUMBER = re.compile(r"[-+−±\[]?\d[^A-Za-z]*(\s?[A-Za-z/%]{1,9})?|[-–—]?")
"""A cell that is a number, an interval, or nothing, perhaps with a unit."""
_RISKY = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
_SLIM_COLUMNS = 4
_STYLES = ("uPlot.min.css", "perf_page.css")
_SCRIPTS = ("uPlot.iife.min.js", "frame.js", "gestures.js", "charts.js")
_NO_SCRIPT = "The charts need JavaScript. The tables below do not."
_ICON = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E"
    "%3Crect width='16' height='16' rx='3' fill='%230b5cad'/%3E"
    "%3Cpath d='M3 12V9m3.3 3V6m3.4 6V8M13 12V4' stroke='white' stroke-width='2'/%3E%3C/svg%3E"
)


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """One table under the charts."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    """Each as long as ``head``."""
    note: str = ""
    """What a reader must know to read it: what the interval is, what was left out."""


class Around(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """What every page has around its charts. All texts may be untrusted."""

    title: str
    subtitle: str = ""
    notes: tuple[str, ...] = ()
    """Warnings; they stand above everything else."""
    figures: tuple[tuple[str, str], ...] = ()
    """Headline figures (label, value with unit)."""
    facts: tuple[tuple[str, str], ...] = ()
    """Settings and further figures (label, value)."""
    tables: tuple[Table, ...] = ()


class _Asset(NamedTuple):
    text: str
    source: str
    """How the policy names it: by its digest."""


def page_html(page: Around, kind: str, data: msgspec.Struct, own_scripts: Sequence[str]) -> str:
    """The whole file, UTF-8 when written. It makes no request and runs only its own scripts.

    ``kind`` stands above the title; ``own_scripts`` are the assets that draw ``data``, after the
    scripts that all pages have.
    """
    style = _asset(*_STYLES)
    scripts = [_asset(name) for name in (*_SCRIPTS, *own_scripts)]
    title = escaped(page.title)
    return "\n".join(
        (
            "<!DOCTYPE html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{_policy(style, scripts)}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="color-scheme" content="light dark">',
            '<meta name="referrer" content="no-referrer">',
            f"<title>{title}</title>",
            f'<link rel="icon" href="{_ICON}">',
            f"<style>{style.text}</style>",
            "</head>",
            "<body>",
            *_head(page, kind, title),
            f'<main id="charts"><noscript><p class="notice">{_NO_SCRIPT}</p></noscript></main>',
            *_tables(page.tables),
            f'<script type="application/json" id="data">{_json(data)}</script>',
            *(f"<script>{script.text}</script>" for script in scripts),
            "</body>",
            "</html>",
            "",
        )
    )


def escaped(text: str) -> str:
    """``text`` as HTML shows it, in elements and in quoted attributes."""
    return escape(plain(text))


def plain(text: str) -> str:
    """``text`` without control characters and with nothing that UTF-8 cannot hold."""
    return one_line(text.encode("utf-8", "replace").decode())


def _head(page: Around, kind: str, title: str) -> Iterable[str]:
    yield '<header class="top"><div class="titles">'
    yield f'<p class="kind">{escaped(kind)}</p><h1>{title}</h1>'
    if page.subtitle:
        yield f'<p class="subtitle">{escaped(page.subtitle)}</p>'
    yield "</div>"
    yield '<button type="button" id="theme" class="button">Theme</button></header>'
    if page.notes:
        notes = "".join(f"<li>{escaped(note)}</li>" for note in page.notes)
        yield f'<section class="notes" aria-label="Warnings"><ul>{notes}</ul></section>'
    yield from _pairs(page.figures, "figures", "Key figures")
    yield from _pairs(page.facts, "facts", "Settings")


def _pairs(pairs: Sequence[tuple[str, str]], kind: str, label: str) -> Iterable[str]:
    if pairs:
        items = (
            f"<div><dt>{escaped(name)}</dt><dd>{escaped(value)}</dd></div>" for name, value in pairs
        )
        yield f'<dl class="{kind}" aria-label="{label}">{"".join(items)}</dl>'


def _tables(tables: Iterable[Table]) -> Iterable[str]:
    yield '<section id="tables">'
    for table in tables:
        slim = " slim" if len(table.head) <= _SLIM_COLUMNS else ""
        yield f'<section class="card table{slim}"><h2>{escaped(table.title)}</h2>'
        yield f'<div class="scroll" tabindex="0" role="group" aria-label="{escaped(table.title)}">'
        columns = zip(table.head, *table.rows, strict=True)
        kinds = [_column_kind(cells) for _, *cells in columns]
        yield f"<table><thead>{_row('th', table.head, kinds)}</thead><tbody>"
        yield from (_row("td", row, kinds) for row in table.rows)
        yield "</tbody></table></div>"
        if table.note:
            yield f'<p class="note">{escaped(table.note)}</p>'
        yield "</section>"
    yield "</section>"


def _column_kind(cells: Sequence[str]) -> str:
    numbers = any(cells) and all(_NUMBER.fullmatch(cell) for cell in cells)
    return ' class="number"' if numbers else ""


def _row(tag: str, cells: Sequence[str], kinds: Sequence[str]) -> str:
    texts = (
        f"<{tag}{kind}>{escaped(cell)}</{tag}>" for cell, kind in zip(cells, kinds, strict=True)
    )
    return f"<tr>{''.join(texts)}</tr>"


def _json(data: msgspec.Struct) -> str:
    """JSON that can stand inside a script element: no character there can end it."""
    text = msgspec.json.encode(data).decode()
    return re.sub("[<>&\u2028\u2029]", lambda found: _RISKY[found[0]], text)


def _policy(style: _Asset, scripts: Iterable[_Asset]) -> str:
    allowed = " ".join(script.source for script in scripts)
    return (
        f"default-src 'none'; script-src {allowed}; style-src {style.source}; img-src data:; "
        "connect-src 'none'; base-uri 'none'; form-action 'none'"
    )


@cache
def _asset(*names: str) -> _Asset:
    folder = resources.files("steelyard.reports") / "assets"
    text = "\n".join((folder / name).read_text(encoding="utf-8") for name in names)
    digest = b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")
    return _Asset(text, f"'sha256-{digest}'")
