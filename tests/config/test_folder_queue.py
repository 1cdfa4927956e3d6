"""The embedded queue: no message is seen before it is whole, and none is handed out twice."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from queue import Empty
from typing import cast

import pytest
from kombu import Connection
from kombu.exceptions import ChannelError

from config.folder_queue import Channel, Transport


@pytest.fixture
def channel(tmp_path: Path) -> Iterator[Channel]:
    for name in ("messages", "control"):
        (tmp_path / name).mkdir()
    connection = Connection(
        transport=Transport,
        transport_options={
            "data_folder_in": str(tmp_path / "messages"),
            "data_folder_out": str(tmp_path / "messages"),
            "control_folder": str(tmp_path / "control"),
        },
    )
    yield cast(Channel, connection.channel())
    connection.release()


def test_settings_name_it() -> None:
    from config.celery import app

    with app.connection_for_write(url="filesystem://") as connection:
        assert connection.transport_cls == "filesystem"
        assert isinstance(connection.transport, Transport)


def test_messages_come_in_the_order_of_sending(channel: Channel) -> None:
    for number in range(20):
        channel._put("media", {"number": number})
    channel._put("mail", {"number": 99})
    assert [channel._get("media")["number"] for _ in range(20)] == list(range(20))
    with pytest.raises(Empty):
        channel._get("media")


def test_nothing_is_left_of_a_message_that_was_taken(channel: Channel, tmp_path: Path) -> None:
    channel._put("media", {"number": 1})
    channel._get("media")
    assert list((tmp_path / "messages").iterdir()) == []


def test_half_a_message_is_not_seen(channel: Channel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    rename = os.rename

    def look_before(source: Path, target: Path) -> None:
        # All of it is on the disk already, and still nobody finds it.
        assert source.read_text() == '{"number": 1}'
        with pytest.raises(Empty):
            channel._get("media")
        seen.append(1)
        rename(source, target)

    monkeypatch.setattr(os, "rename", look_before)
    channel._put("media", {"number": 1})
    monkeypatch.undo()
    assert seen == [1]
    assert channel._get("media") == {"number": 1}


def test_a_full_disk_is_an_error_and_leaves_nothing(
    channel: Channel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_paths: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "rename", refuse)
    with pytest.raises(ChannelError):
        channel._put("media", {"number": 1})
    assert list((tmp_path / "messages").iterdir()) == []


def test_four_readers_and_four_writers_lose_and_double_nothing(channel: Channel) -> None:
    taken: list[int] = []
    errors: list[BaseException] = []
    written = threading.Barrier(8)

    def write(first: int) -> None:
        written.wait()
        for number in range(first, first + 100):
            channel._put("media", {"number": number, "padding": "x" * 5000})

    def read() -> None:
        written.wait()
        misses = 0
        while misses < 200:
            try:
                taken.append(channel._get("media")["number"])
                misses = 0
            except Empty:
                misses += 1
                threading.Event().wait(0.005)
            except BaseException as error:
                errors.append(error)
                return

    threads = [threading.Thread(target=write, args=(100 * number,)) for number in range(4)]
    threads += [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert sorted(taken) == list(range(400))


def test_workers_that_start_together_keep_each_others_bindings(channel: Channel) -> None:
    barrier = threading.Barrier(8)

    def bind(number: int) -> None:
        barrier.wait()
        channel._queue_bind("work", f"key{number}", "", f"queue{number}")

    threads = [threading.Thread(target=bind, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {entry.queue for entry in channel.get_table("work")} == {f"queue{number}" for number in range(8)}
