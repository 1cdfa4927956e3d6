"""How API lists are paged."""

from rest_framework import pagination


class CursorPagination(pagination.CursorPagination):
    """Newest first; a page's cost does not grow with its depth."""

    ordering = ("-created_at", "-id")
    page_size = 50
    max_page_size = 200
    page_size_query_param = "page_size"
