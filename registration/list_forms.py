"""Forms by which somebody registers others: the rows of a team, and which column of a list holds what."""

from typing import Any

from django import forms
from django.utils.html import escape
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from registration import imports
from registration.consents import current_texts
from registration.errors import InvalidDetail
from registration.forms import DomainForm
from registration.list_answers import ListQuestions
from registration.list_files import LABELS, can_be_read
from registration.models import ConsentKind, RegistrationImport
from registration.question_forms import field_name, question_field
from registration.validators import NAME_MAX
from work.errors import DomainError

SAMPLES = 3


class MemberForm(DomainForm):
    """One row of a team, with what the coordinator knows of the organiser's questions: empty rows are left out."""

    name = forms.CharField(
        label=gettext_lazy("Name"), max_length=NAME_MAX, required=False, widget=forms.TextInput(attrs={"dir": "auto"})
    )
    email = forms.EmailField(
        label=gettext_lazy("E-mail address"),
        max_length=254,
        required=False,
        widget=forms.EmailInput(attrs={"dir": "ltr"}),
    )

    def __init__(self, *args: Any, questions: ListQuestions, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        items = {item.pk: item for item in questions.in_columns}
        for item in items.values():
            field = question_field(item, None, items, name_of=lambda one: self.add_prefix(field_name(one)))
            field.required = False  # the person is asked for what the coordinator does not know
            self.fields[field_name(item)] = field

    @property
    def question_fields(self) -> list[forms.BoundField]:
        return [field for field in self if field.name.startswith("q_")]

    @property
    def given_answers(self) -> dict[str, Any]:
        """What was entered, by item, for `registration.answers.clean_answers`."""
        return {name[2:]: value for name, value in self.cleaned_data.items() if name.startswith("q_")}


MemberFormSet = forms.formset_factory(MemberForm, extra=5, max_num=20, absolute_max=20)


class ColumnsForm(DomainForm):
    """Which column of a list holds what, with a few of its values to know it by."""

    def __init__(self, *args: Any, imported: RegistrationImport, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.imported = imported
        questions = [
            (item.pk.hex, _("Question: %(label)s") % {"label": item.question.label})
            for item in ListQuestions(imported.webinar).in_columns
        ]
        offered = [("", _("leave out")), *LABELS.items(), *questions]
        chosen = {index: name for name, index in imported.columns.items()}
        for index, name in enumerate(imported.heading):
            cells = [row["cells"][index] for row in imported.rows if index < len(row.get("cells", ()))]
            samples = ", ".join(cell[:40] for cell in [one for one in cells if one][:SAMPLES])
            self.fields[f"column_{index}"] = forms.ChoiceField(
                label=name or _("Column %(number)d") % {"number": index + 1},
                choices=offered,
                required=False,
                initial=chosen.get(index, ""),
                help_text=escape(samples),
            )

    def columns(self) -> dict[str, int]:
        """The column's number by what it holds, for `registration.imports.choose_columns`.

        Raises:
            InvalidDetail: two columns are said to hold the same.
        """
        found: dict[str, int] = {}
        for field, name in self.cleaned_data.items():
            if name in found:
                raise InvalidDetail(_("Another column was chosen for this already."), field=field)
            if name:
                found[name] = int(field.removeprefix("column_"))
        return found

    def is_stored(self) -> bool:
        """Store which column holds what; False, with the reason in the form, when that is refused."""
        if not self.is_valid():
            return False
        try:
            imports.choose_columns(imported=self.imported, columns=self.columns())
        except DomainError as error:
            self.add_domain_error(error)
            return False
        return True


def preview_facts(imported: RegistrationImport) -> dict[str, Any]:
    """What the preview of a list says for all its lines (includes/import.html)."""
    texts = current_texts(imported.webinar.organisation).values()
    kinds = [ConsentKind.PRIVACY.label, *(text.get_kind_display() for text in texts if text.is_required)]
    # A list from before columns were kept has no heading.
    is_known = can_be_read(imported.columns) or not imported.heading
    return {"asked_consents": list(dict.fromkeys(map(str, kinds))), "are_columns_known": is_known}
