"""What doctor says of slides."""

import pytest

from events import doctor


def test_this_machine_can_draw_slides() -> None:
    assert [(check.name, check.ok) for check in doctor.checks()] == [
        ("presentations (LibreOffice)", True),
        ("fonts", True),
    ]


def test_without_libreoffice_doctor_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("events.doctor.shutil.which", lambda name: None)
    office, _fonts = doctor.checks()
    assert office.ok is False
    assert "libreoffice-impress" in office.advice
