"""Organisers' and speakers' pages. Views translate; services of the apps below decide."""
