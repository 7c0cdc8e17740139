"""Find a profile or placement by its name.

A name is ``twitter``, ``twitter/dm_video``, a path ``./x.toml`` or ``./x.toml/dm_video``, or the
name of a profile of the user: ``NAME.toml`` in the folder ``profiles`` of the user's mediaprep
configuration. A bundled name always means the bundled profile.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from mediaprep.errors import ProfileError, UsageProblem
from mediaprep.model.media import Kind
from mediaprep.model.options import DEFAULT_PROFILE
from mediaprep.model.placement import Placement
from mediaprep.profile import compiled
from mediaprep.profile.profile import Profile
from mediaprep.profile.suggest import similar_or_all

SUFFIX = ".toml"
SCHEMA_NAME = "profile.schema.json"
DEFAULT = DEFAULT_PROFILE


def bundled() -> tuple[str, ...]:
    """Return the names of the profiles that come with mediaprep, the default first."""
    names = sorted(path.stem for path in folder().glob(f"*{SUFFIX}"))
    return tuple(sorted(names, key=lambda name: name != DEFAULT))


def own() -> tuple[str, ...]:
    """Return the names of the user's profiles, without those that a bundled profile hides."""
    return tuple(sorted({path.stem for path in own_folder().glob(f"*{SUFFIX}")} - set(bundled())))


def folder() -> Path:
    """Return the folder of the bundled profiles.

    In a checkout it is the folder beside the package, even if an editable installation has left a
    copy inside the package: edits take effect at once.
    """
    package = Path(__file__).resolve().parent.parent
    beside = package.parent / "profiles"
    if beside.is_dir() and (package.parent / "pyproject.toml").is_file():
        return beside
    return package / "profiles"


def own_folder() -> Path:
    """Return the folder of the user's profiles."""
    from platformdirs import user_config_path  # only needed for names that are not bundled

    return user_config_path("mediaprep", appauthor=False) / "profiles"


def find_profile(name: str) -> Profile:
    """Return the profile of a name or path; a category in the name is ignored.

    Raises: ProfileError, with the most similar name if the profile does not exist.
    """
    path = locate(split_name(name)[0])
    try:
        stat = path.stat()
    except OSError as problem:
        raise ProfileError([f"{path}: cannot be read: {problem.strerror}"]) from problem
    return _loaded(path, stat.st_mtime_ns, stat.st_size)


def find_placement(name: str, category: str | None = None, kind: Kind | None = None) -> Placement:
    """Return the placement of a name or path, and a category.

    Without a category it is the default of the profile for the kind of media, and for None the
    first default; see ``Profile.placement_for``.
    Raises: ProfileError for an unknown profile or category, UsageProblem for two categories that
    differ.
    """
    _, named = split_name(name)
    if named and category and named != category:
        raise UsageProblem(f"two categories: {named!r} in {name!r}, and {category!r}; name one")
    return find_profile(name).placement_for(kind, named or category)


def split_name(name: str) -> tuple[str, str | None]:
    """Split ``twitter/dm_video`` into (``twitter``, ``dm_video``).

    Without a category the second is None: (``dir/x.toml``, None).
    """
    if name.endswith(SUFFIX) or "/" not in name:
        return name, None
    head, _, category = name.rpartition("/")
    return head, category or None


def locate(name: str) -> Path:
    """Return the path of a profile's TOML file.

    Raises: ProfileError for an unknown name.
    """
    if name.endswith(SUFFIX):
        return Path(name).expanduser()
    if name in bundled():
        return folder() / f"{name}{SUFFIX}"
    if name not in own():
        suggestion = similar_or_all(name, (*bundled(), *own()))
        raise ProfileError([f"no profile {name!r}{suggestion}"])
    return own_folder() / f"{name}{SUFFIX}"


@lru_cache(maxsize=64)
def _loaded(path: Path, mtime_ns: int, size: int) -> Profile:
    """Return the profile in a file; time and size are arguments so that an edit is noticed."""
    if path.parent == folder() and (profile := compiled.read(path)) is not None:
        return profile
    from mediaprep.profile.load import load  # imports pydantic

    return load(path)
