import time
import uuid
from datetime import timedelta

import pytest

from accounts.links import LinkError, LinkExpired, make_token, read_token
from events.models import Speaker
from tests.factories.events import SpeakerFactory

pytestmark = pytest.mark.django_db


def token_for(speaker: Speaker) -> str:
    return make_token(purpose="speaker", pk=speaker.pk, nonce=speaker.link_nonce)


def read(token: str, **options: timedelta) -> Speaker:
    return read_token(purpose="speaker", token=token, queryset=Speaker.objects.all(), **options)


def test_token_opens_its_row() -> None:
    speaker = SpeakerFactory()
    assert read(token_for(speaker)) == speaker


def test_token_stands_in_an_address_as_it_is() -> None:
    token = token_for(SpeakerFactory())
    assert all(char.isalnum() or char in "-_.~" for char in token)


def test_every_changed_character_makes_it_invalid() -> None:
    token = token_for(SpeakerFactory())
    for position in range(len(token)):
        other = "A" if token[position] != "A" else "B"
        changed = token[:position] + other + token[position + 1 :]
        with pytest.raises(LinkError):
            read(changed)


@pytest.mark.parametrize("token", ["", "~", "a~b~c", "x" * 5000, "\0", "٣~٣~٣"])
def test_nonsense_opens_nothing(token: str) -> None:
    with pytest.raises(LinkError):
        read(token)


def test_token_of_another_purpose_opens_nothing() -> None:
    speaker = SpeakerFactory()
    with pytest.raises(LinkError):
        read(make_token(purpose="registration", pk=speaker.pk, nonce=speaker.link_nonce))


def test_revoked_token_opens_nothing() -> None:
    speaker = SpeakerFactory()
    token = token_for(speaker)
    Speaker.objects.update(link_nonce="another")
    with pytest.raises(LinkError):
        read(token)


def test_token_of_a_row_that_is_gone_opens_nothing() -> None:
    with pytest.raises(LinkError):
        read(make_token(purpose="speaker", pk=uuid.uuid4(), nonce="n"))


def test_old_token_says_that_it_expired(monkeypatch: pytest.MonkeyPatch) -> None:
    speaker = SpeakerFactory()
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() - 3600)
    token = token_for(speaker)
    monkeypatch.undo()
    assert read(token, life=timedelta(hours=2)) == speaker
    with pytest.raises(LinkExpired):
        read(token, life=timedelta(minutes=30))
