"""Who may open a studio page, and how a row of theirs is found."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from accounts import rules
from accounts.models import Organisation, Role, User
from library.models import Recording
from studio.models import Production

P = ParamSpec("P")
M = TypeVar("M", bound=Model)


class StudioRequest(HttpRequest):
    """A request of somebody who is signed in and belongs to at least one organisation."""

    user: User


StudioView = Callable[Concatenate[StudioRequest, P], HttpResponseBase]
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def studio_page(view: StudioView[P]) -> View[P]:
    """Require a signed-in person; answers are theirs alone and kept by no cache."""

    @never_cache
    @login_required
    @wraps(view)
    def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        return view(cast(StudioRequest, request), *args, **kwargs)

    return cast("View[P]", guarded)


def find(
    queryset: "QuerySet[M]", request: StudioRequest, pk: Any, *, path: str = "organisation", change: bool = False
) -> M:
    """Return the row if it is of one of the person's organisations.

    Args:
        path: the lookup from the row to its organisation.
        change: True if the page changes something, which reviewers may not.

    Raises:
        Http404: there is no such row, or it is another organisation's: these look alike.
        PermissionDenied: the person may look at it, not change it.
    """
    row = cast("M | None", rules.visible_to(queryset, request.user, path=path).filter(pk=pk).first())
    if row is None:
        raise Http404(_("There is no such page, or it belongs to another organisation."))
    if change:
        require_organiser(request, rules.organisation_of(row, path))
    return row


def find_recording(request: StudioRequest, pk: Any, *, change: bool = False) -> Recording:
    rows = Recording.objects.select_related("webinar__organisation", "asset__current_package", "published_by")
    return find(rows, request, pk, path="webinar__organisation", change=change)


def find_production(request: StudioRequest, pk: Any, *, change: bool = False) -> Production:
    rows = Production.objects.select_related(
        "recording__webinar__organisation", "recording__asset__current_package", "package"
    )
    return find(rows, request, pk, path="recording__webinar__organisation", change=change)


def require_organiser(request: StudioRequest, organisation: Organisation) -> None:
    """Raise PermissionDenied unless the person may change what is the organisation's."""
    if not may_change(request, organisation):
        raise PermissionDenied(_("You may look at this, not change it. Ask an owner of your organisation."))


def may_change(request: StudioRequest, organisation: Organisation) -> bool:
    return rules.has_role(request.user, organisation, Role.ORGANISER)
