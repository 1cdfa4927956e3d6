"""A whole Rostrum for one measurement: private PostgreSQL and Redis, a folder of its own, real worker processes.

`settings_for` must be called, and its values be in the environment, before Django reads its settings.
"""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
CELERY = (sys.executable, "-m", "celery", "-A", "config")
QUIET = ("--loglevel", "WARNING", "--without-gossip", "--without-mingle", "--without-heartbeat")
QUEUES = "default,mail,bulk,media,speech"
REGISTRANT = "eleanor@example.org"


def settings_for(folder: Path, *, database_url: str, broker_url: str, part_s: int = 6, **more: str) -> dict[str, str]:
    """The environment of an installation in `folder`: local files, mails as files, short parts, leases of seconds."""
    ladder = folder / "ladder.toml"
    ladder.write_text(f"part_s = {part_s}\n")
    return {
        "MEDIA_LADDER": str(ladder),
        "VAR_DIR": str(folder),
        "DATABASE_URL": database_url,
        "BROKER_URL": broker_url,
        "ENVIRONMENT": "development",
        "SECRET_KEY": "only-for-measuring-" + "x" * 40,
        "S3_BUCKET": "",
        "EMAIL_URL": "eml://",
        "WORK_LEASE_S": "4",
        "WORK_HEARTBEAT_S": "1",
        "WORK_SWEEP_S": "1",
        "DJANGO_SETTINGS_MODULE": "config.settings",
        **more,
    }


class Worker:
    """A Celery worker that does one thing at a time, in a session of its own, so that all of it can be killed."""

    def __init__(self, name: str, folder: Path, *, queues: str = QUEUES) -> None:
        self.name, self.folder, self.queues = name, folder, queues
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._start(*CELERY, "worker", "-n", f"{self.name}@%h", "-Q", self.queues, "-c", "1", *QUIET)

    def _start(self, *command: str) -> None:
        with open(self.folder / f"{self.name}.log", "ab") as log:
            self.process = subprocess.Popen(
                command,
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def pids(self) -> set[int]:
        """This worker's processes, tools included that did not leave its session."""
        assert self.process is not None
        found = set()
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = stat.read_text().rpartition(")")[2].split()
            except OSError:
                continue  # it ended meanwhile
            if int(fields[3]) == self.process.pid:
                found.add(int(stat.parent.name))
        return found

    def kill(self) -> None:
        """SIGKILL all of it at once, as a power cut would."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def terminate(self) -> None:
        """Ask it to stop, as `systemctl stop` does, and wait."""
        if self.process is not None:
            self.process.terminate()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.kill()


class Scheduler(Worker):
    """Celery's beat: it asks for sweeps."""

    def __init__(self, folder: Path, name: str = "beat") -> None:
        super().__init__(name, folder)

    def start(self) -> None:
        schedule = str(self.folder / f"{self.name}-schedule")
        self._start(*CELERY, "beat", "--loglevel", "WARNING", "--pidfile", "", "--schedule", schedule)


@contextmanager
def running(*processes: Worker) -> Iterator[None]:
    """Start processes, and leave none of them behind."""
    try:
        for process in processes:
            process.start()
        yield
    finally:
        for process in processes:
            process.kill()


def start_production(source: Path, **options: Any) -> tuple[Any, str]:
    """Make a webinar with one registrant in an empty database, and begin to produce its recording.

    It is spoken in a language that no engine knows, so nothing is transcribed. Returns the production, and the SHA-256
    of the original. Django must be set up.
    """
    from django.core.management import call_command
    from django.utils import timezone

    import events.services
    import library.services
    import media.uploads
    import registration.services
    import studio.services
    from accounts.models import User
    from accounts.services import create_organisation

    call_command("migrate", verbosity=0, interactive=False)
    owner = User.objects.create_user(email="owner@example.org")
    organisation = create_organisation(name="Health Programme", slug="health", owner=owner)
    starts_at = timezone.now() + timedelta(hours=1)
    webinar = events.services.create_webinar(
        organisation=organisation,
        user=owner,
        title="Measured",
        starts_at=starts_at,
        ends_at=starts_at + timedelta(hours=1),
        time_zone="Europe/Brussels",
        spoken_language="bm",
    )
    webinar = events.services.publish_webinar(webinar=webinar, user=owner)
    registration.services.register(
        webinar=webinar, email=REGISTRANT, name="Eleanor", language="en", time_zone="UTC", consents=["privacy"]
    )
    asset = media.uploads.store_file(
        organisation=organisation, user=owner, path=source, purpose=f"recording:{webinar.pk}"
    )
    recording = library.services.create_recording(webinar=webinar, asset=asset, user=owner)
    production = studio.services.start_production(
        recording=recording,
        user=owner,
        spoken_language="bm",
        subtitle_languages=[],
        **{"publish_when_ready": True, **options},
    )
    return production, asset.sha256


def make_source(path: Path, seconds: int, *, size: str = "1280x720", clip_s: int = 60, is_10_bit: bool = False) -> None:
    """Bars with something that moves across them, and a tone: `clip_s` seconds, repeated without encoding.

    With ten bits per colour it cannot be copied for browsers, so every quality must be encoded.
    """
    clip_s = min(seconds, clip_s)
    bars = f"smptehdbars=size={size}:rate=25:duration={clip_s}"
    picture = f"{bars},drawbox=x='mod(t*80\\,1200)':w=80:h=80:t=fill"
    sound = f"sine=frequency=220:beep_factor=4:sample_rate=48000:duration={clip_s}"
    clip = path.with_name("clip.mp4")
    common = ["ffmpeg", "-nostdin", "-v", "error", "-y"]
    encode = ["-c:v", "libx264", "-preset", "ultrafast", "-crf", "30", "-g", "50", "-c:a", "aac"]
    encode += ["-pix_fmt", "yuv420p10le" if is_10_bit else "yuv420p"]
    subprocess.run([*common, "-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", sound, *encode, str(clip)], check=True)
    loops = str(max(0, -(-seconds // clip_s) - 1))
    looped = [*common, "-stream_loop", loops, "-i", str(clip), "-t", str(seconds), "-c", "copy", str(path)]
    subprocess.run(looped, check=True)
    clip.unlink()
