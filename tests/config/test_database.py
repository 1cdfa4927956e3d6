"""Connections to the database: kept for the next user, and never handed out dead."""

import psycopg
import pytest
from celery import shared_task
from django.db import connection


def current_backend() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


@pytest.mark.django_db(transaction=True)
def test_a_database_that_was_restarted_costs_nobody_an_error() -> None:
    before = current_backend()
    connection.close()
    names = {"NAME": "dbname", "USER": "user", "PASSWORD": "password", "HOST": "host", "PORT": "port"}
    wanted = {name: connection.settings_dict[key] for key, name in names.items()}
    with psycopg.connect(**wanted, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [before])  # waits until it has ended
    assert current_backend() != before


@pytest.mark.django_db
def test_a_task_that_is_called_in_a_transaction_leaves_it_open() -> None:
    @shared_task
    def look() -> int:
        return current_backend()

    before = current_backend()
    assert look.apply().get() == before == current_backend()
