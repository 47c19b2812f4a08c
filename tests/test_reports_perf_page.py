"""What the page of a load test promises.

- One file: it loads from disk with the network off, asks for nothing, and its scripts run clean.
- Every chart is drawn; a chart without numbers is left out.
- Zooming one chart over time zooms all of them; keys, wheel and drags do the same; a double click
  shows everything again.
- What the pointer shows of a request is what the columns say of it.
- Texts from outside are shown as text and run nothing.
- 100,000 requests: small, quick to make, quick to open, and smooth.
- It fits a narrow screen and a sheet of paper, and follows the wanted theme.
- Columns arrive as they were: times to 10 microseconds, unknown as unknown. Columns that do not fit
  together are refused.
- Making text of other reports needs no numpy.
"""

import subprocess
import sys
import time
from pathlib import Path

import msgspec
import numpy as np
import pytest

import chromium
import perf_pages
from chromium import Tab
from steelyard.reports.perf_page import PerfPage, RequestColumns, Series, TimeSeries, perf_page

needs_chromium = pytest.mark.skipif(
    chromium.program() is None, reason="no Chromium on this machine: pages are tested in a real one"
)
OVER_TIME = 7
CHARTS = OVER_TIME + 4
BLANK = """
Array.from(document.querySelectorAll('canvas')).filter((canvas) => {
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  const seen = new Set(new Uint32Array(data.buffer));
  return seen.size < 5;
}).length"""
SCALES = """
steelyard.charts.filter((chart) => chart.refresh)
  .map(({ u }) => [u.scales.x.min, u.scales.x.max])"""
TIP = """
(() => {
  const texts = (what) => Array.from(document.querySelectorAll(what), (e) => e.textContent);
  const values = texts('.tip dd');
  const pairs = texts('.tip dt').map((name, index) => [name, values[index]]);
  return [...texts('.tip strong'), Object.fromEntries(pairs)];
})()"""
REDRAW = """
(async () => {
  const { range } = steelyard;
  const took = [];
  for (let step = 0; step < 30; step++) {
    const width = range.full.to * 0.93 ** step;
    const start = ((range.full.to - width) * (step % 7)) / 7;
    const begun = performance.now();
    range.show(start, start + width);
    range.now();
    await null;
    await null;
    took.push(performance.now() - begun);
    await new Promise(requestAnimationFrame);
  }
  return took.sort((one, other) => one - other)[took.length >> 1];
})()"""
OVER = "document.querySelectorAll('.u-over')"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page of 3,000 requests with every chart there is."""
    columns = perf_pages.requests(3000, failure_kinds=("timeout", "status 503"))
    return written(tmp_path_factory.mktemp("run"), perf_pages.page(columns, title="满负荷"))


def written(folder: Path, page: PerfPage) -> Path:
    path = folder / "page_plot.html"
    path.write_text(perf_page(page), encoding="utf-8")
    return path


def middle(tab: Tab, chart: int, across: float = 0.5, down: float = 0.5) -> tuple[float, float]:
    """A place of a chart, in the window, after scrolling there."""
    tab.value(f"{OVER}[{chart}].scrollIntoView({{ block: 'center' }}), 0")
    tab.frames()
    box = f"{OVER}[{chart}].getBoundingClientRect()"
    left, top, width, height = tab.value(
        f"(({{ left, top, width, height }}) => [left, top, width, height])({box})"
    )
    return left + width * across, top + height * down


def shown(tab: Tab) -> tuple[float, float]:
    start, stop = tab.value("[steelyard.range.from, steelyard.range.to]")
    return start, stop


def whole(tab: Tab) -> tuple[float, float]:
    start, stop = tab.value("[steelyard.range.full.from, steelyard.range.full.to]")
    return start, stop


@needs_chromium
def test_the_page_loads_offline_asks_for_nothing_and_runs_clean(tab: Tab, run: Path) -> None:
    tab.open(run)
    tab.frames()
    tab.value("scrollTo(0, document.body.scrollHeight), 0")
    tab.frames()
    assert [url for url in tab.requests if not url.startswith("data:")] == [run.as_uri()]
    assert tab.troubles == []


@needs_chromium
def test_every_chart_is_drawn(tab: Tab, run: Path) -> None:
    tab.open(run)
    assert tab.value("document.querySelectorAll('canvas').length") == CHARTS
    assert tab.value(BLANK) == 0
    assert tab.value("document.querySelector('h1').textContent") == "满负荷"


@needs_chromium
def test_the_policy_of_the_page_forbids_connections_and_other_scripts(tab: Tab, run: Path) -> None:
    tab.open(run)
    refused = tab.value("fetch('https://example.invalid/').then(() => 'went', () => 'refused')")
    assert refused == "refused"
    tab.value(
        "document.body.append(Object.assign(document.createElement('script'),"
        " { textContent: 'window.strange = 1' })), 0"
    )
    assert tab.value("window.strange === undefined")
    assert "Content Security Policy" in " ".join(tab.troubles)


@needs_chromium
def test_dragging_on_one_chart_zooms_all_and_a_double_click_shows_everything(
    tab: Tab, run: Path
) -> None:
    tab.open(run)
    start, stop = whole(tab)
    x, y = middle(tab, 2, across=0.25)
    tab.drag((x, y), (middle(tab, 2, across=0.5)[0], y))
    expected = (start + 0.25 * (stop - start), start + 0.5 * (stop - start))
    assert shown(tab) == pytest.approx(expected, abs=0.01 * (stop - start))
    for chart in range(OVER_TIME):
        middle(tab, chart)
        assert tab.value(SCALES)[chart] == pytest.approx(shown(tab))
    x, y = middle(tab, 0)
    for count in (1, 2):
        tab.mouse("mousePressed", x, y, button="left", clickCount=count)
        tab.mouse("mouseReleased", x, y, button="left", clickCount=count)
    tab.frames()
    assert shown(tab) == (start, stop)
    assert tab.value(SCALES)[0] == [start, stop]


@needs_chromium
def test_zooming_in_shows_the_rows_that_are_busy_then(tab: Tab, run: Path) -> None:
    tab.open(run)
    rows = tab.value("steelyard.rowsShown()")
    start, stop = whole(tab)
    tab.value(
        f"steelyard.range.show({start + 0.5 * (stop - start)}, {start + 0.51 * (stop - start)})"
    )
    tab.frames()
    low, high = tab.value("steelyard.rowsShown()")
    assert rows[0] < low < high < rows[1]


@needs_chromium
def test_a_box_on_the_timeline_chooses_rows_too(tab: Tab, run: Path) -> None:
    tab.open(run)
    low, high = tab.value("steelyard.rowsShown()")
    tab.drag(middle(tab, 0, 0.2, 0.2), middle(tab, 0, 0.5, 0.6))
    chosen = tab.value("steelyard.rowsShown()")
    expected = [high - 0.6 * (high - low), high - 0.2 * (high - low)]
    assert chosen == pytest.approx(expected, abs=0.02 * (high - low))


@needs_chromium
def test_the_wheel_zooms_with_ctrl_and_leaves_the_page_to_scroll_without(
    tab: Tab, run: Path
) -> None:
    tab.open(run)
    x, y = middle(tab, 1)
    tab.mouse("mouseWheel", x, y, deltaX=0, deltaY=-200)
    tab.frames()
    assert shown(tab) == whole(tab)
    x, y = middle(tab, 1)
    tab.mouse("mouseWheel", x, y, deltaX=0, deltaY=-400, modifiers=2)
    tab.frames()
    (start, stop), (first, last) = shown(tab), whole(tab)
    assert stop - start < 0.6 * (last - first)
    assert (start + stop) / 2 == pytest.approx((first + last) / 2, rel=0.05)


@needs_chromium
def test_keys_zoom_pan_and_reset_the_chart_that_has_the_focus(tab: Tab, run: Path) -> None:
    tab.open(run)
    tab.value("document.querySelectorAll('.plot')[3].focus(), 0")
    tab.press("+")
    start, stop = shown(tab)
    assert (start, stop) != whole(tab)
    tab.press("ArrowRight")
    assert shown(tab) == pytest.approx((start + (stop - start) / 5, stop + (stop - start) / 5))
    tab.press("0")
    assert shown(tab) == whole(tab)


@needs_chromium
def test_the_pointer_shows_the_request_that_is_under_it(tab: Tab, tmp_path: Path) -> None:
    columns = RequestColumns(
        sent_s=[0.0, 2.0, 4.0],
        first_s=[0.5, 2.25, np.nan],
        end_s=[1.5, 3.5, 6.0],
        due_s=[0.0, 1.9, np.nan],
        failure=[-1, -1, 0],
        failure_kinds=("timeout",),
        input_tokens=[10, 20, 30],
        output_tokens=[5, 7, -1],
    )
    tab.open(written(tmp_path, PerfPage(title="t", requests=columns)))
    texts = []
    for row, at_s in enumerate((1.0, 3.0, 5.0)):
        x, y = middle(tab, 0, at_s / 6, 1 - (row + 0.5) / 3)
        tab.mouse("mouseMoved", x, y)
        tab.frames()
        texts.append(tab.value(TIP))
    assert texts == [
        [
            "Request 1",
            {
                "Sent": "0.000 s",
                "After its due time": "0 ms",
                "TTFT": "500 ms",
                "Decode": "1.00 s",
                "E2EL": "1.50 s",
                "Tokens in / out": "10 / 5",
            },
        ],
        [
            "Request 2",
            {
                "Sent": "2.000 s",
                "After its due time": "100 ms",
                "TTFT": "250 ms",
                "Decode": "1.25 s",
                "E2EL": "1.50 s",
                "Tokens in / out": "20 / 7",
            },
        ],
        [
            "Request 3",
            {
                "Sent": "4.000 s",
                "Failed": "timeout",
                "Failed after": "2.00 s",
                "Tokens in / out": "30 / unknown",
            },
        ],
    ]


@needs_chromium
def test_the_number_of_running_requests_is_exact(tab: Tab, tmp_path: Path) -> None:
    columns = RequestColumns(sent_s=[0.0, 1.0, 3.0, 4.0], end_s=[3.0, 5.0, 4.0, 8.0])
    tab.open(written(tmp_path, PerfPage(title="t", requests=columns)))
    found = {}
    for at_s in (0.5, 2.0, 3.5, 4.5, 7.0):
        tab.mouse("mouseMoved", *middle(tab, 1, at_s / 8))
        tab.frames()
        found[at_s] = tab.value("document.querySelectorAll('.legend .value')[1].textContent")
    assert found == {0.5: "1", 2.0: "2", 3.5: "2", 4.5: "2", 7.0: "1"}


@needs_chromium
def test_all_charts_point_at_the_time_under_the_pointer(tab: Tab, run: Path) -> None:
    tab.open(run)
    start, stop = whole(tab)
    tab.mouse("mouseMoved", *middle(tab, 3, across=0.4))
    tab.frames()
    times = tab.value(
        "steelyard.charts.filter((chart) => chart.refresh)"
        ".map(({ u }) => u.posToVal(u.cursor.left, 'x'))"
    )
    expected = start + 0.4 * (stop - start)
    assert times == pytest.approx([expected] * OVER_TIME, abs=0.002 * (stop - start))


@needs_chromium
def test_the_legend_shows_the_bin_that_the_pointer_is_in(tab: Tab, tmp_path: Path) -> None:
    series = TimeSeries(
        edges_s=[0.0, 1.0, 2.0, 4.0],
        sent_per_s=[1.0, np.nan, 3.0],
        failures=(Series("timeout", [0.0, 5.0, 6.0]), Series("status 503", [7.0, 8.0, 9.0])),
    )
    tab.open(written(tmp_path, PerfPage(title="t", series=series)))
    found = {}
    for at_s in (0.1, 0.9, 1.9, 2.1, 3.9):
        tab.mouse("mouseMoved", *middle(tab, 0, at_s / 4))
        tab.frames()
        values = "document.querySelectorAll('.legend .value')"
        found[at_s] = tab.value(f"Array.from({values}, (e) => e.textContent)")
    first, last = ["1", "0", "7"], ["3", "6", "9"]
    assert found == {0.1: first, 0.9: first, 1.9: ["–", "5", "8"], 2.1: last, 3.9: last}


@needs_chromium
def test_texts_from_outside_are_shown_and_run_nothing(tab: Tab, tmp_path: Path) -> None:
    evil = perf_pages.EVIL
    page = perf_pages.page(perf_pages.requests(300, failure_kinds=(evil,)), title=evil)
    facts = ((evil, '"><img src=x onerror=alert(2)>'),)
    page = msgspec.structs.replace(page, subtitle=evil, notes=(evil, "\x1b[31m\ud800"), facts=facts)
    tab.open(written(tmp_path, page))
    tab.frames()
    assert tab.troubles == []
    assert [url for url in tab.requests if url.startswith("http")] == []
    assert tab.value("document.querySelector('h1').textContent") == evil
    assert tab.value("document.title") == evil
    assert evil in tab.value("document.querySelector('#charts').textContent")
    assert tab.value("document.querySelectorAll('img').length") == 0


@needs_chromium
def test_charts_without_numbers_are_left_out(tab: Tab, tmp_path: Path) -> None:
    series = TimeSeries(edges_s=[0.0, 1.0, 2.0], sent_per_s=[1.0, 2.0])
    tab.open(written(tmp_path, PerfPage(title="t", series=series)))
    assert tab.value("document.querySelectorAll('canvas').length") == 1
    assert tab.troubles == []
    tab.open(written(tmp_path, PerfPage(title="nothing at all")))
    assert tab.value("document.querySelectorAll('canvas').length") == 0
    assert tab.troubles == []


@needs_chromium
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_narrow_screen_shows_everything_without_scrolling_sideways(
    tab: Tab, run: Path, theme: str
) -> None:
    tab.show(width=390, height=844, theme=theme)
    tab.open(run)
    assert tab.value("document.documentElement.scrollWidth") == 390
    assert tab.value("document.documentElement.dataset.theme") == theme
    assert tab.value(BLANK) == 0


@needs_chromium
def test_paper_gets_light_colours_no_controls_and_charts_of_its_width(tab: Tab, run: Path) -> None:
    seen = """[
      document.documentElement.dataset.theme,
      document.querySelector('.toolbar').checkVisibility(),
      Array.from(document.querySelectorAll('.uplot')).every((one) => one.clientWidth < 720),
    ]"""
    tab.show(theme="dark")
    tab.open(run)
    assert tab.value(seen) == ["dark", True, False]
    tab.call("Emulation.setEmulatedMedia", media="print")
    tab.value("dispatchEvent(new Event('beforeprint'))")
    assert tab.value(seen) == ["light", False, True]
    tab.call("Emulation.setEmulatedMedia", media="screen")
    tab.show(theme="dark")
    tab.value("dispatchEvent(new Event('afterprint'))")
    assert tab.value(seen) == ["dark", True, False]


@needs_chromium
def test_the_theme_follows_the_system_until_one_is_chosen(tab: Tab, run: Path) -> None:
    back = "getComputedStyle(document.body).backgroundColor"
    tab.open(run)
    light = tab.value(back)
    tab.show(theme="dark")
    tab.frames()
    dark = tab.value(back)
    assert dark != light
    for expected in (light, dark):
        tab.value("document.getElementById('theme').click(), 0")
        assert tab.value(back) == expected


@needs_chromium
def test_a_hundred_thousand_requests_open_at_once_and_move_smoothly(
    tab: Tab, tmp_path: Path
) -> None:
    columns = perf_pages.requests(100_000, in_flight=400, failure_kinds=("timeout",))
    page = perf_pages.page(columns, bins=600)
    started = time.process_time()
    text = perf_page(page)
    assert time.process_time() - started < 1
    assert len(text.encode()) < 4e6
    path = tmp_path / "page.html"
    path.write_text(text, encoding="utf-8")
    assert tab.open(path) < 5
    for view in (0, 1):
        tab.value(f"document.querySelectorAll('.choice button')[{view}].click(), 0")
        assert tab.value(REDRAW) < 33


@needs_chromium
def test_columns_arrive_as_they_were(tab: Tab, tmp_path: Path) -> None:
    random = np.random.default_rng(3)
    sent_s = random.uniform(0, 20_000, 500)
    first_s = np.where(np.arange(500) % 3 == 0, np.nan, sent_s + random.uniform(0, 60, 500))
    tokens = random.integers(-1, 3 * 10**9 // 2, 500)
    columns = RequestColumns(
        sent_s=sent_s,
        first_s=first_s,
        end_s=sent_s + 70,
        output_tokens=tokens,
        input_tokens=tokens % 99,
    )
    tab.open(written(tmp_path, PerfPage(title="t", requests=columns)))

    def arrived(name: str) -> list[float | None]:
        column = f"Array.from(steelyard.requests.{name}, (x) => Number.isNaN(x) ? null : x)"
        found: list[float | None] = tab.value(column)
        return found

    assert arrived("sent") == pytest.approx(sent_s, abs=5.1e-6)
    firsts = arrived("first")
    assert [at is None for at in firsts] == list(np.isnan(first_s))
    assert [at or 0.0 for at in firsts] == pytest.approx(np.nan_to_num(first_s), abs=5.1e-6)
    assert arrived("outputTokens") == [None if count < 0 else count for count in tokens.tolist()]
    assert arrived("inputTokens") == (tokens % 99).tolist()


def test_a_quarter_of_a_million_requests_stay_below_ten_megabytes() -> None:
    text = perf_page(perf_pages.page(perf_pages.requests(250_000, failure_kinds=("timeout",))))
    assert len(text.encode()) < 10e6


def test_columns_that_do_not_fit_together_are_refused() -> None:
    with pytest.raises(ValueError, match="requests: a column of 1 values, expected 2"):
        perf_page(PerfPage(title="", requests=RequestColumns(sent_s=[0.0, 1.0], end_s=[1.0])))
    with pytest.raises(ValueError, match="time of sending"):
        perf_page(PerfPage(title="", requests=RequestColumns(sent_s=[np.nan], end_s=[1.0])))
    series = TimeSeries(edges_s=[0.0, 1.0], sent_per_s=[1.0, 2.0])
    with pytest.raises(ValueError, match="time series: a column of 2 values, expected 1"):
        perf_page(PerfPage(title="", series=series))


def test_importing_the_reports_needs_no_numpy() -> None:
    code = (
        "import sys, steelyard.reports, steelyard.reports.perf_page, steelyard.reports.sweep_page;"
        "print('numpy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_the_same_run_gives_the_same_page() -> None:
    page = perf_pages.page(perf_pages.requests(100))
    assert perf_page(page) == perf_page(page)
