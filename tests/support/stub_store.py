"""A server in front of a real S3 server (or of none) that answers in its place what a test wants: 507, 500, 200.

The Host header goes on as it came, so signatures stay right.
"""

import contextlib
import http.client
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

Answer = tuple[int, bytes]  # status and body
Decide = Callable[[str, str], Answer | None]  # method and path with query -> answer, or None to ask the real server


def refusal(status: int, code: str) -> Answer:
    """What an S3 server says when it will not."""
    return status, f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{code}</Message></Error>".encode()


class StubStore:
    """`decide` may be changed while it runs; `seen` holds what was asked, `put` the last body by path."""

    def __init__(self, behind: str = "") -> None:
        self.decide: Decide = lambda _method, _path: None
        self.seen: list[str] = []
        self.put: dict[str, bytes] = {}
        stub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _any(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                stub.seen.append(f"{self.command} {self.path}")
                if self.command == "PUT":
                    stub.put[self.path] = body
                answer = stub.decide(self.command, self.path)
                if answer is not None:
                    self._send(answer[0], {"Content-Type": "application/xml"}, answer[1])
                    return
                real = http.client.HTTPConnection(urlsplit(behind).netloc, timeout=60)
                with contextlib.closing(real):
                    real.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
                    for name, value in self.headers.items():
                        if name.lower() not in ("connection", "expect", "transfer-encoding"):
                            real.putheader(name, value)
                    real.endheaders(body)
                    got = real.getresponse()
                    headers = {
                        name: value
                        for name, value in got.getheaders()
                        if name.lower() not in ("transfer-encoding", "connection")
                    }
                    self._send(got.status, headers, got.read())

            def _send(self, status: int, headers: dict[str, str], body: bytes) -> None:
                self.send_response(status)
                for name, value in headers.items():
                    if name.lower() != "content-length" or self.command == "HEAD":
                        self.send_header(name, value)
                if self.command != "HEAD":
                    self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

            do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = do_OPTIONS = _any

            def log_message(self, format: str, *args: object) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.endpoint_url = f"http://127.0.0.1:{self.server.server_address[1]}"


@contextlib.contextmanager
def stub_store(behind: str = "") -> Iterator[StubStore]:
    stub = StubStore(behind)
    thread = threading.Thread(target=stub.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield stub
    finally:
        stub.server.shutdown()
        stub.server.server_close()
        thread.join()
