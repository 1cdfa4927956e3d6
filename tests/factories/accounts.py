"""People and organisations for tests."""

import factory

from accounts.models import Membership, Organisation, Role, User

PASSWORD = "correct horse battery staple"


class UserFactory(factory.django.DjangoModelFactory[User]):
    """A person with an account and the password `PASSWORD`; pass `is_superuser=True` for an administrator."""

    class Meta:
        model = User
        skip_postgeneration_save = True

    email = factory.Sequence(lambda n: f"person{n}@example.org")
    name = factory.Sequence(lambda n: f"Person {n}")
    language = "en"
    password = factory.django.Password(PASSWORD)


class OrganisationFactory(factory.django.DjangoModelFactory[Organisation]):
    class Meta:
        model = Organisation

    name = factory.Sequence(lambda n: f"Organisation {n}")
    slug = factory.Sequence(lambda n: f"organisation-{n}")
    time_zone = "Europe/Brussels"
    contact_email = factory.LazyAttribute(lambda o: f"contact@{o.slug}.example.org")


class MembershipFactory(factory.django.DjangoModelFactory[Membership]):
    """A person's role in an organisation; an organiser unless `role` says otherwise."""

    class Meta:
        model = Membership

    user = factory.SubFactory(UserFactory)
    organisation = factory.SubFactory(OrganisationFactory)
    role = Role.ORGANISER
