"""`manage.py recount`: count places again from the registrations, and correct the counters that were wrong."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from events.models import Webinar
from registration import services


class Command(BaseCommand):
    help = "Counts the places taken at each webinar again, corrects wrong counters, and gives free places to waiters."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slugs", nargs="*", help="webinars by their address; default: all with registrations")

    def handle(self, *args: Any, **options: Any) -> None:
        webinars = Webinar.objects.filter(registrations__isnull=False).distinct().order_by("starts_at")
        if options["slugs"]:
            webinars = Webinar.objects.filter(slug__in=options["slugs"])
            unknown = set(options["slugs"]) - set(webinars.values_list("slug", flat=True))
            if unknown:
                raise CommandError(f"There is no webinar called {', '.join(sorted(unknown))}.")
        checked = corrected = 0
        for webinar in webinars.iterator():
            checked += 1
            if services.recount(webinar=webinar):
                corrected += 1
                self.stdout.write(f"Corrected {webinar.slug}.")
        self.stdout.write(f"{checked} webinars counted, {corrected} corrected.")
