"""`manage.py create_owner`: the first person of an organisation, with a password to sign in with."""

import secrets
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.validators import validate_email
from django.db import transaction
from django.utils.text import slugify

from accounts import services
from accounts.models import Organisation, Role, User


class Command(BaseCommand):
    help = "Give a person an account and an organisation to own. Prints a password, once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--email", required=True, help="With which the person signs in.")
        parser.add_argument("--organisation", required=True, help="Its name; made if there is none of that name.")
        parser.add_argument("--name", default="", help="The person's name.")
        parser.add_argument("--language", default="en", help="Of the organisation and the person, such as fr.")
        parser.add_argument("--time-zone", default="UTC", help="Of the organisation, such as Europe/Brussels.")
        parser.add_argument("--administrator", action="store_true", help="Also give the right to use /admin/.")

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        email, organisation_name = options["email"].strip().lower(), options["organisation"].strip()
        try:
            validate_email(email)
        except ValidationError:
            raise CommandError(f"{email!r} is not an e-mail address.") from None
        if not organisation_name:
            raise CommandError("The organisation needs a name.")
        password = ""
        user = User.objects.filter(email__iexact=email).first()
        if user is None:
            password = secrets.token_urlsafe(12)
            user = User.objects.create_user(email, password, name=options["name"], language=options["language"])
        if options["administrator"]:
            user.is_staff = user.is_superuser = True
            user.save(update_fields=["is_staff", "is_superuser"])
        organisation = Organisation.objects.filter(name=organisation_name).first()
        if organisation is None:
            organisation = services.create_organisation(
                name=organisation_name,
                slug=_free_slug(organisation_name),
                owner=user,
                language=options["language"],
                time_zone=options["time_zone"],
                contact_email=email,
            )
        else:
            services.add_member(organisation=organisation, user=user, role=Role.OWNER)
        services.record_action(action="owner.created", target=user, organisation=organisation)
        self.stdout.write(f"{email} owns {organisation.name}.")
        if password:
            self.stdout.write(f"Password (shown only now): {password}")
        else:
            self.stdout.write("The account existed and keeps its password.")


def _free_slug(name: str) -> str:
    base = slugify(name)[:40] or "organisation"
    while Organisation.objects.filter(slug=base).exists():
        base = f"{base[:40]}-{secrets.token_hex(3)}"
    return base
