"""Registers the work that productions consist of."""

from django.apps import AppConfig


class StudioConfig(AppConfig):
    name = "studio"

    def ready(self) -> None:
        from library.versions import delete_former_versions
        from studio import burn_in, channels, cutting, messages, pipeline, receivers, services, watching  # noqa: F401  (receivers connect by being imported)
        from studio.models import BurnIn, ChannelWork, Cut, StepPart, StepRow, WatchedFile
        from work import kinds

        kinds.register(
            kinds.WorkKind(
                name="studio.step",
                model=StepRow,
                handle=services.run_step,
                queue=lambda row: pipeline.step_of(row).queue,
                after=services.after_step,
            )
        )
        kinds.register(
            kinds.WorkKind(
                name="studio.part",
                model=StepPart,
                handle=services.run_part,
                queue=lambda part: pipeline.step_of(part.step).queue,
                after=services.after_part,
            )
        )
        kinds.register(
            kinds.WorkKind(
                name="studio.cut",
                model=Cut,
                handle=cutting.run_cut,
                queue=lambda _cut: "media",
                after=cutting.after_cut,
            )
        )
        kinds.register(
            kinds.WorkKind(
                name="studio.burn_in",
                model=BurnIn,
                handle=burn_in.run_burn_in,
                queue=lambda _row: "media",
                after=burn_in.after_burn_in,
            )
        )
        kinds.register(
            kinds.WorkKind(
                name=channels.WORK_KIND,
                model=ChannelWork,
                handle=channels.run_work,
                queue=lambda _row: "media",
                after=channels.after_work,
            )
        )
        kinds.register(
            kinds.WorkKind(
                name=watching.WORK_KIND,
                model=WatchedFile,
                handle=watching.take,
                queue=lambda _row: "media",
            )
        )
        messages.register_words()
        kinds.register_chore(watching.look)
        kinds.register_chore(messages.remind_of_slides)
        kinds.register_chore(delete_former_versions)
