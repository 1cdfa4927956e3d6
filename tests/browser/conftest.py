"""The browser and the live site of these tests."""

from tests.support.browser import browser, visit

__all__ = ["browser", "visit"]
