"""Makes the bucket fit: CORS for our pages, an end for unfinished uploads, no public rights; then tries it out."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from media.storage import bucket, private_storage


class Command(BaseCommand):
    help = "Set the S3 bucket's CORS rule, lifecycle rule and block on public rights, and verify that it is private."

    def handle(self, *args: Any, **options: Any) -> None:
        from media.storage.s3 import S3PrivateStorage  # boto3 is slow to import, and only S3 needs it

        storage = private_storage()
        if not isinstance(storage, S3PrivateStorage):
            raise CommandError("Files are kept on this machine's disk: S3_BUCKET is not set, so there is no bucket.")
        marks = {True: "done", False: "FAILED", None: "not here"}
        for change in bucket.configure(storage):
            self.stdout.write(f"{marks[change.is_done]:>9}  {change.name}: {change.detail}")
        failed = False
        for check in bucket.checks(storage):
            failed |= check.ok is False
            self.stdout.write(f"{'ok' if check.ok else 'WRONG':>9}  {check.name}: {check.detail}")
            if not check.ok:
                self.stdout.write(f"{'':>9}  {check.advice}")
        if failed:
            raise CommandError("The bucket is not fit for use yet; see above.")
