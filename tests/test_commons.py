"""Works of Wikimedia Commons: fetched once, checked, or refused in a sentence; from a server on this machine."""

import hashlib
import re
import threading
import time
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from studio import commons
from studio.commons import WORKS, NotFetched, fetch, fetch_all

BODY = bytes(range(256)) * 800
WORK = replace(WORKS[0], md5=hashlib.md5(BODY).hexdigest())
QUICK = (2, 0.3)


@pytest.fixture
def server(monkeypatch):
    """`server.work(path)`, as served at that path; `server.agents` of all requests."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    stop = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            http.agents.append(self.headers["User-Agent"])
            if self.path == "/404":
                return self.send_error(404)
            self.send_response(200)
            self.send_header("Content-Length", str(len(BODY)))
            self.end_headers()
            self.wfile.write({"/right": BODY, "/wrong": BODY[::-1]}.get(self.path, BODY[:1000]))
            if self.path == "/stall":
                stop.wait(20)
            return None

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        http.agents = []
        http.work = lambda path: replace(WORK, url=f"http://127.0.0.1:{http.server_port}/{path}")
        threading.Thread(target=http.serve_forever, daemon=True).start()
        yield http
        stop.set()
        http.shutdown()


def test_it_is_fetched_once_under_a_name_of_our_own(server, tmp_path):
    path = fetch(server.work("right"), tmp_path / "new")
    assert path == tmp_path / "new" / "monet_pourville.jpg" and path.read_bytes() == BODY
    assert fetch(server.work("404"), tmp_path / "new") == path
    assert server.agents == [commons.AGENT] and [p.name for p in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("404", "the server answered 404"),
        ("wrong", "the server sent another file"),
        ("truncated", "truncated: the connection closed before the end"),
        ("stall", "stalled: the server stopped sending"),
    ],
)
def test_what_goes_wrong_is_said_and_leaves_nothing(server, tmp_path, path, why):
    (tmp_path / "monet_pourville.jpg").write_bytes(b"what was there before")
    began = time.monotonic()
    with pytest.raises(NotFetched, match=re.escape(why)) as caught:
        fetch(server.work(path), tmp_path, QUICK)
    assert time.monotonic() - began < 5 and WORK.title in str(caught.value)
    (left,) = tmp_path.iterdir()
    assert left.read_bytes() == b"what was there before"


def test_without_a_network_it_says_so_once_and_goes_on(tmp_path, capsys):
    nobody = [replace(work, url="http://127.0.0.1:9/x.jpg") for work in WORKS]
    assert fetch_all(tmp_path, nobody) == []
    (line,) = capsys.readouterr().out.splitlines()
    assert "connection refused" in line and line.endswith("Going on with the pictures that are here.")


def test_with_one_the_credits_are_shown(server, tmp_path, capsys):
    works = [server.work("right"), replace(server.work("right"), name="other")]
    assert [path.name for path in fetch_all(tmp_path, works)] == ["monet_pourville.jpg", "other.jpg"]
    assert capsys.readouterr().out.splitlines() == [WORK.credit] * 2 and "Claude Monet" in WORK.credit


def test_the_pins_are_those_of_the_two_works():
    assert [work.md5 for work in WORKS] == ["8f6b8101b484f17cea92a12ad27be31d", "5b60cd1724395f7a0c21dc6dd006f8ae"]
    assert all(re.match(r"https://upload\.wikimedia\.org/wikipedia/commons/\w/\w\w/\S+\.jpg$", w.url) for w in WORKS)
