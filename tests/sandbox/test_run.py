"""The sandbox with real, small, misbehaving tools."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import sandbox
from sandbox import LimitExceeded, Limits, Stopped, ToolFailed, ToolMissing, confinement

QUICK = Limits(wall_s=20, memory_bytes=1024**3)


@pytest.fixture(params=["strong", "weak"])
def any_level(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    """Both levels: bubblewrap present (it must be, on a machine that runs the tests), and hidden."""
    if request.param == "weak":
        (tmp_path / "empty").mkdir()
        monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    sandbox.level.cache_clear()
    assert sandbox.level() == request.param
    yield request.param
    sandbox.level.cache_clear()


def python(code: str) -> list[str]:
    return [sys.executable, "-I", "-c", code]


def run_python(code: str, folder: Path, limits: Limits = QUICK, **kwargs: object) -> sandbox.Result:
    return sandbox.run(
        python(code),
        inputs=kwargs.pop("inputs", {}),  # type: ignore[arg-type]  # tests pass what run() takes
        output_dir=folder,
        limits=limits,
        readable=sandbox.python_runtime(),
        **kwargs,  # type: ignore[arg-type]  # the same
    )


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


def test_tool_reads_its_input_and_writes_its_output(any_level: str, out: Path, tmp_path: Path) -> None:
    (tmp_path / "name with $(x) 'quotes'").write_bytes(b"content")
    result = sandbox.run(
        ["cp", "in/source", "out/copy"],
        inputs={"source": tmp_path / "name with $(x) 'quotes'"},
        output_dir=out,
        limits=QUICK,
    )
    assert (out / "copy").read_bytes() == b"content"
    assert (result.stdout, result.stderr_tail) == (b"", "")


def test_stdin_and_stdout_are_passed_through(any_level: str, out: Path) -> None:
    data = os.urandom(300_000)
    result = sandbox.run(["cat"], inputs={}, output_dir=out, limits=QUICK, stdin=data)
    assert result.stdout == data


def test_lines_are_given_one_by_one(any_level: str, out: Path) -> None:
    lines: list[str] = []
    result = sandbox.run(["printf", "a\\nb\\nc"], inputs={}, output_dir=out, limits=QUICK, on_line=lines.append)
    assert lines == ["a", "b", "c"]
    assert result.stdout == b""


def test_environment_holds_no_secret(any_level: str, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "canary-of-this-test")
    result = sandbox.run(["env"], inputs={}, output_dir=out, limits=QUICK)
    names = {line.split(b"=")[0].decode() for line in result.stdout.splitlines()}
    assert names - {"PWD"} == {"PATH", "LANG", "HOME", "TMPDIR", "MALLOC_ARENA_MAX", "SANDBOX_RUN"}
    assert b"canary-of-this-test" not in result.stdout


def test_input_cannot_be_changed(out: Path, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_text("original")
    with pytest.raises(ToolFailed):
        run_python("open('in/source', 'w').write('changed')", out, inputs={"source": source})
    assert source.read_text() == "original"


def test_other_files_cannot_be_read(out: Path, tmp_path: Path) -> None:
    secret = tmp_path / "neighbour"
    secret.write_text("canary")
    for path in (secret, Path("/etc/passwd"), Path(__file__), Path("/proc/1/environ")):
        assert path.exists()
        code = (
            f"try: data = open({str(path)!r}).read()\n"
            "except OSError: data = ''\n"
            "print('canary' in data, 'root:' in data, len(data) > 400)"
        )
        result = run_python(code, out)
        assert result.stdout.split() == [b"False", b"False", b"False"]


def test_nothing_but_the_output_folder_can_be_written(out: Path) -> None:
    result = run_python(
        "import os\n"
        "for path in ('/x', '/dev/x', '/job/x', '/job/in/x', '/usr/x', '/etc/x', 'out/x'):\n"
        "    try: open(path, 'w'); print(path)\n"
        "    except OSError: pass",
        out,
    )
    assert result.stdout.split() == [b"out/x"]


def test_there_is_no_network(out: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        port = server.getsockname()[1]
        with pytest.raises(ToolFailed):
            run_python(f"import socket; socket.create_connection(('127.0.0.1', {port}), 2)", out)
        with pytest.raises(BlockingIOError):
            server.accept()


def test_processes_outside_are_not_seen(out: Path) -> None:
    result = run_python("import os; print(len([name for name in os.listdir('/proc') if name.isdigit()]))", out)
    assert int(result.stdout) <= 3


def test_tool_runs_without_rights(out: Path) -> None:
    status = run_python("print(open('/proc/self/status').read())", out).stdout.decode()
    assert "CapEff:\t0000000000000000" in status
    assert "NoNewPrivs:\t1" in status


def test_wall_time_is_limited(any_level: str, out: Path) -> None:
    with pytest.raises(LimitExceeded) as caught:
        sandbox.run(["sleep", "60"], inputs={}, output_dir=out, limits=Limits(wall_s=0.5))
    assert caught.value.which == "wall"


def test_wall_time_is_limited_for_a_tool_that_closed_its_pipes(any_level: str, out: Path) -> None:
    code = "import os, time; os.close(1); os.close(2); time.sleep(60)"
    with pytest.raises(LimitExceeded) as caught:
        run_python(code, out, Limits(wall_s=1))
    assert caught.value.which == "wall"


def test_cpu_time_is_limited(any_level: str, out: Path) -> None:
    with pytest.raises(LimitExceeded) as caught:
        run_python("while True: pass", out, Limits(wall_s=20, cpu_s=1))
    assert caught.value.which == "cpu"


def test_memory_is_limited(any_level: str, out: Path) -> None:
    with pytest.raises(LimitExceeded) as caught:
        run_python("x = bytearray(900_000_000)", out, Limits(wall_s=20, memory_bytes=300 * 1024**2))
    assert caught.value.which == "memory"


def test_size_of_a_file_is_limited(any_level: str, out: Path) -> None:
    with pytest.raises(LimitExceeded) as caught:
        sandbox.run(
            ["dd", "if=/dev/zero", "of=out/big", "bs=1M", "count=50"],
            inputs={},
            output_dir=out,
            limits=Limits(wall_s=20, output_bytes=1024**2),
        )
    assert caught.value.which == "output"


def test_size_of_all_files_is_limited(any_level: str, out: Path) -> None:
    code = (
        "import time\nfor number in range(40):\n    open(f'out/{number}', 'wb').write(bytes(100_000)); time.sleep(0.1)"
    )
    with pytest.raises(LimitExceeded) as caught:
        run_python(code, out, Limits(wall_s=20, output_bytes=500_000))
    assert caught.value.which == "output"


def test_standard_output_is_limited(any_level: str, out: Path) -> None:
    with pytest.raises(LimitExceeded) as caught:
        sandbox.run(["yes"], inputs={}, output_dir=out, limits=Limits(wall_s=20, stdout_bytes=100_000))
    assert caught.value.which == "stdout"


def test_number_of_processes_is_limited_and_none_remains(any_level: str, out: Path) -> None:
    code = (
        "import os, time\n"
        "for _ in range(40):\n"
        "    if os.fork() == 0:\n"
        "        os.setsid(); time.sleep(123.25)\n"
        "        os._exit(0)\n"
        "time.sleep(60)"
    )
    with pytest.raises(LimitExceeded) as caught:
        run_python(code, out, Limits(wall_s=20, processes=10))
    assert caught.value.which == "processes"
    assert living_with(b"123.25") == []


def test_stopping_kills_the_tool_and_its_detached_children(any_level: str, out: Path) -> None:
    code = "import subprocess, time\nsubprocess.Popen(['sleep', '123.5'], start_new_session=True)\ntime.sleep(60)"
    began = time.monotonic()
    with pytest.raises(Stopped):
        run_python(code, out, should_stop=lambda: time.monotonic() - began > 0.7)
    assert time.monotonic() - began < 5
    assert living_with(b"123.5") == []


def test_an_error_in_the_line_callback_ends_the_tool(any_level: str, out: Path) -> None:
    def refuse(line: str) -> None:
        raise ZeroDivisionError(line)

    with pytest.raises(ZeroDivisionError):
        run_python("import time; print('x', flush=True); time.sleep(123.75)", out, on_line=refuse)
    assert living_with(b"123.75") == []


def test_death_of_the_worker_is_the_death_of_the_tool(any_level: str, out: Path) -> None:
    code = (
        "import sandbox, pathlib\n"
        "print('go', flush=True)\n"
        f"sandbox.run(['sleep', '124.25'], inputs={{}}, output_dir=pathlib.Path({str(out)!r}), limits=sandbox.Limits())"
    )
    worker = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, cwd=Path(__file__).parents[2])
    wait_until(lambda: len(living_with(b"sleep\x00124.25")) > 0)
    worker.kill()
    worker.communicate()
    wait_until(lambda: living_with(b"sleep\x00124.25") == [])


def test_failure_keeps_status_and_last_words(any_level: str, out: Path) -> None:
    with pytest.raises(ToolFailed) as caught:
        run_python("import sys; sys.stderr.write('line\\n' * 5000 + 'last words\\n'); sys.exit(7)", out)
    assert caught.value.returncode == 7
    assert caught.value.stderr_tail.endswith("last words\n")
    assert len(caught.value.stderr_tail) <= 8000


def test_a_full_disk_is_told_apart(any_level: str, out: Path) -> None:
    with pytest.raises(ToolFailed) as caught:
        sandbox.run(["dd", "if=/dev/zero", "of=/dev/full", "count=1"], inputs={}, output_dir=out, limits=QUICK)
    assert caught.value.is_disk_full


def test_missing_tool_is_named(any_level: str, out: Path) -> None:
    with pytest.raises(ToolMissing) as caught:
        sandbox.run(["no-such-tool-here"], inputs={}, output_dir=out, limits=QUICK)
    assert caught.value.tool == "no-such-tool-here"


@pytest.mark.parametrize("name", ["", "..", "a/b", "/etc/passwd"])
def test_input_names_are_plain(name: str, out: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="plain name"):
        sandbox.run(["true"], inputs={name: tmp_path}, output_dir=out, limits=QUICK)


def test_only_programs_of_the_system_are_found() -> None:
    with pytest.raises(ToolMissing):
        confinement.find_tool("pytest")


def living_with(words: bytes) -> list[int]:
    """Return processes whose command line holds these words, this test's own excepted."""
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit() and int(name) != os.getpid():
            try:
                command = Path(f"/proc/{name}/cmdline").read_bytes()
            except OSError:
                continue
            if words in command and b"pytest" not in command:
                found.append(int(name))
    return found


def wait_until(condition: object, limit_s: float = 10) -> None:
    deadline = time.monotonic() + limit_s
    while not condition():  # type: ignore[operator]  # any callable
        assert time.monotonic() < deadline
        time.sleep(0.05)
