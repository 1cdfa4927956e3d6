"""Every environment variable that Rostrum reads: one table, from which docs/settings.md is made.

A variable may also come from a file: `SECRET_KEY_FILE=/run/secrets/key` (django-environ's FileAwareEnv).
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import environ

BASE_DIR = Path(__file__).resolve().parent.parent
DEMO_MODELS = BASE_DIR / "demo" / "models"


@dataclass(frozen=True)
class Variable:
    """One setting: its type is that of `default` unless `type` says otherwise."""

    name: str
    default: Any
    help: str
    type: type = str
    section: str = ""


VARIABLES: tuple[Variable, ...] = (
    Variable(
        "ENVIRONMENT",
        "development",
        "`development` or `production`; production refuses unsafe settings.",
        section="Service",
    ),
    Variable("DEBUG", False, "Django's debug pages; refused in production.", bool, "Service"),
    Variable(
        "SECRET_KEY",
        "",
        "Signs sessions and personal links. Empty: made once, in `VAR_DIR/secret_key`; production wants one set.",
        section="Service",
    ),
    Variable(
        "BASE_URL",
        "http://localhost:8000",
        "The address people type; used in mails and calendar entries.",
        section="Service",
    ),
    Variable(
        "ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]"], "Host names answered, comma separated.", list, "Service"
    ),
    Variable("SITE_NAME", "Rostrum", "The name shown in page titles and mails.", section="Service"),
    Variable(
        "VAR_DIR",
        str(BASE_DIR / "var"),
        "Folder of everything that changes: database, files, queue, mail, logs.",
        section="Service",
    ),
    Variable("TIME_ZONE", "UTC", "Zone of pages for people who have not told theirs; an IANA name.", section="Service"),
    Variable("LOG_LEVEL", "INFO", "DEBUG, INFO, WARNING or ERROR.", section="Service"),
    Variable(
        "TRUSTED_PROXIES", 0, "How many reverse proxies stand in front; 0 ignores X-Forwarded-For.", int, "Service"
    ),
    Variable(
        "DATABASE_URL",
        "",
        "Such as `postgres://user:pass@host/name`. Empty: SQLite in `VAR_DIR`.",
        section="Database and queue",
    ),
    Variable(
        "BROKER_URL",
        "filesystem://",
        "`redis://host:6379/0`, or `filesystem://` for the embedded queue in `VAR_DIR/queue`.",
        section="Database and queue",
    ),
    Variable(
        "BROKER_VISIBILITY_S",
        3600,
        "Seconds after which Redis hands out again a message whose worker did not answer. Doing so is harmless.",
        int,
        "Database and queue",
    ),
    Variable(
        "WORK_LEASE_S",
        180,
        "Seconds after its last heartbeat that a worker's claim expires.",
        int,
        "Database and queue",
    ),
    Variable("WORK_HEARTBEAT_S", 30, "Seconds between a worker's heartbeats.", int, "Database and queue"),
    Variable("WORK_SWEEP_S", 60, "Seconds between sweeps for due, lost and abandoned work.", int, "Database and queue"),
    Variable(
        "WORK_STUCK_S",
        240,
        "Seconds that work may wait while no worker of its queue does anything; then `serve` restarts them.",
        int,
        "Database and queue",
    ),
    Variable(
        "S3_BUCKET", "", "Name of the private bucket. Empty: files are kept in `VAR_DIR/files`.", section="Storage"
    ),
    Variable("S3_ENDPOINT_URL", "", "Address of an S3-compatible server; empty means AWS.", section="Storage"),
    Variable(
        "S3_PUBLIC_ENDPOINT_URL", "", "The same server as browsers reach it, when that differs.", section="Storage"
    ),
    Variable("S3_ACCESS_KEY", "", "Access key id.", section="Storage"),
    Variable("S3_SECRET_KEY", "", "Secret access key.", section="Storage"),
    Variable("S3_REGION", "us-east-1", "Region used in signatures.", section="Storage"),
    Variable(
        "MEDIA_LINK_LIFE_S",
        10 * 60,
        "Seconds that a signed file address works: how long a withdrawn recording's last addresses may still open.",
        int,
        "Storage",
    ),
    Variable(
        "PLAYBACK_GRANT_LIFE_S",
        12 * 3600,
        "Seconds that a player's address works while the right to watch stands; the right is checked at every fetch.",
        int,
        "Storage",
    ),
    Variable(
        "SENDFILE",
        "python",
        "Who sends local files: `python` (the web server itself) or `nginx` (X-Accel-Redirect).",
        section="Storage",
    ),
    Variable(
        "EMAIL_URL",
        "eml://",
        "`smtp://user:pass@host:25`, `smtp+tls://...:587`, `smtp+ssl://...:465`, or `eml://`: files in `VAR_DIR/mail`.",
        section="Mail",
    ),
    Variable(
        "DEFAULT_FROM_EMAIL",
        "Rostrum <webinars@rostrum.example>",
        "Sender of mails and organiser of calendar entries: a service address.",
        section="Mail",
    ),
    Variable("MAIL_PER_MINUTE", 600, "Most mails sent in a minute; 0 means no limit.", int, "Mail"),
    Variable(
        "MAIL_PER_WEBINAR",
        300,
        "Most bulk mails about one webinar sent in a minute, so that a large one does not hold up the others.",
        int,
        "Mail",
    ),
    Variable(
        "MAIL_BOUNCES",
        "",
        "Address to which undeliverable mails return, such as `bounces@example.org`; its mail server must deliver"
        " `bounces+...@example.org` to the same mailbox. `manage.py read_bounces` reads it. Empty: the sender.",
        section="Mail",
    ),
    Variable(
        "MAIL_BOUNCES_URL",
        "",
        "That mailbox, where it is read by IMAP: `imaps://user:password@host/INBOX`, or `imap+tls://...` for STARTTLS.",
        section="Mail",
    ),
    Variable(
        "MAIL_WEBHOOKS",
        "",
        "The mail service that reports what became of mails: `amazon_ses`, `brevo`, `mailersend`, `mailgun`, `mailjet`,"
        " `postmark` or `sparkpost`. Empty: none.",
        section="Mail",
    ),
    Variable(
        "MAIL_WEBHOOK_SECRET",
        "",
        "`name:password` by which that service proves who it is; at least 20 characters.",
        section="Mail",
    ),
    Variable("MAIL_WEBHOOK_KEY", "", "The key with which Mailgun or MailerSend signs its reports.", section="Mail"),
    Variable(
        "API_PER_MINUTE",
        3000,
        "Most API calls a minute by one account; strangers get a tenth of it per address. 0 means no limit.",
        int,
        "Limits",
    ),
    Variable("UPLOAD_MAX_BYTES", 20 * 1024**3, "Largest recording accepted.", int, "Limits"),
    Variable("UPLOAD_PART_BYTES", 8 * 1024**2, "Size of an upload part (S3 wants at least 5 MiB).", int, "Limits"),
    Variable("UPLOAD_EXPIRES_S", 7 * 24 * 3600, "Seconds after which an unfinished upload is removed.", int, "Limits"),
    Variable(
        "UPLOAD_QUOTA_BYTES", 500 * 1024**3, "Most bytes of originals and open uploads per organisation.", int, "Limits"
    ),
    Variable(
        "UPLOAD_WEBINAR_QUOTA_BYTES",
        100 * 1024**3,
        "Most bytes of one webinar's originals and open uploads: recordings, channels, replacements.",
        int,
        "Limits",
    ),
    Variable(
        "WATCHED_FOLDER",
        "",
        "Folder whose files become recordings: `<organisation>/<webinar>/<file>` (docs/uploading.md). Empty: none.",
        section="Watched files",
    ),
    Variable(
        "WATCHED_PREFIX",
        "",
        "The same in the bucket: the beginning of the keys, such as `incoming/`. Not together with WATCHED_FOLDER.",
        section="Watched files",
    ),
    Variable("WATCHED_SETTLE_S", 120, "Seconds for which a watched file must not have grown.", int, "Watched files"),
    Variable(
        "WATCHED_TAKEN",
        "leave",
        "What becomes of a watched file once it is stored: `leave`, `move` (to `.taken/` beside) or `delete`.",
        section="Watched files",
    ),
    Variable("MATERIAL_MAX_BYTES", 100 * 1024**2, "Largest slide file accepted.", int, "Limits"),
    Variable("MATERIAL_MAX_PAGES", 400, "Most pages of a slide file.", int, "Limits"),
    Variable(
        "FORMER_VERSION_KEPT_DAYS",
        30,
        "Days that a replaced recording's former file is kept; until then one can go back to it.",
        int,
        "Limits",
    ),
    Variable("MEDIA_MAX_DURATION_S", 8 * 3600, "Longest recording accepted.", int, "Limits"),
    Variable("TOOL_MEMORY_MB", 3072, "Most memory of an outside tool (ffmpeg and others).", int, "Limits"),
    Variable(
        "MEDIA_LADDER",
        "",
        "File of the table by which pictures are encoded: qualities, rates, parts, AV1. Empty: `media/ladder.toml`, "
        "which explains each line.",
        section="Production",
    ),
    Variable(
        "PLAYBACK_CACHED_S",
        2,
        "Seconds for which a process remembers that somebody may watch; withdrawing takes so much longer.",
        int,
        "Storage",
    ),
    Variable(
        "VIEWING_KEEP_DAYS",
        180,
        "Days after which single viewings are reduced to sums per day.",
        int,
        "Limits",
    ),
    Variable(
        "KEEP_REGISTRATIONS_DAYS",
        1095,
        "Days after a session for which is kept who registered; then only numbers remain. 0 in this and the next five "
        "keeps for ever. An organisation may have times of its own.",
        int,
        "Personal data",
    ),
    Variable(
        "KEEP_ANSWERS_DAYS",
        365,
        "Days after a session for which texts, dates, numbers and files that people answered are kept.",
        int,
        "Personal data",
    ),
    Variable("KEEP_MAILS_DAYS", 180, "Days for which the text of a mail is kept.", int, "Personal data"),
    Variable(
        "KEEP_LISTS_DAYS",
        30,
        "Days for which lists that were read in are kept once they are done.",
        int,
        "Personal data",
    ),
    Variable("KEEP_AUDIT_DAYS", 1825, "Days for which is kept who did what in an organisation.", int, "Personal data"),
    Variable("KEEP_ACCESS_DAYS", 30, "Days for which attempts to sign in are kept.", int, "Personal data"),
    Variable("WHISPER_ENGINE", "openai-whisper", "`openai-whisper` or `faster-whisper`.", section="Subtitles"),
    Variable(
        "WHISPER_MODEL",
        "",
        "A model's name (`small`, downloaded once) or a path. Empty: the demo's, which knows only its sentences.",
        section="Subtitles",
    ),
    Variable("WHISPER_DEVICE", "auto", "`cpu`, `cuda` or `auto`.", section="Subtitles"),
    Variable("TRANSLATION_ENGINE", "ctranslate2", "`ctranslate2`, `libretranslate`, or `none`.", section="Subtitles"),
    Variable(
        "TRANSLATION_MODEL",
        str(DEMO_MODELS / "m2m-tiny-webinar"),
        "Folder of a CTranslate2 M2M100 or NLLB model. The default is the demo's, which knows only its sentences.",
        section="Subtitles",
    ),
    Variable(
        "TRANSLATION_URL",
        "",
        "Address of a server with LibreTranslate's API; for `TRANSLATION_ENGINE=libretranslate`.",
        section="Subtitles",
    ),
    Variable("TRANSLATION_KEY", "", "Key for that server, if it wants one.", section="Subtitles"),
    Variable(
        "SUBTITLE_RULES",
        "{}",
        'Reading rules other than the built-in ones, as JSON by language: `{"*": {"min_ms": 1200}, "de": '
        '{"chars_per_second": 15}}`. Also line_chars, max_lines, max_ms, gap_ms.',
        section="Subtitles",
    ),
    Variable("MODEL_DIR", "", "Where downloaded models are kept; empty: `VAR_DIR/models`.", section="Subtitles"),
)


def read_environment() -> dict[str, Any]:
    """Return every variable's value, converted to its type.

    Raises:
        django.core.exceptions.ImproperlyConfigured: a value cannot be read as its type.
    """
    env = environ.FileAwareEnv()
    env_file = BASE_DIR / ".env"
    if env_file.exists():
        env.read_env(str(env_file))
    values: dict[str, Any] = {}
    for variable in VARIABLES:
        try:
            values[variable.name] = env.get_value(variable.name, cast=variable.type, default=variable.default)
        except ValueError as error:
            raise environ.ImproperlyConfigured(
                f"{variable.name} must be of type {variable.type.__name__}: {error}"
            ) from error
    return values
