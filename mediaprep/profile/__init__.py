"""Profiles: what a platform accepts, as dated data with a source for every limit.

``find`` looks a profile up by name, ``load`` reads and checks a TOML file, ``compiled`` holds the
checked form of the bundled profiles. ``limit_tables`` and ``categories`` are the models of the TOML
file, derived from the registry of rules; they import pydantic and are imported only to load a file.
"""

from mediaprep.profile.draft import draft
from mediaprep.profile.find import (
    DEFAULT,
    SCHEMA_NAME,
    SUFFIX,
    bundled,
    find_placement,
    find_profile,
    folder,
    own,
    own_folder,
    split_name,
)
from mediaprep.profile.profile import Profile
from mediaprep.profile.suggest import similar_or_all

__all__ = [
    "DEFAULT",
    "Profile",
    "SCHEMA_NAME",
    "SUFFIX",
    "bundled",
    "draft",
    "find_placement",
    "find_profile",
    "folder",
    "own",
    "own_folder",
    "similar_or_all",
    "split_name",
]
