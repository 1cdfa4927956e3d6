from django.apps import AppConfig


class MediaConfig(AppConfig):
    name = "media"

    def ready(self) -> None:
        from media import uploads
        from media.models import Upload
        from work import kinds

        kinds.register(
            kinds.WorkKind(
                name=uploads.WORK_KIND,
                model=Upload,
                handle=uploads.join,
                queue=uploads.upload_queue,
                after=uploads.after_upload,
            )
        )
