"""The HTTP exchange itself: TLS, proxies, hanging connects, and where a key may travel."""

from __future__ import annotations

import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from agent.core.dialog import Done, Fault, FaultKind, Request, UserMessage
from agent.llm.choosing.build import build_model
from agent.llm.presets import CUSTOM
from agent.llm.secret import Secret, is_loopback, origin_of
from agent.llm.transport.client import Endpoint
from agent.llm.transport.http import Timing
from agent.llm.transport.retry import Policy
from agent.ports import Cancel
from tests.support.llm import KEY, QUICK, collect, request
from tests.support.server import Recorded, Reply, ScriptedServer
from tests.support.wires import Turn

TLS = Path(__file__).parents[1] / "support" / "tls"
"""A certificate for this machine and its key, made for these tests and trusted by nobody."""
ONCE = msgspec.structs.replace(QUICK, policy=Policy(retries=0), timing=Timing(connect=3, tick=0.02))


def client(base_url: str) -> Any:
    return build_model(CUSTOM, Endpoint(base_url, Secret(KEY)), "m", setup=ONCE)


class SecureServer(ScriptedServer):
    def _serve(self, connection: socket.socket) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(TLS / "cert.pem", TLS / "key.pem")
        try:
            super()._serve(context.wrap_socket(connection, server_side=True))
        except (ssl.SSLError, OSError):
            connection.close()

    def url(self, scheme: str = "https") -> str:
        return f"{scheme}://127.0.0.1:{self.port}/v1"


@pytest.mark.parametrize("scheme", ["https", "HTTPS"])
def test_a_server_whose_certificate_is_not_trusted_gets_nothing(scheme: str) -> None:
    with SecureServer("chat", [Turn(text="hi")]) as server:
        (fault,) = collect(client(server.url(scheme)), request("x"))
    assert fault.kind is FaultKind.NETWORK
    assert "no secure connection" in fault.message
    assert "SSL_CERT_FILE" in fault.hint
    assert server.requests == []


def test_a_private_authority_is_trusted_when_the_person_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(TLS / "cert.pem"))
    with SecureServer("chat", [Turn(text="hi")]) as server:
        assert isinstance(collect(client(server.url()), request("x"))[-1], Done)
    assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize("reply", [Reply(never=True), Reply(turn=Turn(text="x" * 999), hang_after=700)])
def test_a_cancel_ends_a_tls_exchange_within_100_ms(monkeypatch: pytest.MonkeyPatch, reply: Reply) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(TLS / "cert.pem"))
    with SecureServer("chat", [reply]) as server:
        cancel = Cancel()
        took = ended_by(cancel, client(server.url()), 0.4)
    assert took < 0.1


def ended_by(cancel: Cancel, model: Any, after: float) -> float:
    """Cancel after some seconds; how long it then took to end."""
    at: list[float] = []
    timer = threading.Timer(after, lambda: (at.append(time.monotonic()), cancel.cancel()))
    timer.start()
    last = collect(model, request("x"), cancel)[-1]
    ended = time.monotonic()
    timer.join()
    assert isinstance(last, Fault)
    assert last.kind is FaultKind.CANCELLED
    return ended - at[0]


@pytest.fixture
def full_port() -> Iterator[int]:
    """A port where connecting hangs: its queue of waiting connections is full."""
    waiting = []
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(8):
            each = socket.socket()
            each.setblocking(False)
            each.connect_ex(listener.getsockname())
            waiting.append(each)
        yield listener.getsockname()[1]
        for each in waiting:
            each.close()


def test_a_cancel_ends_a_hanging_connect_within_100_ms(full_port: int) -> None:
    assert ended_by(Cancel(), client(f"http://127.0.0.1:{full_port}/v1"), 0.15) < 0.1


class Proxy(ScriptedServer):
    """Notes what it is asked to open, and refuses."""

    def _answer(self, connection: socket.socket, request: Recorded) -> None:
        self.requests.append(request)
        connection.sendall(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n")


def test_a_proxy_of_the_environment_sees_the_host_and_never_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    with Proxy("chat") as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.origin)
        (fault,) = collect(client("https://llm.example/v1"), request("x"))
    assert "proxy" in fault.message
    (seen,) = proxy.requests
    assert (seen.method, seen.path) == ("CONNECT", "llm.example:443")
    assert KEY not in repr(seen)


@pytest.mark.parametrize(
    "proxy", ["socks5://127.0.0.1:1", "nonsense://user:secret@127.0.0.1:1", "http://127.0.0.1:1"]
)
def test_a_proxy_that_cannot_be_used_is_named(monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    monkeypatch.setenv("ALL_PROXY", proxy)
    (fault,) = collect(client("https://llm.example/v1"), request("x"))
    assert fault.kind is FaultKind.NETWORK
    assert "secret" not in repr(fault)


def test_netrc_and_cookies_are_left_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login me password hidden")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    (Path.home() / ".netrc").write_text("default login me password hidden")
    replies = [Reply(turn=Turn(text="a"), headers={"set-cookie": "a=b"}), Turn(text="b")]
    with ScriptedServer("chat", replies) as server:
        model = build_model(CUSTOM, Endpoint(server.base_url), "m", setup=ONCE)
        collect(model, request("x"))
        collect(model, request("x"))
    for sent in server.requests:
        assert "authorization" not in sent.headers
        assert "cookie" not in sent.headers


def test_undecodable_bytes_of_files_go_out_as_json_that_every_server_takes() -> None:
    text = "caf\udce9 \ud800 fine 🐍 \u2028"
    with ScriptedServer("chat", [Turn(text="ok")]) as server:
        collect(client(server.base_url), Request("", (), (UserMessage(text),)))
    assert server.requests[0].json["messages"][0]["content"] == "caf? ? fine 🐍 \u2028"


@pytest.mark.parametrize(
    ("url", "here"),
    [
        ("http://localhost/v1", True), ("http://LOCALHOST:1/", True), ("http://127.9.9.9", True),
        ("http://[::1]:8080", True),
        ("http://localhost.evil.example", False), ("http://127.0.0.1.evil.example", False), ("http://10.0.0.1", False),
        ("http://0.0.0.0", False), ("http://2130706433", False), ("nonsense", False),
        ("http://[::1", False),
    ],
)  # fmt: skip
def test_only_names_of_this_machine_are_loopback(url: str, here: bool) -> None:
    assert is_loopback(url) is here


def test_an_origin_shows_no_user_path_or_query() -> None:
    assert origin_of("https://me:pw@Host.example:8443/v1?key=1") == "https://host.example:8443"
    assert origin_of("http://[::1]:80/x") == "http://[::1]:80"


def test_the_client_does_not_load_a_command_line_of_httpx() -> None:
    """It would cost 40 ms before the first request."""
    code = "import sys, agent.llm.choosing.choose; print([n for n in ('rich', 'click', 'pygments') if n in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert ran.stdout.strip() == "[]"
