"""What owners fill in about keeping times."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts import keeping
from accounts.models import Organisation
from studio.forms import StudioForm


class KeepingForm(StudioForm):
    """A number of days per keeping time; empty goes by the service's."""

    def __init__(self, *args: Any, organisation: Organisation, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for time in keeping.times_of(organisation):
            self.fields[time.name] = forms.IntegerField(
                label=", ".join(time.labels).capitalize(),
                required=False,
                min_value=0,
                max_value=keeping.MOST_DAYS,
                initial=time.own_days,
                help_text=_("Days. Leave empty for this service’s: %(standard)s. 0 keeps it for ever.")
                % {"standard": days_text(time.standard_days)},
            )


def days_text(days: int) -> str:
    """So many days, or for ever."""
    if not days:
        return _("for ever")
    return ngettext("%(n)d day", "%(n)d days", days) % {"n": days}
