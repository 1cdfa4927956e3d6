"""Django settings, from the environment alone (config/environment.py lists the variables)."""

import contextlib
import json
import os
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _
from whitenoise.compress import Compressor

from config.environment import BASE_DIR, DEMO_MODELS, VARIABLES, read_environment
from transcripts.cues.rules import check_overrides

# Several workers share the processors; numpy's helpers for each of them would only wait in circles. Read at its import.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

ENV = read_environment()
ENVIRONMENT_VARIABLES = VARIABLES  # for `manage.py settings_table`

# --- Service -------------------------------------------------------------------------------------------------------
ENVIRONMENT: str = ENV["ENVIRONMENT"]
IN_PRODUCTION = ENVIRONMENT == "production"
DEBUG: bool = ENV["DEBUG"]
VAR_DIR = Path(ENV["VAR_DIR"]).resolve()
BASE_URL: str = ENV["BASE_URL"].rstrip("/")
SITE_NAME: str = ENV["SITE_NAME"]
ALLOWED_HOSTS: list[str] = ENV["ALLOWED_HOSTS"]
TRUSTED_PROXIES: int = ENV["TRUSTED_PROXIES"]


def _secret_key() -> str:
    """The configured key, or one made once and kept beside the data (development and demo only)."""
    if ENV["SECRET_KEY"]:
        return str(ENV["SECRET_KEY"])
    path = VAR_DIR / "secret_key"
    if not path.exists():
        VAR_DIR.mkdir(parents=True, exist_ok=True)
        # Several processes may start at once: only the first link wins, and all read the same key.
        made = path.with_suffix(f".{secrets.token_hex(4)}")
        made.touch(mode=0o600)
        made.write_text(secrets.token_urlsafe(64))
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(made)
        made.unlink()
    return path.read_text().strip()


if ENVIRONMENT not in ("development", "production"):
    raise ImproperlyConfigured("ENVIRONMENT must be `development` or `production`.")
if IN_PRODUCTION:
    _unsafe = [
        reason
        for is_unsafe, reason in (
            (DEBUG, "DEBUG is on: set DEBUG=False"),
            (len(ENV["SECRET_KEY"]) < 50, "SECRET_KEY is missing or shorter than 50 characters"),
            ("*" in ALLOWED_HOSTS or not ALLOWED_HOSTS, "ALLOWED_HOSTS must name your host names"),
            (not BASE_URL.startswith("https://"), "BASE_URL must begin with https://"),
        )
        if is_unsafe
    ]
    if _unsafe:
        raise ImproperlyConfigured("Refusing to start in production: " + "; ".join(_unsafe) + ".")

SECRET_KEY = _secret_key()

# --- Applications --------------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.sitemaps",
    "allauth",
    "allauth.account",
    "axes",
    "csp",
    "django_filters",
    "django_htmx",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "i18nfield",
    "rest_framework",
    "work",
    "accounts",
    "events",
    "media",
    "notifications",
    "transcripts",
    "registration",
    "library",
    "studio",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    # Before the session, which would look a cookie with a NUL up in the database.
    "config.middleware.RejectNulMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "config.middleware.PersonalTimeZoneMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "config.context_processors.site",
            ],
        },
    },
]

# --- Database and queue --------------------------------------------------------------------------------------------
_database: dict[str, Any] = environ.Env.db_url_config(ENV["DATABASE_URL"] or f"sqlite:///{VAR_DIR / 'rostrum.sqlite3'}")
if _database["ENGINE"].endswith("sqlite3"):
    VAR_DIR.mkdir(parents=True, exist_ok=True)
    _database["OPTIONS"] = {
        # Writers queue at BEGIN and never fail half-way with "database is locked".
        "transaction_mode": "IMMEDIATE",
        "timeout": 30,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;",
    }
else:
    _database["OPTIONS"] = {**_database.get("OPTIONS", {}), "pool": {"min_size": 1, "max_size": 10}}
    _database["CONN_HEALTH_CHECKS"] = True  # a server that was restarted costs nobody an error
DATABASES = {"default": _database}

BROKER_URL: str = ENV["BROKER_URL"]
BROKER_VISIBILITY_S: int = ENV["BROKER_VISIBILITY_S"]
WORK_LEASE_S: int = ENV["WORK_LEASE_S"]
WORK_HEARTBEAT_S: int = ENV["WORK_HEARTBEAT_S"]
WORK_SWEEP_S: int = ENV["WORK_SWEEP_S"]
WORK_STUCK_S: int = ENV["WORK_STUCK_S"]

CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": BROKER_URL,
        # A server that vanished without a word must not hold up a page for ever.
        "OPTIONS": {"socket_timeout": 5, "socket_connect_timeout": 3},
    }
    if BROKER_URL.startswith("redis")
    else {
        "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
        "LOCATION": VAR_DIR / "cache",
        # Counters of tries live here; with the usual 300 entries a crowd would push them out.
        "OPTIONS": {"MAX_ENTRIES": 20_000},
    }
}

# --- People --------------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/studio/"
LOGOUT_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "notifications.account_mails.OutboxAccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGIN_BY_CODE_ENABLED = True
ACCOUNT_PREVENT_ENUMERATION = "strict"
ACCOUNT_EMAIL_SUBJECT_PREFIX = f"{SITE_NAME}: "
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = 0.25
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
# One way to find a client's address, which a forged header cannot change, for all that counts tries by it.
AXES_CLIENT_IP_CALLABLE = "accounts.client.client_address"
AXES_USERNAME_CALLABLE = "accounts.adapter.login_name"
AXES_LOCKOUT_CALLABLE = "config.errors.locked_out"
AXES_VERBOSE = False

# --- Languages and time --------------------------------------------------------------------------------------------
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("fr", _("French")), ("ar", _("Arabic"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = ["config.formats"]
TIME_ZONE: str = ENV["TIME_ZONE"]
USE_I18N = True
USE_TZ = True

# --- Files ---------------------------------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [("rostrum", BASE_DIR / "frontend" / "dist")]
WHITENOISE_KEEP_ONLY_HASHED_FILES = False
# Source maps are for developers' tools alone, and take most of the time of compressing.
WHITENOISE_SKIP_COMPRESS_EXTENSIONS = (*Compressor.SKIP_COMPRESS_EXTENSIONS, "map")
MEDIA_ROOT = VAR_DIR / "files"
MEDIA_LINK_LIFE_S: int = ENV["MEDIA_LINK_LIFE_S"]
PLAYBACK_GRANT_LIFE_S: int = ENV["PLAYBACK_GRANT_LIFE_S"]
PLAYBACK_CACHED_S: int = ENV["PLAYBACK_CACHED_S"]
SENDFILE: str = ENV["SENDFILE"]
S3_BUCKET: str = ENV["S3_BUCKET"]
S3_PUBLIC_ENDPOINT_URL: str = ENV["S3_PUBLIC_ENDPOINT_URL"]
if S3_BUCKET:
    _private_storage: dict[str, Any] = {
        "BACKEND": "media.storage.S3PrivateStorage",
        "OPTIONS": {
            "bucket_name": S3_BUCKET,
            "endpoint_url": ENV["S3_ENDPOINT_URL"] or None,
            "access_key": ENV["S3_ACCESS_KEY"],
            "secret_key": ENV["S3_SECRET_KEY"],
            "region_name": ENV["S3_REGION"],
            "addressing_style": "path" if ENV["S3_ENDPOINT_URL"] else "auto",
            "signature_version": "s3v4",
            "querystring_auth": True,
            "querystring_expire": MEDIA_LINK_LIFE_S,
            "file_overwrite": False,
            "default_acl": None,
        },
    }
else:
    _private_storage = {
        "BACKEND": "media.storage.LocalPrivateStorage",
        "OPTIONS": {"location": str(MEDIA_ROOT)},
    }
# Everything people upload and everything made from it is private; addresses are signed and short-lived.
STORAGES = {
    "default": _private_storage,
    "staticfiles": {"BACKEND": "config.static.StaticFilesStorage"},
}
FILE_UPLOAD_TEMP_DIR = str(VAR_DIR / "tmp")
FILE_UPLOAD_PERMISSIONS = 0o640
DATA_UPLOAD_MAX_MEMORY_SIZE = 4 * 1024**2
# Tools work, and large requests wait, below this folder; it is on the same disk as the files.
WORK_DIR = VAR_DIR / "tmp"
WORK_DIR.mkdir(parents=True, exist_ok=True)

# --- Mail ----------------------------------------------------------------------------------------------------------
EMAIL_URL = urlsplit(ENV["EMAIL_URL"])
if EMAIL_URL.scheme == "eml":
    EMAIL_BACKEND = "notifications.backends.EmlFileBackend"
    EMAIL_FILE_PATH = str(VAR_DIR / "mail")
elif EMAIL_URL.scheme in ("smtp", "smtp+tls", "smtp+ssl"):
    EMAIL_BACKEND = "notifications.backends.SmtpBackend"
    EMAIL_HOST = EMAIL_URL.hostname or "localhost"
    EMAIL_PORT = EMAIL_URL.port or {"smtp": 25, "smtp+tls": 587, "smtp+ssl": 465}[EMAIL_URL.scheme]
    EMAIL_HOST_USER = unquote(EMAIL_URL.username or "")
    EMAIL_HOST_PASSWORD = unquote(EMAIL_URL.password or "")
    EMAIL_USE_TLS = EMAIL_URL.scheme == "smtp+tls"
    EMAIL_USE_SSL = EMAIL_URL.scheme == "smtp+ssl"
else:
    raise ImproperlyConfigured("EMAIL_URL must begin with smtp://, smtp+tls://, smtp+ssl:// or eml://.")
EMAIL_TIMEOUT = 30
DEFAULT_FROM_EMAIL: str = ENV["DEFAULT_FROM_EMAIL"]
SERVER_EMAIL = DEFAULT_FROM_EMAIL
MAIL_PER_MINUTE: int = ENV["MAIL_PER_MINUTE"]
MAIL_PER_WEBINAR: int = ENV["MAIL_PER_WEBINAR"]
MAIL_BOUNCES: str = ENV["MAIL_BOUNCES"]
MAIL_BOUNCES_URL = urlsplit(ENV["MAIL_BOUNCES_URL"])
if MAIL_BOUNCES_URL.geturl() and not (
    MAIL_BOUNCES_URL.scheme in ("imaps", "imap+tls") and MAIL_BOUNCES_URL.hostname and MAIL_BOUNCES_URL.username
):
    raise ImproperlyConfigured("MAIL_BOUNCES_URL must look like imaps://user:password@host/INBOX, or imap+tls://...")
MAIL_WEBHOOKS: str = ENV["MAIL_WEBHOOKS"]
_webhook_key_of = {"mailgun": "MAILGUN_WEBHOOK_SIGNING_KEY", "mailersend": "MAILERSEND_SIGNING_SECRET"}
# Read by django-anymail, which knows what each service posts (notifications/webhooks.py).
ANYMAIL = {"WEBHOOK_SECRET": ENV["MAIL_WEBHOOK_SECRET"]}
if MAIL_WEBHOOKS:
    if len(ENV["MAIL_WEBHOOK_SECRET"]) < 20 or ":" not in ENV["MAIL_WEBHOOK_SECRET"]:
        raise ImproperlyConfigured("MAIL_WEBHOOKS needs MAIL_WEBHOOK_SECRET=name:password, at least 20 characters.")
    if MAIL_WEBHOOKS in _webhook_key_of:
        if not ENV["MAIL_WEBHOOK_KEY"]:
            raise ImproperlyConfigured(f"MAIL_WEBHOOKS={MAIL_WEBHOOKS} needs MAIL_WEBHOOK_KEY as well.")
        ANYMAIL[_webhook_key_of[MAIL_WEBHOOKS]] = ENV["MAIL_WEBHOOK_KEY"]

# --- Limits and production -----------------------------------------------------------------------------------------
UPLOAD_MAX_BYTES: int = ENV["UPLOAD_MAX_BYTES"]
UPLOAD_PART_BYTES: int = ENV["UPLOAD_PART_BYTES"]
UPLOAD_EXPIRES_S: int = ENV["UPLOAD_EXPIRES_S"]
UPLOAD_QUOTA_BYTES: int = ENV["UPLOAD_QUOTA_BYTES"]
UPLOAD_WEBINAR_QUOTA_BYTES: int = ENV["UPLOAD_WEBINAR_QUOTA_BYTES"]
WATCHED_FOLDER: str = ENV["WATCHED_FOLDER"]
WATCHED_PREFIX: str = ENV["WATCHED_PREFIX"].strip("/") and ENV["WATCHED_PREFIX"].strip("/") + "/"
WATCHED_SETTLE_S: int = ENV["WATCHED_SETTLE_S"]
WATCHED_TAKEN: str = ENV["WATCHED_TAKEN"]
if WATCHED_TAKEN not in ("leave", "move", "delete"):
    raise ImproperlyConfigured("WATCHED_TAKEN must be `leave`, `move` or `delete`.")
if WATCHED_FOLDER and (WATCHED_PREFIX or not Path(WATCHED_FOLDER).is_absolute()):
    raise ImproperlyConfigured("WATCHED_FOLDER must be an absolute path, and WATCHED_PREFIX must then be empty.")
MATERIAL_MAX_BYTES: int = ENV["MATERIAL_MAX_BYTES"]
MATERIAL_MAX_PAGES: int = ENV["MATERIAL_MAX_PAGES"]
VIEWING_KEEP_DAYS: int = ENV["VIEWING_KEEP_DAYS"]
FORMER_VERSION_KEPT_DAYS: int = ENV["FORMER_VERSION_KEPT_DAYS"]
# Days by kind of data (accounts.keeping).
KEEP_DAYS: dict[str, int] = {
    name: ENV[f"KEEP_{name.upper()}_DAYS"] for name in ("registrations", "answers", "mails", "lists", "audit", "access")
}
MEDIA_MAX_DURATION_S: int = ENV["MEDIA_MAX_DURATION_S"]
TOOL_MEMORY_MB: int = ENV["TOOL_MEMORY_MB"]
MEDIA_LADDER: str = ENV["MEDIA_LADDER"]

# --- Subtitles -----------------------------------------------------------------------------------------------------
WHISPER_ENGINE: str = ENV["WHISPER_ENGINE"]
WHISPER_MODEL: str = ENV["WHISPER_MODEL"] or str(
    DEMO_MODELS / ("whisper-tiny-webinar.pt" if WHISPER_ENGINE == "openai-whisper" else "faster-whisper-tiny-webinar")
)
WHISPER_DEVICE: str = ENV["WHISPER_DEVICE"]
TRANSLATION_ENGINE: str = ENV["TRANSLATION_ENGINE"]
TRANSLATION_MODEL: str = ENV["TRANSLATION_MODEL"]
TRANSLATION_URL: str = ENV["TRANSLATION_URL"].rstrip("/")
TRANSLATION_KEY: str = ENV["TRANSLATION_KEY"]
try:
    SUBTITLE_RULES: dict[str, dict[str, int]] = json.loads(ENV["SUBTITLE_RULES"])
except ValueError as error:
    raise ImproperlyConfigured(f"SUBTITLE_RULES must be JSON: {error}") from error
if (_wrong := check_overrides(SUBTITLE_RULES)) is not None:
    raise ImproperlyConfigured(f"SUBTITLE_RULES: {_wrong}.")
MODEL_DIR = Path(ENV["MODEL_DIR"] or VAR_DIR / "models")
DEMO_MODEL_DIR = DEMO_MODELS

# --- API -----------------------------------------------------------------------------------------------------------
API_PER_MINUTE: int = ENV["API_PER_MINUTE"]
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.api.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["accounts.api.parsers.JSONParser", "rest_framework.parsers.MultiPartParser"],
    "DEFAULT_PAGINATION_CLASS": "accounts.api.pagination.CursorPagination",
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_SCHEMA_CLASS": "accounts.api.schema.Schema",
    "DEFAULT_THROTTLE_CLASSES": ["accounts.api.throttling.TooManyCalls"],
    "EXCEPTION_HANDLER": "accounts.api.problems.exception_handler",
    "PAGE_SIZE": 50,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Rostrum API",
    "DESCRIPTION": "What the pages can do, programs can do too.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    # Several resources have a field "state" or "kind"; without names of their own these would be called by a hash.
    "ENUM_NAME_OVERRIDES": {
        "WorkState": "work.models.WorkState",
        "WebinarState": "events.models.WebinarState",
        "Visibility": "events.models.Visibility",
        "MaterialKind": "events.models.MaterialKind",
        "RegistrationState": "registration.models.RegistrationState",
        "QuestionKind": "registration.models.QuestionKind",
        "QuestionnairePurpose": "registration.models.QuestionnairePurpose",
        "ConsentKind": "registration.models.ConsentKind",
        "RecordingState": "library.models.RecordingState",
        "TrackState": "transcripts.models.TrackState",
        "TrackKind": "transcripts.models.TrackKind",
    },
}

# --- Web security --------------------------------------------------------------------------------------------------
_media_sources = [SELF, "blob:"]
if S3_BUCKET:
    _public_s3 = urlsplit(S3_PUBLIC_ENDPOINT_URL or ENV["S3_ENDPOINT_URL"])
    _media_sources.append(
        f"{_public_s3.scheme}://{_public_s3.netloc}" if _public_s3.netloc else "https://*.amazonaws.com"
    )
CONTENT_SECURITY_POLICY = {
    # Our own files need none, and the uploader's worker, which hashes in WebAssembly, must not inherit the pages'.
    "EXCLUDE_URL_PREFIXES": [STATIC_URL],
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [*_media_sources, "data:"],
        "font-src": [SELF],
        "media-src": _media_sources,
        "connect-src": _media_sources,
        "worker-src": [SELF, "blob:"],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "manifest-src": [SELF],
    },
}
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = BASE_URL.startswith("https://")
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_SAMESITE = "Lax"
CSRF_TRUSTED_ORIGINS = [BASE_URL]
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "config.errors.csrf_failure"
if IN_PRODUCTION:
    SECURE_HSTS_SECONDS = 31_536_000
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES else None
    SECURE_SSL_REDIRECT = TRUSTED_PROXIES > 0
    SECURE_REDIRECT_EXEMPT = [r"^health/"]

# --- Logs ----------------------------------------------------------------------------------------------------------
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"clean": {"()": "config.logs.Clean", "fmt": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "clean"}},
    "root": {"handlers": ["console"], "level": ENV["LOG_LEVEL"]},
    "loggers": {
        "axes": {"level": "WARNING"},
        "ctranslate2": {"level": "WARNING"},
        # It brings a handler of its own, and names whole addresses when a request fails outside Django.
        "gunicorn.error": {"handlers": ["console"], "propagate": False},
    },
}
SILENCED_SYSTEM_CHECKS: list[str] = []
