from django.apps import AppConfig


class MediaConfig(AppConfig):
    name = "media"

    def ready(self) -> None:
        from media import recipe, uploads
        from media.models import Upload
        from work import kinds

        recipe.current()  # a wrong table stops everything here, with the place and what is allowed

        kinds.register(
            kinds.WorkKind(
                name=uploads.WORK_KIND,
                model=Upload,
                handle=uploads.join,
                queue=uploads.upload_queue,
                after=uploads.after_upload,
            )
        )
