"""The mail server of these tests."""

from tests.support.smtp import smtp

__all__ = ["smtp"]
