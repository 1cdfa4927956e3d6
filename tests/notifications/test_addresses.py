"""One spelling per mailbox, and no tricks."""

import json
from pathlib import Path

import pytest

from notifications.addresses import clean_address
from notifications.errors import AddressRefused


@pytest.fixture
def addresses(corpus: Path) -> dict[str, list[str]]:
    found: dict[str, list[str]] = json.loads((corpus / "strings" / "email_addresses.json").read_text())
    return found


def test_valid_addresses_are_accepted(addresses: dict[str, list[str]]) -> None:
    assert [clean_address(address) for address in addresses["valid"]] == addresses["valid"]


def test_bad_addresses_are_refused(addresses: dict[str, list[str]]) -> None:
    for address in addresses["invalid_or_refuse"]:
        with pytest.raises(AddressRefused) as refused:
            clean_address(address)
        assert refused.value.field == "email"


def test_case_does_not_make_another_mailbox(addresses: dict[str, list[str]]) -> None:
    assert len({clean_address(address) for address in addresses["same_mailbox_case"]}) == 1


def test_plus_and_dots_make_another_mailbox(addresses: dict[str, list[str]]) -> None:
    different = addresses["must_stay_different"]
    assert len({clean_address(address) for address in different}) == len(different)


def test_domain_is_stored_in_ascii() -> None:
    assert clean_address("user@bücher.example") == "user@xn--bcher-kva.example"
