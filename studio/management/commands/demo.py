"""The main job with sample data: one webinar from schedule to subtitled download, through the doors that users use."""

import os
import signal
import threading
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from rich.console import Console

from studio.demo import Demo, DemoFailed
from studio.management.commands.serve import prepare
from studio.supervisor import Supervisor, on_ending


class Command(BaseCommand):
    help = "Install the sample, run the whole chain for real, check the results, and keep serving."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--exit", action="store_true", help="stop after the job; status 0 only if all is right")

    def handle(self, *args: Any, port: int, **options: Any) -> None:
        console = Console(soft_wrap=True)
        began = time.monotonic()
        # The sample is small: with small parts the upload really arrives in several.
        os.environ.setdefault("UPLOAD_PART_BYTES", str(512 * 1024))
        os.environ["BASE_URL"] = settings.BASE_URL = f"http://localhost:{port}"
        console.print("[bold]Preparing the database and the pages[/bold]")
        prepare(verbosity=0)
        supervisor = Supervisor(port=port)
        console.print("[bold]Starting the web server, the workers and the scheduler[/bold]")
        on_ending(signal.default_int_handler)  # which raises KeyboardInterrupt
        try:
            supervisor.start()
            threading.Thread(target=supervisor.watch, daemon=True).start()
            demo = Demo(base_url=settings.BASE_URL, var_dir=Path(settings.VAR_DIR), console=console)
            demo.run()
            seconds = time.monotonic() - began
            console.print(f"\n[bold green]Everything worked[/bold green] ({seconds:.0f} s). Open:")
            demo.print_addresses()
            if not options["exit"]:
                console.print("\nServing until you press Ctrl-C. Later: `make run`.")
                threading.Event().wait()
        except KeyboardInterrupt:
            pass
        except DemoFailed as error:
            raise CommandError(f"{error}\nThe logs are in {supervisor.logs}.") from error
        finally:
            on_ending(signal.SIG_IGN)  # whoever is impatient must not leave half of them behind
            supervisor.stop()
