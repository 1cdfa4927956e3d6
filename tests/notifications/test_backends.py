"""Mails as files, for machines without a mail server."""

import email
import email.policy
import threading
from pathlib import Path

from django.core.mail import EmailMessage
from pytest_django import Settings

from notifications.backends import EmlFileBackend


def test_each_mail_is_one_complete_file(tmp_path: Path, settings: Settings) -> None:
    settings.EMAIL_FILE_PATH = str(tmp_path / "mail")

    def send(number: int) -> None:
        EmlFileBackend().send_messages([EmailMessage(f"Number {number}", "Grüße", to=["a@example.org"])])

    threads = [threading.Thread(target=send, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    files = list((tmp_path / "mail").iterdir())
    assert {file.suffix for file in files} == {".eml"}
    subjects = {email.message_from_bytes(file.read_bytes(), policy=email.policy.default)["Subject"] for file in files}
    assert subjects == {f"Number {number}" for number in range(20)}
