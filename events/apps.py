from django.apps import AppConfig


class EventsConfig(AppConfig):
    name = "events"

    def ready(self) -> None:
        from accounts.personal_data import register
        from events import slides
        from events.models import Material
        from events.personal_data import Speakers
        from work import kinds

        kinds.register(
            kinds.WorkKind(name=slides.WORK_KIND, model=Material, handle=slides.draw, queue=slides.material_queue)
        )
        register(Speakers())
