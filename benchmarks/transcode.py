"""What a recording costs from upload to all its qualities, beside five other systems in the same run.

    python -m benchmarks.transcode                     # slides, slides with speaker, camera; one core
    python -m benchmarks.transcode --cores 2 --seconds 60 --rounds 2
    python -m benchmarks.transcode --only hour         # first watchable of an hour, beside PeerTube
    python -m benchmarks.transcode --only parts memory

Sources are made first (benchmarks/sources.py). The others are their own ffmpeg commands (benchmarks/peers.py); ours are
the functions that workers call, from the inspection of the file to the check of the result, in a private installation
on SQLite. Everybody is pinned to the same cores; the order is reversed in every second round, and each one's round of
least CPU counts. Trust ratios: CPU is of whole process trees, without the start of Python, which workers do once.

VMAF (v0.6.1, each rendition scaled up to the source's size, every tenth picture of the time grid) needs an ffmpeg with
libvmaf: that of `pip install imageio-ffmpeg`, or the one named in QUALITY_FFMPEG. Without it, quality is left out.
"""

import argparse
import contextlib
import ctypes
import json
import os
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks import peers, sources

ROOT = Path(__file__).resolve().parent.parent
OURS = "Rostrum"
PARTS = ("ladder", "hour", "parts", "memory")
VMAF_EVERY = 10
MOST_WARMED = 4 * 1024**3
PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h
# CPU of ours, at most this share of Opencast's.
AIMS = {"slides": 0.20, "pip": 0.45, "camera": 0.60}


@dataclass
class Rendition:
    path: str
    height: int
    size: int
    is_copy: bool = False
    vmaf: float | None = None


@dataclass
class Result:
    """One system's work on one source. Seconds; bytes; kilobytes of the largest process."""

    name: str
    cpu_s: float = 0.0
    wall_s: float = 0.0
    first_s: float = 0.0
    rss_kb: int = 0
    renditions: list[Rendition] = field(default_factory=list)
    stages: dict[str, float] = field(default_factory=dict)

    @property
    def size(self) -> int:
        return sum(one.size for one in self.renditions)

    def at(self, height: int) -> Rendition | None:
        return next((one for one in self.renditions if one.height == height), None)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=60, help="of each source")
    parser.add_argument("--cores", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--sources", nargs="+", default=list(sources.MAKERS), choices=list(sources.MAKERS))
    parser.add_argument("--peers", nargs="*", default=list(peers.PEERS), choices=list(peers.PEERS))
    parser.add_argument("--only", nargs="+", default=["ladder"], choices=PARTS, help="what to measure")
    parser.add_argument("--ladder", default="", help="a table of encoding (MEDIA_LADDER) to measure with")
    parser.add_argument("--no-quality", action="store_true")
    parser.add_argument("--work", type=Path, help="a folder to keep sources and results in; else a temporary one")
    parser.add_argument("--json", type=Path, help="also write everything there")
    parser.add_argument("--ours", nargs=2, type=Path, help=argparse.SUPPRESS)  # the process that does our work
    options = parser.parse_args()
    if options.ours:
        print(json.dumps(asdict(_do_our_work(*options.ours, threads=options.cores))))
        return
    with contextlib.ExitStack() as stack:
        folder = options.work or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rostrum-transcode-")))
        folder.mkdir(parents=True, exist_ok=True)
        bench = Bench(folder, options)
        found: dict[str, Any] = {}
        for part in options.only:
            found[part] = getattr(bench, f"measure_{part}")()
        if options.json:
            options.json.write_text(json.dumps(found, indent=1, default=asdict))


class Bench:
    def __init__(self, folder: Path, options: argparse.Namespace) -> None:
        self.folder, self.options = folder.resolve(), options
        self.pin = ["taskset", "-c", ",".join(str(core) for core in range(options.cores))]
        self.environment = os.environ | {
            "VAR_DIR": str(self.folder / "var"),
            "DATABASE_URL": "",
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "MEDIA_LADDER": options.ladder and str(Path(options.ladder).resolve()),
            "LOG_LEVEL": "ERROR",
        }
        subprocess.run([sys.executable, "manage.py", "migrate", "-v", "0"], cwd=ROOT, env=self.environment, check=True)

    # --- What is measured ------------------------------------------------------------------------------------------

    def measure_ladder(self) -> dict[str, list[Result]]:
        return {name: self._compare(name) for name in self.options.sources}

    def measure_hour(self) -> dict[str, float]:
        """Seconds until an hour can be watched: ours, the copy by which PeerTube is quick, and until it shows that."""
        source = self._long(3600)
        ways = {"PeerTube's quick copy": peers.peertube_quick, "PeerTube until shown": peers.peertube_published}
        seconds: dict[str, list[float]] = {name: [] for name in (OURS, *ways)}
        for round_number in range(max(2, self.options.rounds)):
            turns = list(seconds)
            for name in turns if round_number % 2 == 0 else reversed(turns):
                one = self._ours(source, "look") if name == OURS else self._peer(name, ways[name], source)
                seconds[name].append(one.first_s)
        best = {name: min(tries) for name, tries in seconds.items()}
        print(f"\nFirst watchable of an hour ({source.path.stat().st_size / 1e6:.0f} MB, H.264), best of "
              f"{max(2, self.options.rounds)}, {self.options.cores} core(s)")  # fmt: skip
        for name, best_s in best.items():
            print(f"  {name:24s} {best_s:6.2f} s  (median {statistics.median(seconds[name]):.2f})")
        return best

    def measure_parts(self) -> dict[str, float]:
        """CPU of encoding in parts of the table's length against one process for everything."""
        source = self._long(max(480, 4 * self.options.seconds))
        whole, parts = self._ours(source, "whole"), self._ours(source, "parts")
        overhead = parts.stages["encode"] / whole.stages["encode"] - 1
        print(f"\nParts against one process ({source.path.name}): {parts.stages['encode']:.1f} s CPU against "
              f"{whole.stages['encode']:.1f} s: {overhead:+.1%} (aim: at most +10%)")  # fmt: skip
        return {"parts": parts.stages["encode"], "whole": whole.stages["encode"], "overhead": overhead}

    def measure_memory(self) -> dict[str, float]:
        """Peak memory of Python and of the tools for 10 minutes and 3 hours, without the encoding itself."""
        found: dict[str, float] = {}
        for minutes in (10, 180):
            result = self._ours(self._long(60 * minutes), "light")
            found[f"worker_{minutes}min_mb"] = result.stages["worker_kb"] / 1024
            found[f"tools_{minutes}min_mb"] = result.rss_kb / 1024
        print("\nPeak memory, MB (aims: worker flat; ffmpeg below 700 at 1080p, see the table above)")
        for name, value in found.items():
            print(f"  {name:20s} {value:6.0f}")
        return found

    # --- How -------------------------------------------------------------------------------------------------------

    def _compare(self, name: str) -> list[Result]:
        source = self._source(name)
        systems = [OURS, *self.options.peers]
        best: dict[str, Result] = {}
        for round_number in range(self.options.rounds):
            for system in systems if round_number % 2 == 0 else reversed(systems):
                result = (
                    self._ours(source, "all") if system == OURS else self._peer(system, peers.PEERS[system], source)
                )
                if system not in best or result.cpu_s < best[system].cpu_s:
                    best[system] = result
        results = [best[system] for system in systems]
        if not self.options.no_quality:
            _add_quality(results, source)
        self._print(name, source, results)
        return results

    def _source(self, name: str) -> peers.Source:
        path = self.folder / f"{name}-{self.options.seconds}.mp4"
        if not path.exists():
            sources.MAKERS[name](path, self.options.seconds)
        return peers.Source(path, 720 if name == "camera" else 1080, 25)

    def _long(self, seconds: int) -> peers.Source:
        short = self._source(self.options.sources[0])
        path = self.folder / f"{self.options.sources[0]}-{seconds}.mp4"
        if not path.exists():
            sources.make_long(path, short.path, seconds)
        return peers.Source(path, short.height, short.rate)

    def _out(self, system: str, source: peers.Source) -> Path:
        folder = self.folder / f"{source.path.stem}-{system.replace(' ', '-')}"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        return folder

    def _peer(self, system: str, steps_of: Any, source: peers.Source) -> Result:
        folder = self._out(system, source)
        _settle(folder, source.path.stat().st_size)
        result = Result(system)
        for step in steps_of(source, folder):
            began = time.monotonic()
            process = subprocess.Popen([*self.pin, *step.command], cwd=folder, stdout=subprocess.DEVNULL)
            _pid, status, usage = os.wait4(process.pid, 0)
            if status:
                raise SystemExit(f"{system}: {step.name} failed: {' '.join(step.command)}")
            result.wall_s += time.monotonic() - began
            result.cpu_s += usage.ru_utime + usage.ru_stime
            result.rss_kb = max(result.rss_kb, usage.ru_maxrss)
            if step.is_first and not result.first_s:
                result.first_s = result.wall_s
        for path in sorted(folder.glob("[!_]*")):
            if path.suffix in (".mp4", ".ts"):
                result.renditions.append(Rendition(str(path), _height(path), path.stat().st_size))
        return result

    def _ours(self, source: peers.Source, mode: str) -> Result:
        folder = self._out(OURS, source)
        command = [*self.pin, sys.executable, "-m", "benchmarks.transcode", "--cores", str(self.options.cores)]
        command += ["--ours", str(source.path), str(folder)]
        environment = self.environment | {"ROSTRUM_BENCHMARK": mode}
        said = subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True).stdout
        data = json.loads(said.splitlines()[-1])
        return Result(**data | {"renditions": [Rendition(**one) for one in data["renditions"]]})

    def _print(self, name: str, source: peers.Source, results: Sequence[Result]) -> None:
        base = next((one for one in results if one.name == "Opencast"), results[0])
        ours = results[0]
        print(f"\n{name}: {source.height}p, {self.options.seconds} s, {source.path.stat().st_size / 1e6:.1f} MB; "
              f"{self.options.cores} core(s), {self.options.rounds} round(s)")  # fmt: skip
        print(f"  {'':12s} {'CPU s':>7s} {'of base':>7s} {'wall s':>7s} {'first s':>7s} {'MB':>6s} {'RSS MB':>6s}")
        for one in results:
            print(f"  {one.name:12s} {one.cpu_s:7.1f} {one.cpu_s / base.cpu_s:7.2f} {one.wall_s:7.1f} "
                  f"{one.first_s:7.2f} {one.size / 1e6:6.1f} {one.rss_kb / 1024:6.0f}")  # fmt: skip
            for row in sorted(one.renditions, key=lambda row: -row.height):
                rate = f"{row.size * 8 / self.options.seconds / 1000:6.0f} kbit/s"
                quality = "" if row.vmaf is None else f"  VMAF {row.vmaf:5.1f}"
                print(f"      {row.height:5d}p {rate}{quality}{'  copy' if row.is_copy else ''}")
        print("  ours: " + ", ".join(f"{stage} {seconds:.1f}" for stage, seconds in ours.stages.items()))
        for line in _verdicts(name, results):
            print(f"  {line}")


def _verdicts(name: str, results: Sequence[Result]) -> Iterator[str]:
    """Our figures against what we aim at."""
    by_name = {one.name: one for one in results}
    ours, opencast, peertube = results[0], by_name.get("Opencast"), by_name.get("PeerTube")

    def line(text: str, value: float, aim: float, *, at_least: bool = False) -> str:
        holds = value >= aim if at_least else value <= aim
        return f"{'ok  ' if holds else 'MISS'} {text}: {value:.2f} (aim {'>=' if at_least else '<='} {aim:.2f})"

    if opencast:
        yield line("CPU of Opencast's", ours.cpu_s / opencast.cpu_s, AIMS[name])
    if peertube:
        yield line("CPU of PeerTube's", ours.cpu_s / peertube.cpu_s, 0.5)
    for one in results[1:]:
        if one.name != "PeerTube":  # its quick copy is measured with the hour
            yield line(f"first watchable of {one.name}'s", ours.first_s / one.first_s, 1 / 12)
    for row in ours.renditions:
        beside = [(other.name, found) for other in results[1:] if (found := other.at(row.height))]
        base = dict(beside).get("Opencast")
        if base and not row.is_copy:
            yield line(f"bytes of Opencast's at {row.height}p", row.size / base.size, 0.75)
        best = max(((found.vmaf, who) for who, found in beside if found.vmaf is not None), default=None)
        if best and row.vmaf is not None:
            yield line(f"VMAF at {row.height}p, best is {best[1]}", row.vmaf, best[0] - 1, at_least=True)


# --- Our work, in a process of its own -----------------------------------------------------------------------------


def _do_our_work(path: Path, folder: Path, *, threads: int) -> Result:
    """Do what workers do with an upload that is complete, and say what each stage cost."""
    import django

    django.setup()
    from django.core.files.storage import default_storage

    from media import services
    from media.models import Asset, RenditionKind

    mode = os.environ["ROSTRUM_BENCHMARK"]
    _adopt_orphans()
    _check_accounting(path, folder)
    asset = _asset_of(path)
    result = Result(OURS)
    _settle(folder, path.stat().st_size)
    began, cpu_before = time.monotonic(), _cpu()

    @contextlib.contextmanager
    def stage(name: str) -> Iterator[None]:
        before = _cpu()
        yield
        result.stages[name] = result.stages.get(name, 0) + _cpu() - before

    with stage("inspect"):
        services.inspect_source(asset=asset, workdir=folder)
        package = services.start_package(asset=asset)
    with stage("first look"):
        services.make_first_look(package=package, workdir=folder)
    result.first_s = time.monotonic() - began
    if mode in ("all", "parts", "whole"):
        parts = services.plan_encode_parts(package=package)
        if mode == "whole":
            parts = [{**parts[0], "end": parts[-1]["end"]}]

        def encode(part: dict[str, Any]) -> dict[str, Any]:
            return services.encode_part(package=package, part=part, workdir=folder)

        with stage("encode"), ThreadPoolExecutor(threads) as pool:
            encoded = list(pool.map(encode, parts))
        if encoded and mode != "whole":
            with stage("join"):
                services.join_parts(package=package, results=encoded, workdir=folder)
    if mode in ("all", "light"):
        with stage("sound"):
            services.make_audio(package=package, workdir=folder)
    if mode == "all":
        with stage("check"):
            services.check_package(package=package, workdir=folder)
    result.wall_s, result.cpu_s = time.monotonic() - began, _cpu() - cpu_before
    result.rss_kb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    if mode == "light":
        result.stages["worker_kb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    copied = _copied_name(package)
    for row in package.renditions.filter(kind=RenditionKind.VIDEO) if mode == "all" else ():
        kept = folder / f"{row.name}.mp4"
        shutil.copyfile(default_storage.path(row.key), kept)
        height = min(row.width or 0, row.height or 0)
        result.renditions.append(Rendition(str(kept), height, row.size, is_copy=row.name == copied))
    Asset.objects.filter(pk=asset.pk).update(current_package=None)
    services.delete_asset(asset=asset)
    return result


def _settle(folder: Path, size: int) -> None:
    """Give everybody the same machine: no earlier bytes on their way to the disk, and memory for a copy of the source.

    A virtual machine may give free memory back to its host, and then pays for the first use of every page. What a file
    that is deleted at once leaves behind is free memory that was used, and nobody's peak.
    """
    os.sync()
    with tempfile.TemporaryFile(dir=folder) as file:
        for _megabyte in range(min(2 * size, MOST_WARMED) // 1024**2):
            file.write(bytes(1024**2))


def _asset_of(path: Path) -> Any:
    """Take a file in as a finished upload would: stored, not yet looked into."""
    from django.core.files import File
    from django.core.files.storage import default_storage

    from accounts.models import Organisation
    from media.models import Asset

    organisation, _created = Organisation.objects.get_or_create(name="Benchmark", slug="benchmark")
    with path.open("rb") as file:
        key = default_storage.save(f"sources/{os.getpid()}-{path.name}", File(file))
    return Asset.objects.create(
        organisation=organisation, file_name=path.name, source_key=key, size=path.stat().st_size, sha256="0" * 64
    )


def _copied_name(package: Any) -> str:
    from media.services.plans import plan_of

    copied = plan_of(package)[1].copied
    return copied.name if copied else ""


def _adopt_orphans() -> None:
    """Become the parent of what a tool leaves behind.

    bubblewrap ends before the first process of its namespace does, and what that one used, the tool itself included,
    would be counted with process 1: three quarters of our work would be missing from the table.
    """
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "cannot adopt orphans, so CPU cannot be counted")


def _check_accounting(path: Path, folder: Path) -> None:
    """Compare what is counted with what ffmpeg says of itself, behind the sandbox.

    Raises:
        SystemExit: they differ, so no figure of ours would be true.
    """
    import sandbox

    before = _cpu()
    with tempfile.TemporaryDirectory(dir=folder) as name:
        command = ["ffmpeg", "-nostdin", "-benchmark", "-v", "info", "-t", "5", "-i", "file:in/source", "-an"]
        result = sandbox.run(
            [*command, "-f", "null", "-"],
            inputs={"source": path},
            output_dir=Path(name),
            limits=sandbox.Limits(wall_s=600),
        )
    counted = _cpu() - before
    said = sum(float(value) for value in re.findall(r"[us]time=([\d.]+)s", result.stderr_tail))
    if not said or counted < 0.95 * said:
        raise SystemExit(f"CPU is not counted whole: {counted:.2f} s of {said:.2f} s")


def _cpu() -> float:
    """Seconds of this process and of all its descendants, of which none may be at work."""
    with contextlib.suppress(ChildProcessError):  # there is none left
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            if os.waitpid(-1, os.WNOHANG) == (0, 0):
                time.sleep(0.005)
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in used)


# --- Quality -------------------------------------------------------------------------------------------------------


def _add_quality(results: Sequence[Result], source: peers.Source) -> None:
    tool = _quality_tool()
    if not tool:
        print("VMAF is left out: `pip install imageio-ffmpeg` brings an ffmpeg that can measure it.")
        return
    heights = {row.height for row in results[0].renditions}  # nothing is compared with the others' lesser ones
    for result in results:
        for row in result.renditions:
            if row.height in heights:
                row.vmaf = _vmaf(tool, Path(row.path), source.path)


def _quality_tool() -> str:
    if named := os.environ.get("QUALITY_FFMPEG"):
        return named
    try:
        import imageio_ffmpeg  # optional
    except ImportError:
        return ""
    return str(imageio_ffmpeg.get_ffmpeg_exe())


def _vmaf(tool: str, path: Path, source: Path) -> float:
    width, height = _size(source)
    # On the time grid, so that repeated pictures count as a viewer sees them. All with one description of colours:
    # where a file says how its colours are coded and the source does not, ffmpeg would convert one of them.
    grid = f"setpts=PTS-STARTPTS,fps=25,select='not(mod(n-3\\,{VMAF_EVERY}))',format=yuv420p"
    grid += ",setparams=range=tv:colorspace=bt709:color_primaries=bt709:color_trc=bt709"
    with tempfile.NamedTemporaryFile(suffix=".json") as log:
        graph = (
            f"[0:v]{grid},scale={width}:{height}:flags=bicubic,settb=1/25,setpts=N[a];"
            f"[1:v]{grid},settb=1/25,setpts=N[b];[a][b]libvmaf=log_path={log.name}:log_fmt=json:n_threads=2"
        )
        command = [tool, "-nostdin", "-v", "error", "-i", str(path), "-i", str(source), "-lavfi", graph]
        subprocess.run([*command, "-f", "null", "-"], check=True)
        return float(json.loads(Path(log.name).read_text())["pooled_metrics"]["vmaf"]["mean"])


def _height(path: Path) -> int:
    return _size(path)[1]


def _size(path: Path) -> tuple[int, int]:
    command = ["ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries", "stream=width,height"]
    said = subprocess.run([*command, "-of", "csv=p=0", path], check=True, capture_output=True, text=True).stdout
    # Of a transport stream, everything is said once for its programme too.
    width, height = said.split()[0].strip(",").split(",")[:2]
    return int(width), int(height)


if __name__ == "__main__":
    main()
