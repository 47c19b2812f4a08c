"""What the page of a sweep promises.

- One file that asks for nothing; its chart is drawn and its table is there.
- Every point stands where its two values say, and tells its load and whether it met the SLO.
- The switches change what is against what; unknown values leave a point out.
- Texts from outside run nothing; points that do not fit the axes are refused.
"""

from pathlib import Path

import pytest
from msgspec.structs import replace

import chromium
import perf_pages
from chromium import Tab
from steelyard.reports.page_frame import Table
from steelyard.reports.sweep_page import Latency, SweepPage, SweepPoint, Throughput, sweep_page

needs_chromium = pytest.mark.skipif(
    chromium.program() is None, reason="no Chromium on this machine: pages are tested in a real one"
)
PAGE = SweepPage(
    title="吞吐-时延",
    throughputs=(
        Throughput(name="Requests", title="request throughput", unit="req/s"),
        Throughput(name="Tokens", title="output token throughput", unit="tok/s"),
    ),
    latencies=(
        Latency(name="TTFT P99", title="time to first token, P99", limit_ms=500.0),
        Latency(name="E2EL P99", title="end-to-end latency, P99"),
    ),
    points=(
        SweepPoint(
            label="1", throughputs=(2.0, 100.0), latencies_ms=(100.0, 900.0), meets_slo=True
        ),
        SweepPoint(
            label="8",
            throughputs=(8.0, None),
            latencies_ms=(400.0, 1500.0),
            meets_slo=True,
            details=(("Failed", "0 of 99"),),
        ),
        SweepPoint(
            label="64", throughputs=(6.0, 300.0), latencies_ms=(900.0, None), meets_slo=False
        ),
    ),
    tables=(Table(title="All loads", head=("Load", "TTFT P99"), rows=(("1", "100.0 ms"),)),),
)
TIP = """
(() => {
  const tip = document.querySelector('.tip');
  return tip.hidden ? null : Array.from(tip.querySelectorAll('strong, dd'), (e) => e.textContent);
})()"""


def opened(tab: Tab, folder: Path, page: SweepPage) -> Path:
    path = folder / "sweep.html"
    path.write_text(sweep_page(page), encoding="utf-8")
    tab.open(path)
    tab.frames()
    return path


def pointed(tab: Tab, throughput: float, latency_ms: float) -> list[str] | None:
    """What the page tells about the point at a place of the chart."""
    spot = "const { u } = steelyard.charts[0]; const box = u.over.getBoundingClientRect();"
    x, y = tab.value(
        f"(() => {{ {spot} return [box.left + u.valToPos({throughput}, 'x'),"
        f" box.top + u.valToPos({latency_ms}, 'y')]; }})()"
    )
    tab.mouse("mouseMoved", x, y)
    tab.frames()
    told: list[str] | None = tab.value(TIP)
    return told


def switch(tab: Tab, name: str) -> None:
    buttons = "Array.from(document.querySelectorAll('.choice button'))"
    tab.value(f"{buttons}.find((one) => one.textContent === '{name}').click(), 0")
    tab.frames()


@needs_chromium
def test_the_page_asks_for_nothing_and_shows_its_chart_and_table(tab: Tab, tmp_path: Path) -> None:
    path = opened(tab, tmp_path, PAGE)
    assert tab.troubles == []
    assert [url for url in tab.requests if not url.startswith("data:")] == [path.as_uri()]
    assert tab.value("document.querySelectorAll('canvas').length") == 1
    assert tab.value("document.querySelector('table').rows.length") == 2


@needs_chromium
def test_every_point_stands_at_its_values_and_tells_its_load(tab: Tab, tmp_path: Path) -> None:
    opened(tab, tmp_path, PAGE)
    assert pointed(tab, 2, 100) == ["1", "2 req/s", "100 tok/s", "100 ms", "900 ms", "met"]
    assert pointed(tab, 8, 400) == [
        *("8", "8 req/s", "unknown", "400 ms", "1.50 s", "met"),
        "0 of 99",
    ]
    assert pointed(tab, 6, 900) == ["64", "6 req/s", "300 tok/s", "900 ms", "unknown", "missed"]
    assert pointed(tab, 4, 700) is None


@needs_chromium
def test_the_switches_change_the_axes_and_unknown_values_leave_a_point_out(
    tab: Tab, tmp_path: Path
) -> None:
    opened(tab, tmp_path, PAGE)
    switch(tab, "E2EL P99")
    assert tab.value("steelyard.charts[0].u.data") == [[2, 8], [900, 1500]]
    switch(tab, "Tokens")
    assert tab.value("steelyard.charts[0].u.data") == [[100], [900]]
    switch(tab, "TTFT P99")
    switch(tab, "Log")
    assert tab.value("steelyard.charts[0].u.data") == [[100, 300], [100, 900]]
    assert tab.value("steelyard.charts[0].u.scales.y.distr") == 3


@needs_chromium
def test_texts_from_outside_run_nothing_and_a_narrow_screen_is_enough(
    tab: Tab, tmp_path: Path
) -> None:
    tab.show(width=390, height=844, theme="dark")
    evil = perf_pages.EVIL
    points = tuple(replace(point, label=evil) for point in PAGE.points)
    opened(tab, tmp_path, replace(PAGE, title=evil, points=points))
    assert tab.troubles == []
    assert tab.value("document.querySelector('h1').textContent") == evil
    assert tab.value("document.documentElement.scrollWidth") == 390
    assert pointed(tab, 2, 100) == [evil, "2 req/s", "100 tok/s", "100 ms", "900 ms", "met"]


def test_points_that_do_not_fit_the_axes_are_refused() -> None:
    point = SweepPoint(label="1", throughputs=(1.0,), latencies_ms=(1.0, 1.0))
    with pytest.raises(ValueError, match="point 1"):
        sweep_page(replace(PAGE, points=(point,)))
