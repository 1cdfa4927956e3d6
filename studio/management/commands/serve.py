"""Everything a small installation needs, in one command."""

import contextlib
import threading
from argparse import ArgumentParser
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand

from studio.supervisor import Supervisor, on_ending


class Command(BaseCommand):
    help = "Run the web server, the workers and the scheduler, and start again what dies."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--host", default="127.0.0.1")

    def handle(self, *args: Any, port: int, host: str, **options: Any) -> None:
        prepare(verbosity=0)
        supervisor = Supervisor(port=port, host=host)
        done = threading.Event()
        on_ending(lambda *_args: done.set())
        supervisor.start()
        threading.Thread(target=supervisor.watch, daemon=True).start()
        self.stdout.write(f"Serving on http://{host}:{port}/ ; logs are in {supervisor.logs}. Stop with Ctrl-C.")
        done.wait()
        with contextlib.suppress(OSError):  # the terminal may be what has ended
            self.stdout.write("Stopping: work in progress is handed back and continues at the next start.")
        supervisor.stop()


def prepare(*, verbosity: int) -> None:
    """Bring the database up to date and collect the static files."""
    call_command("migrate", verbosity=verbosity, interactive=False)
    call_command("collectstatic", verbosity=verbosity, interactive=False)
