"""A private IMAP server (Dovecot) for a test: TLS with a certificate of its own, one mailbox, nothing kept."""

import imaplib
import os
import pwd
import shutil
import socket
import ssl
import subprocess
import tempfile
import time
from pathlib import Path

USER, PASSWORD = "bounces@rostrum.example", "open:sesame/1"
_CONFIGURATION = """
protocols = imap
base_dir = {folder}/base
state_dir = {folder}/state
log_path = {folder}/log
ssl = required
ssl_cert = <{folder}/cert.pem
ssl_key = <{folder}/key.pem
default_internal_user = {user}
default_login_user = {user}
default_internal_group = {group}
listen = 127.0.0.1
auth_failure_delay = 0
mail_location = maildir:{folder}/mail
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {starttls_port}
  }}
  inet_listener imaps {{
    port = {port}
  }}
}}
service anvil {{
  chroot =
}}
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}/home
}}
"""


class ImapServer:
    """`start` makes it answer at localhost:`port`, and with STARTTLS at `starttls_port`; `certificate` is its own."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="rostrum-imap-"))
        self.certificate = self.folder / "cert.pem"
        with socket.socket() as one, socket.socket() as other:
            for probe in (one, other):
                probe.bind(("127.0.0.1", 0))
            self.port, self.starttls_port = (int(probe.getsockname()[1]) for probe in (one, other))
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        server = shutil.which("dovecot") or shutil.which("dovecot", path="/usr/sbin")
        if server is None:
            raise RuntimeError("Dovecot is missing: run `make setup-test`, which installs it.")
        # Its parts refuse to run as root.
        is_root = os.geteuid() == 0
        owner = pwd.getpwnam("nobody") if is_root else pwd.getpwuid(os.geteuid())
        make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
        make += ["-addext", "subjectAltName=DNS:localhost", "-keyout", "key.pem", "-out", "cert.pem"]
        subprocess.run(make, cwd=self.folder, check=True, capture_output=True)
        group = subprocess.run(["id", "-gn", owner.pw_name], check=True, capture_output=True, text=True).stdout.strip()
        values = {"user": owner.pw_name, "group": group, "uid": owner.pw_uid, "gid": owner.pw_gid}
        ports = {"port": self.port, "starttls_port": self.starttls_port}
        text = _CONFIGURATION.format(folder=self.folder, password=PASSWORD, **ports, **values)
        (self.folder / "dovecot.conf").write_text(text)
        if is_root:
            for path in (self.folder, *self.folder.iterdir()):
                os.chown(path, owner.pw_uid, owner.pw_gid)
        command = ["runuser", "-u", owner.pw_name, "--"] if is_root else []
        with (self.folder / "out").open("wb") as out:
            self._process = subprocess.Popen(
                [*command, server, "-F", "-c", str(self.folder / "dovecot.conf")], stdout=out, stderr=out, cwd="/"
            )
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            try:
                self.box().logout()
            except OSError:
                time.sleep(0.1)
            else:
                return
        raise RuntimeError(f"Dovecot did not start: {(self.folder / 'out').read_text()}")

    def stop(self) -> None:
        if self._process is not None:
            pid = self.folder / "base" / "master.pid"
            if pid.exists():
                os.kill(int(pid.read_text()), 15)
            self._process.wait(20)
        shutil.rmtree(self.folder, ignore_errors=True)

    def box(self) -> imaplib.IMAP4_SSL:
        """A connection of the test's own, with the mailbox open."""
        context = ssl.create_default_context(cafile=str(self.certificate))
        box = imaplib.IMAP4_SSL("localhost", self.port, ssl_context=context, timeout=20)
        box.login(USER, PASSWORD)
        box.select("INBOX")
        return box
