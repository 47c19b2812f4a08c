"""The simulated endpoint as a server: HTTP, TLS, keys, limits, start and stop.

It has to be at least as sturdy as the clients that are tested with it.
"""

import asyncio
import json
import signal
import socket
import ssl
import subprocess
import sys
import time
from pathlib import Path

import pytest
import trustme

from sim_client import CHAT, chat, connected, content, get, post, request_bytes, stats, until_closed
from sim_process import address, serving, simulated
from steelyard.core import ConfigError
from steelyard.sim import Answer, Answers, SimOptions, counts, serve

SIM = (sys.executable, "-m", "steelyard.cli.main", "sim")
ANSWERS = Answers((Answer(question="Who?", right="The owl.", wrong="-"),))


def test_a_connection_is_kept_and_requests_may_follow_at_once() -> None:
    with serving(SimOptions(), ANSWERS) as url, connected(url) as plug:
        plug.sendall(
            request_bytes(CHAT, chat("Who?")) * 3 + request_bytes("/infer", {"inputs": "Who?"})
        )
        got = b""
        while got.count(b"The owl.") < 4:
            got += plug.recv(65536)
        assert got.count(b"HTTP/1.1 200 OK") == 4
        assert stats(url)["connections_made"] == 2


def test_a_client_that_wants_to_close_is_obeyed() -> None:
    body = json.dumps(chat("Who?")).encode()
    head = f"POST {CHAT} HTTP/1.1\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
    with serving(SimOptions(), ANSWERS) as url, connected(url) as plug:
        plug.sendall(head.encode() + body)
        got, was_reset = until_closed(plug)
    assert b"The owl." in got
    assert not was_reset


def test_a_request_may_come_in_pieces_and_chunks() -> None:
    body = json.dumps(chat("Who?")).encode()
    head = f"POST {CHAT} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    chunks = b"".join(b"1;x=y\r\n%c\r\n" % byte for byte in body) + b"0\r\n\r\n"
    with serving(SimOptions(), ANSWERS) as url, connected(url) as plug:
        plug.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for part in (head[:7], head[7:30], head[30:] + chunks[:90], chunks[90:]):
            plug.sendall(part)
        assert b"The owl." in plug.recv(65536)


def test_a_client_that_asks_for_leave_to_send_gets_it() -> None:
    body = json.dumps(chat("Who?")).encode()
    head = f"POST {CHAT} HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: {len(body)}\r\n\r\n"
    with serving(SimOptions(), ANSWERS) as url, connected(url) as plug:
        plug.sendall(head.encode())
        assert plug.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        plug.sendall(body)
        assert b"The owl." in plug.recv(65536)


def test_what_is_not_http_is_refused_and_the_connection_closed() -> None:
    with serving(SimOptions()) as url, connected(url) as plug:
        plug.sendall(b"hello there\r\n\r\n")
        got, _ = until_closed(plug)
    assert got.startswith(b"HTTP/1.1 400 Bad Request\r\n")


def test_a_query_behind_the_path_is_ignored() -> None:
    with serving(SimOptions(), ANSWERS) as url:
        assert content(post(url, f"{CHAT}?api-version=1", chat("Who?")).json) == "The owl."


def test_a_slow_reader_gets_the_whole_stream() -> None:
    options = SimOptions(tokens=counts("40000"), events_per_write=50)
    with serving(options) as url, connected(url) as plug:
        plug.sendall(request_bytes(CHAT, chat("x", stream=True)))
        time.sleep(0.5)
        assert stats(url)["in_flight"] == 1
        got = bytearray()
        while not got.endswith(b"0\r\n\r\n"):
            got += plug.recv(1 << 20)
    assert got.count(b'"delta":{"content"') == 40000


def test_the_key_is_required_where_a_service_requires_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIM_TEST_KEY", "s3cret")
    with serving(SimOptions(require_key="SIM_TEST_KEY"), ANSWERS) as url:
        assert post(url, CHAT, chat("Who?")).status == 401
        assert post(url, CHAT, chat("Who?"), headers={"Authorization": "Bearer no"}).status == 401
        right = {"Authorization": "Bearer s3cret"}
        assert post(url, CHAT, chat("Who?"), headers=right).status == 200
        assert get(url, "/v1/models").status == 401
        assert get(url, "/health").status == 200
        assert stats(url)["outcomes"] == {"refused": 2, "answered": 1}


def test_a_missing_key_variable_is_named() -> None:
    refused(SimOptions(require_key="NO_SUCH_VARIABLE"), "NO_SUCH_VARIABLE")


def refused(options: SimOptions, says: str) -> None:
    with pytest.raises(ConfigError, match=says), serving(options):
        pass


def test_a_strict_endpoint_serves_one_model_in_every_protocol() -> None:
    with serving(SimOptions(strict_model=True, model="m"), ANSWERS) as url:
        assert post(url, CHAT, chat("Who?", model="m")).status == 200
        assert post(url, CHAT, chat("Who?", model="n")).status == 404
        assert post(url, "/v2/models/m/generate", {"text_input": "Who?"}).status == 200
        assert post(url, "/v2/models/n/generate", {"text_input": "Who?"}).status == 404


def test_https_is_spoken_with_a_certificate(tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(
        tmp_path / "both.pem"
    )
    pem = str(tmp_path / "both.pem")
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    with serving(SimOptions(tls_cert=pem, tls_key=pem), ANSWERS) as url:
        assert url.startswith("https://127.0.0.1:")
        assert content(post(url, CHAT, chat("Who?"), tls=trusting).json) == "The owl."


def test_a_certificate_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    missing = str(tmp_path / "no.pem")
    refused(SimOptions(tls_cert=missing, tls_key=missing), r"no\.pem")
    refused(SimOptions(tls_cert=missing), "both")


def test_ipv6_addresses_stand_in_brackets() -> None:
    with serving(SimOptions(host="::1"), ANSWERS) as url:
        assert url.startswith("http://[::1]:")
        assert content(post(url, CHAT, chat("Who?")).json) == "The owl."


def test_it_runs_on_the_standard_loop_too() -> None:
    with serving(SimOptions(), ANSWERS, asyncio.new_event_loop) as url:
        assert content(post(url, CHAT, chat("Who?")).json) == "The owl."
        assert len(post(url, CHAT, chat("Who?", stream=True)).events) == 6


def test_an_address_in_use_is_an_error_that_says_so() -> None:
    async def twice() -> None:
        async with (
            serve(SimOptions(port=0), Answers()) as first,
            serve(SimOptions(port=first.port), Answers()),
        ):
            raise AssertionError("two servers on one port")

    with pytest.raises(ConfigError, match="--port"):
        asyncio.run(twice())


def test_stopping_ends_open_streams() -> None:
    async def left_open() -> bytes:
        async with serve(SimOptions(port=0, tokens=counts("10000")), Answers()) as serving:
            reader, writer = await asyncio.open_connection("127.0.0.1", serving.port)
            writer.write(request_bytes(CHAT, chat("x", stream=True)))
            await reader.read(1)
        try:
            return await reader.read()
        except ConnectionResetError:
            return b"reset"
        finally:
            writer.close()

    assert b"[DONE]" not in asyncio.run(asyncio.wait_for(left_open(), 10))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_program_prints_one_line_and_stops_on_a_signal(number: signal.Signals) -> None:
    command = [*SIM, "--port", "0"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as sim:
        url = address(sim)
        assert get(url, "/health").status == 200
        with connected(url) as plug:
            plug.sendall(request_bytes(CHAT, chat("x"))[:40])
            sim.send_signal(number)
            out, err = sim.communicate(timeout=10)
    assert (sim.returncode, out, err) == (0, "", "")


def test_the_program_answers_a_data_set_with_exact_accuracy() -> None:
    flags = ("--dataset", "demo_gsm8k_gen", "--accuracy", "0.625", "--seed", "1")
    robe = (
        "A robe takes 2 bolts of blue fiber and half that much white fiber.  How many bolts in "
        "total does it take?"
    )
    with simulated(*flags) as url:
        text = content(post(url, CHAT, chat(f"Question: {robe}\nAnswer:")).json)
        matches = stats(url)["matches"]
    assert text in ("The answer is 3.", "The answer is 4.")
    assert (matches["known"], matches["known_right"], matches["asked"]) == (8, 5, 1)


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (("--ttft", "50"), "50ms"),
        (("--fault", "500"), "no share"),
        (("--accuracy", "80"), "--accuracy"),
        (("--dataset", "gsm8k_genn"), "gsm8k_gen"),
        (("--port", "70000"), "--port"),
        (("--tls-cert", "x.pem"), "--tls-key"),
        (("--log", "/no/such/folder/log"), "/no/such/folder/log"),
        (("--dialect", "grok"), "vllm"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_2(flags: tuple[str, ...], says: str) -> None:
    done = subprocess.run([*SIM, *flags], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr
