import pytest

import sandbox
from media import doctor


def test_this_machine_has_all_that_is_needed() -> None:
    answers = {check.name: check for check in doctor.checks()}
    assert [check for check in answers.values() if check.ok is False] == []
    assert answers["sandbox"].ok is True
    assert "h264" in answers["allowed codecs"].detail


@pytest.mark.parametrize(
    ("version", "is_ok"),
    [
        ("5.1.9-0+deb12u1", None),
        ("7.1.4", None),
        ("7.1.5", True),
        ("n8.0.2", None),
        ("8.0.3", True),
        ("8.1.2-static", True),
        ("9.0", True),
        ("7.0.9", None),
        ("N-120000-gabcdef", None),
    ],
)
def test_versions_with_a_known_hole_raise_a_warning(version: str, is_ok: bool | None) -> None:
    assert doctor.version_check("ffmpeg", version).ok is is_ok


def test_hidden_bubblewrap_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    sandbox.level.cache_clear()
    try:
        check = next(iter(doctor.checks()))
    finally:
        sandbox.level.cache_clear()
    assert check.ok is None
    assert "bubblewrap" in check.advice


def test_missing_fonts_are_named_with_the_packages_that_have_them() -> None:
    found = doctor.fonts_check(lambda: {"Deva": "fonts-noto-core", "Hani": "fonts-noto-cjk"})
    assert found.ok is None
    assert "Deva, Hani" in found.detail
    assert "apt-get install fonts-noto-cjk fonts-noto-core" in found.advice


def test_the_fonts_of_all_scripts_are_installed_here() -> None:
    assert doctor.fonts_check(doctor._missing_scripts).ok is True
