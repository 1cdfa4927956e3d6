"""Answers of the test client that are files."""

from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.test import Client


def fetch(client: Client, address: str, **headers: str) -> HttpResponseBase:
    """Get an address and read the answer to its end, which closes the file; `if_range="x"` is the header If-Range."""
    answer: HttpResponseBase = client.get(address, headers={key.replace("_", "-"): headers[key] for key in headers})
    if isinstance(answer, StreamingHttpResponse):
        b"".join(answer)
    return answer


def statuses(client: Client, addresses: list[str]) -> set[int]:
    return {fetch(client, address).status_code for address in addresses}
