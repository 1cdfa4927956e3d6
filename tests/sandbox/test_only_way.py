"""There is one way to start a tool, and every argument list for a hostile file goes through it (promises S2, S5)."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OURS = (
    *("config", "work", "accounts", "events", "media", "notifications", "transcripts", "registration", "library"),
    *("studio", "sandbox"),
)
# Our own processes, and questions to the system's programs that name no file of anybody's.
MAY_START_PROCESSES = {
    "sandbox/runner.py": "the one way",
    "sandbox/confinement.py": "asks bubblewrap whether it works",
    "studio/supervisor.py": "web server, workers, scheduler",
    "events/doctor.py": "asks fontconfig which scripts have a font",
    "registration/doctor.py": "asks fontconfig whether the fonts of documents are there",
}
MAY_USE_THE_SANDBOX = {
    "media/ffmpeg/runner.py": "ffmpeg and ffprobe, with allow-lists",
    "media/doctor.py": "asks tools for their version; no file",
    "events/slides.py": "office and PDF tools",
    "media/services/posters.py": "our own program that opens pictures",
}
SENDERS = {"apply_async", "send_task", "signature", "subtask", "s", "si"}
STARTERS = {"subprocess", "pty", "pexpect", "sh"}
OS_STARTERS = ("system", "popen", "exec", "spawn", "posix_spawn", "fork")


def modules() -> Iterator[tuple[str, ast.Module]]:
    for app in OURS:
        for path in sorted((ROOT / app).rglob("*.py")):
            yield str(path.relative_to(ROOT)), ast.parse(path.read_text())


def starts_processes(tree: ast.Module) -> bool:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import) and STARTERS & {name.name.partition(".")[0] for name in node.names}:
            return True
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in STARTERS:
            return True
        if (
            isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id in ("os", "asyncio")
            and node.attr.startswith((*OS_STARTERS, "create_subprocess"))
        ):
            return True
    return False


def runs_in_the_sandbox(tree: ast.Module) -> bool:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "sandbox.run":
            return True
        if isinstance(node, ast.ImportFrom) and node.module == "sandbox" and "run" in {n.name for n in node.names}:
            return True
    return False


def test_only_the_sandbox_starts_tools() -> None:
    found = {name for name, tree in modules() if starts_processes(tree)}
    assert found == set(MAY_START_PROCESSES)


def test_only_known_modules_use_the_sandbox() -> None:
    found = {name for name, tree in modules() if runs_in_the_sandbox(tree) and not name.startswith("sandbox/")}
    assert found <= set(MAY_USE_THE_SANDBOX)


def test_no_command_is_a_text_for_a_shell() -> None:
    for name, tree in modules():
        for node in ast.walk(tree):
            if isinstance(node, ast.keyword) and node.arg == "shell":
                pytest.fail(f"{name}:{node.value.lineno} names a shell")


def test_nothing_waits_for_others_through_the_queue() -> None:
    """No chord, group, chain or result backend: "all parts done" is counted in the database (promise J8)."""
    forbidden = {"chord", "group", "chain", "chunks", "AsyncResult", "GroupResult", "ResultSet"}
    for name, tree in modules():
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "celery":
                assert not forbidden & {alias.name for alias in node.names}, name
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "celery":
                assert node.attr not in forbidden, name
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in SENDERS:
                assert not {keyword.arg for keyword in node.keywords} & {"link", "link_error", "chord"}, name


def test_results_of_tasks_are_kept_nowhere() -> None:
    from config.celery import app

    assert app.conf.task_ignore_result is True
    assert app.conf.result_backend is None
