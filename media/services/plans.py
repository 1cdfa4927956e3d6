"""What is to be made of a package's source, by the table that the package was begun with."""

from media import recipe
from media.models import Package
from media.recipe import Recipe
from media.source import EncodingPlan, SourceFacts, plan_encoding

RECIPE = "recipe"  # in Package.analysis


def plan_of(package: Package) -> tuple[SourceFacts, EncodingPlan]:
    """Return what is known of the source, and what follows from it. The same as long as the package lives."""
    facts = SourceFacts.from_json(package.asset.probe)
    kept = package.analysis.get(RECIPE)
    table = Recipe.from_data(kept, place="the package's own table") if kept else recipe.current()
    return facts, plan_encoding(facts, table)
