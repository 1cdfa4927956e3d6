"""Registering a list of people: read, shown line by line with what would become of each, then done as work.

An organiser's list is their decision: no line waits for approval or proof. The list of a team is its coordinator's, so
every condition of the webinar holds, and its preview does not tell who is registered already (promise A9).

Columns can answer the organiser's own questions (registration.list_answers). Nobody can agree for another: what must be
agreed to or answered and is not in the list, each person is asked on their own page (registration.open_points).
"""

import contextlib
from collections.abc import Mapping
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
from registration.answers import unanswered
from registration.choices import country_from_name
from registration.errors import InvalidDetail, WrongState
from registration.list_answers import ListQuestions, words_of
from registration.list_files import LABELS, can_be_read, guess_columns, read_table, values_in
from registration.models import Group, Registration, RegistrationImport, RegistrationSource, RegistrationState
from registration.validators import Details, clean_details
from work import services as work
from work.errors import DomainError, LeaseLost, WorkError
from work.leases import Lease
from work.models import WorkState

WORK_KIND = "registration.import"
NEW, AGAIN, DOUBLE, WRONG, DONE, FAILED = "new", "again", "double", "wrong", "done", "failed"
UNCONFIRMED_LIFE: Final = timedelta(days=2)
HEADING_MAX: Final = 100
_SAVED_EVERY = 100  # lines


def prepare(
    *, webinar: Webinar, file: "UploadedFile[Any]", user: User | None = None, group: Group | None = None
) -> RegistrationImport:
    """Read a list and store what would become of each of its lines; nobody is registered yet.

    Where the columns of names and addresses are not known, the lines wait until somebody says which they are
    (`choose_columns`).

    Raises:
        FileUnreadable: see `registration.list_files.read_table`.
        RegistrationClosed, RegistrationNotOpen, WebinarCancelled: nobody can be registered.
    """
    services.require_open(webinar, user=user)
    table = read_table(file, file_name=file.name or "")  # type: ignore[arg-type]  # an open file in all but name
    imported = RegistrationImport(
        webinar=webinar,
        created_by=user,
        group=group,
        file_name=clean_file_name(file.name or "", default="list"),
        heading=[cell[:HEADING_MAX] for cell in table.heading],
        columns=guess_columns(table, ListQuestions(webinar).names()),
        rows=[{"line": number, "cells": cells} for number, cells in table.lines],
    )
    _judge(imported)
    with transaction.atomic():
        imported.save(force_insert=True)
        record_action(
            action="registrations.list_read",
            target=imported,
            organisation=webinar.organisation,
            user=user,
            actor="" if user else "coordinator",
            count=len(imported.rows),
        )
    return imported


def choose_columns(*, imported: RegistrationImport, columns: Mapping[str, int]) -> RegistrationImport:
    """Say which column of a list holds what, and see again what would become of each line.

    Args:
        columns: the column's number, from 0, by what it holds: a name of `registration.list_files.LABELS`, or the id
            (hex) of a question that the webinar asks.

    Raises:
        WrongState: the list was confirmed already.
        InvalidDetail: a column does not exist or was chosen twice, or there is none with names, or with addresses.
    """
    known = {*LABELS, *ListQuestions(imported.webinar).names()}
    numbers = list(columns.values())
    if not known >= columns.keys() or not all(0 <= number < len(imported.heading) for number in numbers):
        raise InvalidDetail(_("Choose columns from the list."), field="columns")
    if len(set(numbers)) < len(numbers):
        raise InvalidDetail(_("One column cannot hold two things."), field="columns")
    if not can_be_read(columns):
        raise InvalidDetail(
            _("Say which column holds the names and which the e-mail addresses: nobody can be registered without."),
            field="columns",
        )
    with transaction.atomic():
        current = RegistrationImport.objects.select_for_update().get(pk=imported.pk)
        if current.state != WorkState.WAITING:
            raise WrongState(_("This list was confirmed already."))
        current.webinar, current.group = imported.webinar, imported.group
        current.columns = dict(columns)
        _judge(current)
        current.save(update_fields=["columns", "rows", "updated_at"])
    return current


def _judge(imported: RegistrationImport) -> None:
    """Say of every line what would become of it, by the columns as they are known now."""
    if not can_be_read(imported.columns):
        reason = _("Say which column holds the names and which the e-mail addresses.")
        imported.rows = [
            {"line": row["line"], "cells": row["cells"], "values": {}, "outcome": WRONG, "error": reason}
            for row in imported.rows
        ]
        return
    webinar, group = imported.webinar, imported.group
    questions = ListQuestions(webinar)
    known = _known(webinar) if group is None else set()
    seen: set[str] = set()
    rows = [_read(row, imported.columns) for row in imported.rows]
    imported.rows = [
        row | _outcome(row, webinar, known=known, seen=seen, group=group, questions=questions)
        for row in rows
        if any(row["values"].values())
    ]


def _read(row: dict[str, Any], columns: Mapping[str, int]) -> dict[str, Any]:
    values = values_in(row["cells"], columns)
    answers = {name: values.pop(name) for name in list(values) if name not in LABELS}
    return {
        "line": row["line"],
        "cells": row["cells"],
        "values": values,
        "answers": answers,
        "outcome": NEW,
        "error": "",
        "open": "",
        "registration": "",
    }


def _known(webinar: Webinar) -> set[str]:
    rows = webinar.registrations.exclude(state=RegistrationState.CANCELLED)
    return set(rows.annotate(address=Lower("email")).values_list("address", flat=True))


def _outcome(
    row: dict[str, Any],
    webinar: Webinar,
    *,
    known: set[str],
    seen: set[str],
    group: Group | None,
    questions: ListQuestions,
) -> dict[str, Any]:
    """What is found out about a line: its outcome, what is wrong, and what the person will be asked themselves."""
    try:
        clean_details(_details(row["values"], webinar, group))
        address = clean_address(row["values"]["email"])
        if group is not None:
            services.require_domain(webinar, address)
        cleaned = questions.clean(questions.from_texts(row["answers"]))
    except DomainError as error:
        return {"outcome": WRONG, "error": str(error)}
    found: dict[str, Any] = {"values": row["values"] | {"email": address}}
    if address in seen:
        return found | {"outcome": DOUBLE, "error": _("This address stands in an earlier line.")}
    seen.add(address)
    if address in known:
        return found | {"outcome": AGAIN}
    return found | {"open": words_of(unanswered(questions.items, cleaned.values)) if cleaned else ""}


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
        # What stood in other columns was not asked for.
        current.rows = [{name: row[name] for name in row if name != "cells"} for row in current.rows]
        current.save(update_fields=["rows", "updated_at"])
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


def cancel(*, imported: RegistrationImport, user: User) -> None:
    """Stop reading a list in; who was registered from it stays. What is finished stays as it is."""
    with transaction.atomic():
        work.request_cancel(imported)
        record_action(
            action="registrations.import_cancelled",
            target=imported,
            organisation=imported.webinar.organisation,
            user=user,
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
    questions = ListQuestions(webinar)
    rows = imported.rows
    todo = [row for row in rows if row["outcome"] in (NEW, FAILED)]
    unsaved = 0
    try:
        for count, row in enumerate(todo):
            lease.report(100 * count / len(todo), f"{count}/{len(todo)}")
            try:
                with lease.fenced():
                    row["registration"] = _register(row, webinar, group, imported.created_by, questions)
            except WorkError:
                raise
            except DomainError as error:
                if error.is_temporary:
                    raise
                row |= {"outcome": FAILED, "error": questions.reason_of(error)}
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


def _register(
    row: dict[str, Any], webinar: Webinar, group: Group | None, user: User | None, questions: ListQuestions
) -> str:
    details = vars(_details(row["values"], webinar, group))
    answers = questions.clean(questions.from_texts(row.get("answers", {})))
    if group is not None:
        services.add_member(group=group, email=row["values"]["email"], answers=answers, **details)
        return ""
    registration: Registration = services.register(
        webinar=webinar,
        email=row["values"]["email"],
        consents=["privacy"],
        said_by="organiser",
        source=RegistrationSource.IMPORT,
        answers=answers,
        user=user,
        **details,
    )
    return str(registration.pk)


def remove_unconfirmed() -> int:
    """Delete lists that were shown and never confirmed: personal data that nobody wanted. Returns how many."""
    old = RegistrationImport.objects.filter(
        state__in=[WorkState.WAITING, WorkState.CANCELLED], updated_at__lt=timezone.now() - UNCONFIRMED_LIFE
    )
    return old.delete()[0]
