"""What the OpenAPI schema says of every operation alike."""

from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter

from accounts.api.idempotency import HEADER, MAX_KEY, IdempotencyMixin
from accounts.models import IdempotentAnswer

_HOURS = int(IdempotentAnswer.KEPT_FOR.total_seconds() // 3600)


class Schema(AutoSchema):
    """Adds the idempotency header, and answers of errors as problem details (RFC 9457)."""

    def get_override_parameters(self) -> list[Any]:
        parameters = list(super().get_override_parameters())
        if self.method == "POST" and isinstance(self.view, IdempotencyMixin):
            parameters.append(
                OpenApiParameter(
                    HEADER,
                    OpenApiTypes.STR,
                    OpenApiParameter.HEADER,
                    description=f"Any text of at most {MAX_KEY} characters, new for each request. "
                    f"A repeated call with it gets the first answer again, for {_HOURS} hours.",
                )
            )
        return parameters
