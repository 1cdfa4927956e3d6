"""Registering a list of people: read, shown line by line with what would become of each, then done as work.

An organiser's list is their decision: no line waits for approval or proof. The list of a team is its coordinator's, so
every condition of the webinar holds, and its preview does not tell who is registered already (promise A9).
"""

import contextlib
from datetime import timedelta
from typing import Any, Final

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.file_names import clean_file_name
from accounts.models import User
from accounts.services import record_action
from events.models import Webinar
from notifications.addresses import clean_address
from registration import services
from registration.choices import country_from_name
from registration.errors import FileUnreadable, WrongState
from registration.list_files import Line, read_people
from registration.models import Group, Registration, RegistrationImport, RegistrationSource, RegistrationState
from registration.validators import Details, clean_details
from work import services as work
from work.errors import DomainError, LeaseLost, WorkError
from work.leases import Lease
from work.models import WorkState

WORK_KIND = "registration.import"
NEW, AGAIN, DOUBLE, WRONG, DONE, FAILED = "new", "again", "double", "wrong", "done", "failed"
UNCONFIRMED_LIFE: Final = timedelta(days=2)
_SAVED_EVERY = 100  # lines


def prepare(
    *, webinar: Webinar, file: "UploadedFile[Any]", user: User | None = None, group: Group | None = None
) -> RegistrationImport:
    """Read a list and store what would become of each of its lines; nobody is registered yet.

    Raises:
        FileUnreadable: see `registration.list_files.read_people`; or nobody is in it.
        RegistrationClosed, RegistrationNotOpen, WebinarCancelled: nobody can be registered.
    """
    services.require_open(webinar, user=user)
    people = read_people(file, file_name=file.name or "")  # type: ignore[arg-type]  # an open file in all but name
    if not people:
        raise FileUnreadable(_("There is nobody in this list."), field="file")
    known = _known(webinar) if group is None else set()
    seen: set[str] = set()
    rows = [_row(line, webinar, known=known, seen=seen, group=group) for line in people]
    return RegistrationImport.objects.create(
        webinar=webinar,
        created_by=user,
        group=group,
        file_name=clean_file_name(file.name or "", default="list"),
        rows=rows,
    )


def _known(webinar: Webinar) -> set[str]:
    rows = webinar.registrations.exclude(state=RegistrationState.CANCELLED)
    return set(rows.annotate(address=Lower("email")).values_list("address", flat=True))


def _row(line: Line, webinar: Webinar, *, known: set[str], seen: set[str], group: Group | None) -> dict[str, Any]:
    row: dict[str, Any] = {"line": line.number, "values": line.values, "outcome": NEW, "error": "", "registration": ""}
    try:
        clean_details(_details(line.values, webinar, group))
        address = clean_address(line.values["email"])
        if group is not None:
            services.require_domain(webinar, address)
    except DomainError as error:
        return row | {"outcome": WRONG, "error": str(error)}
    row["values"]["email"] = address
    if address in seen:
        return row | {"outcome": DOUBLE, "error": _("This address stands in an earlier line.")}
    seen.add(address)
    return row | {"outcome": AGAIN if address in known else NEW}


def _details(values: dict[str, str], webinar: Webinar, group: Group | None) -> Details:
    spoken = group.language if group else webinar.organisation.language
    return Details(
        name=values.get("name", ""),
        language=values.get("language") or spoken,
        time_zone=values.get("time_zone") or webinar.time_zone,
        country=country_from_name(values.get("country", "")),
        profession=values.get("profession", ""),
        sector=values.get("sector", ""),
        affiliation=values.get("affiliation", ""),
    )


def confirm(*, imported: RegistrationImport, user: User | None) -> None:
    """Begin to register the people of a list that was shown.

    Raises:
        WrongState: it was confirmed before, or nobody in it can be registered.
    """
    with transaction.atomic():
        current = RegistrationImport.objects.select_for_update().get(pk=imported.pk)
        if current.state != WorkState.WAITING:
            raise WrongState(_("This list was confirmed already."))
        if not any(row["outcome"] == NEW for row in current.rows):
            raise WrongState(_("There is nobody in this list who can be registered."))
        record_action(
            action="registrations.import",
            target=current,
            organisation=imported.webinar.organisation,
            user=user,
            actor="" if user else "coordinator",
            count=sum(row["outcome"] == NEW for row in current.rows),
        )
        work.enqueue(current)


def retry(*, imported: RegistrationImport, user: User) -> None:
    """Try the lines again that are not done, after a failure or a stop.

    Raises:
        work.errors.StaleState: it is not finished, or is done.
    """
    with transaction.atomic():
        work.retry(imported)
        work.enqueue(imported)
        record_action(
            action="registrations.import", target=imported, organisation=imported.webinar.organisation, user=user
        )


def run_import(lease: Lease[RegistrationImport]) -> None:
    """Register the people of a confirmed list, line by line; the handler of the kind "registration.import".

    It may run again: a line that was done is not done twice, as an address has one registration.
    """
    imported = lease.row
    webinar = Webinar.objects.select_related("organisation").get(pk=imported.webinar_id)
    group = (
        Group.objects.select_related("webinar__organisation").get(pk=imported.group_id) if imported.group_id else None
    )
    rows = imported.rows
    todo = [row for row in rows if row["outcome"] in (NEW, FAILED)]
    unsaved = 0
    try:
        for count, row in enumerate(todo):
            lease.report(100 * count / len(todo), f"{count}/{len(todo)}")
            try:
                with lease.fenced():
                    row["registration"] = _register(row["values"], webinar, group, imported.created_by)
            except WorkError:
                raise
            except DomainError as error:
                if error.is_temporary:
                    raise
                row |= {"outcome": FAILED, "error": str(error)}
            else:
                row |= {"outcome": DONE, "error": ""}
            unsaved += 1
            if unsaved >= _SAVED_EVERY:
                lease.write(rows=rows)
                unsaved = 0
    finally:
        if unsaved:
            with contextlib.suppress(LeaseLost):
                lease.write(rows=rows)


def _register(values: dict[str, str], webinar: Webinar, group: Group | None, user: User | None) -> str:
    if group is not None:
        services.add_member(
            group=group, email=values["email"], name=values["name"], language=values.get("language", "")
        )
        return ""
    registration: Registration = services.register(
        webinar=webinar,
        email=values["email"],
        consents=["privacy"],
        source=RegistrationSource.IMPORT,
        user=user,
        **vars(_details(values, webinar, group)),
    )
    return str(registration.pk)


def remove_unconfirmed() -> int:
    """Delete lists that were shown and never confirmed: personal data that nobody wanted. Returns how many."""
    old = RegistrationImport.objects.filter(
        state__in=[WorkState.WAITING, WorkState.CANCELLED], updated_at__lt=timezone.now() - UNCONFIRMED_LIFE
    )
    return old.delete()[0]
