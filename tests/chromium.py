"""A real browser for tests of pages: headless Chromium, driven over its DevTools protocol.

Every tab is offline and remembers what the page asked the network for and what went wrong in it.
"""

import contextlib
import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--hide-scrollbars"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
PATIENCE_S = 60


def program() -> str | None:
    """Where Chromium is; ``None`` when this machine has none."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class Tab:
    """One tab. ``requests`` and ``troubles`` fill up as messages arrive, that is in ``call``."""

    def __init__(self, wire: ClientConnection) -> None:
        self._wire = wire
        self._number = 0
        self._session: str | None = None
        self.requests: list[str] = []
        self.troubles: list[str] = []
        self._target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=self._target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Runtime", "Log", "Page", "Network"):
            self.call(f"{domain}.enable")
        off = {"latency": 0, "downloadThroughput": 0, "uploadThroughput": 0}
        self.call("Network.emulateNetworkConditions", offline=True, **off)

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """What the browser answers to one command."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session is not None:
            message["sessionId"] = self._session
        self._wire.send(json.dumps(message))
        while True:
            answer = json.loads(self._wire.recv(timeout=PATIENCE_S))
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                return answer["result"]
            self._take(answer)

    def _take(self, event: dict[str, Any]) -> None:
        parameters = event.get("params", {})
        match event.get("method"):
            case "Network.requestWillBeSent":
                self.requests.append(parameters["request"]["url"])
            case "Runtime.exceptionThrown" | "Log.entryAdded" | "Runtime.consoleAPICalled":
                self.troubles.append(json.dumps(parameters))
            case "Page.javascriptDialogOpening":
                self.troubles.append(f"dialog: {parameters['message']}")

    def value(self, script: str) -> Any:
        """What ``script``, an expression or a promise, comes to."""
        done = self.call(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in done, done["exceptionDetails"]
        return done["result"].get("value")

    def show(self, *, width: int = 1280, height: int = 900, theme: str = "light") -> None:
        """Screen and colour preference; of the pages that are opened, and of the one that is."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )
        scheme = {"name": "prefers-color-scheme", "value": theme}
        self.call("Emulation.setEmulatedMedia", features=[scheme])

    def open(self, path: Path) -> float:
        """Seconds until the page at ``path`` said that it is ready."""
        started = time.monotonic()
        self.call("Page.navigate", url=path.as_uri())
        while not self.value("window.steelyardReady === true"):
            assert time.monotonic() < started + PATIENCE_S, self.troubles
            time.sleep(0.01)
        return time.monotonic() - started

    def press(self, key: str) -> None:
        """One key, on whatever has the focus."""
        text = {"text": key} if len(key) == 1 else {}
        self.call("Input.dispatchKeyEvent", type="keyDown", key=key, **text)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key)
        self.frames()

    def mouse(self, kind: str, x: float, y: float, **more: Any) -> None:
        """One event of the mouse at a place of the window."""
        self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, **more)

    def drag(self, start: tuple[float, float], stop: tuple[float, float]) -> None:
        """Press, move, release."""
        left = {"button": "left", "buttons": 1, "clickCount": 1}
        self.mouse("mouseMoved", *start)
        self.mouse("mousePressed", *start, **left)
        middle = ((start[0] + stop[0]) / 2, (start[1] + stop[1]) / 2)
        self.mouse("mouseMoved", *middle, button="left", buttons=1)
        self.mouse("mouseMoved", *stop, button="left", buttons=1)
        self.mouse("mouseReleased", *stop, **left)
        self.frames()

    def frames(self) -> None:
        """Waits until what has changed is drawn."""
        frame = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
        self.value(f"{frame}.then(() => 0)")

    def close(self) -> None:
        """Closes the tab."""
        self._session = None
        self.call("Target.closeTarget", targetId=self._target)


@contextlib.contextmanager
def browser(profile: Path) -> Iterator[ClientConnection]:
    """A running Chromium; pass the connection to ``Tab``. It ends with the block."""
    command = [str(program()), *FLAGS, f"--user-data-dir={profile}", "--remote-debugging-port=0"]
    quiet = subprocess.DEVNULL
    with subprocess.Popen([*command, "about:blank"], stdout=quiet, stderr=quiet) as process:
        try:
            with connect(_address(profile), max_size=None, compression=None) as wire:
                yield wire
                wire.send(json.dumps({"id": 0, "method": "Browser.close"}))
                process.wait(timeout=PATIENCE_S)
        finally:
            process.kill()


def _address(profile: Path) -> str:
    told = profile / "DevToolsActivePort"
    give_up = time.monotonic() + PATIENCE_S
    while not (told.exists() and told.read_text().count("\n") == 1):
        assert time.monotonic() < give_up, "Chromium did not start"
        time.sleep(0.02)
    port, path = told.read_text().split("\n")
    return f"ws://127.0.0.1:{port}{path}"
