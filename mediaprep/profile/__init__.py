"""Profiles: what a platform accepts, as dated data with a source for every limit. TOML in, frozen values out.

A name is ``twitter``, ``twitter/dm_video``, a path ``./x.toml`` or ``./x.toml/dm_video``, or a profile of the user's own, kept as
``NAME.toml`` in the ``profiles`` folder of the user's mediaprep configuration. A bundled name always means the bundled profile.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from mediaprep.errors import ProfileError, UsageProblem
from mediaprep.model.limits import Attachments
from mediaprep.model.media import Kind
from mediaprep.model.placement import Placement, Requirement

SUFFIX = ".toml"
SCHEMA_NAME = "profile.schema.json"
DEFAULT = "twitter"


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One platform.

    source, date  where its limits are written, and the day they were read (ISO)
    specs         what each placement accepts, by category, in the file's order
    defaults      the category meant for each kind where none is named
    post          what one post may carry; None: the profile does not say
    digest        sha256 of the content in canonical form: comments and layout do not count, every limit and source does
    """

    name: str
    title: str
    source: str
    date: str
    placements: Mapping[str, Placement]
    defaults: Mapping[Kind, str]
    post: Requirement | None
    digest: str

    def placement_for(self, kind: Kind | None, category: str | None = None) -> Placement:
        """What the category accepts; without one, the profile's default for the kind of content, and for a kind that it does not take the
        first default: there ``file-kind`` says what was wanted. Raises: ProfileError for an unknown category."""
        wanted = (
            category or (kind and self.defaults.get(kind)) or next(iter(self.defaults.values()))
        )
        if wanted not in self.placements:
            raise ProfileError(
                [f"{self.name}: no category {wanted!r}{likely(wanted, self.placements)}"]
            )
        return self.placements[wanted]

    def companions(self, placement: Placement) -> Mapping[Kind, Placement]:
        """The placements for what becomes another kind on its way to ``placement``: those of its family (``dm_gif``, ``dm_video``), else the
        defaults."""
        family = placement.category.partition("_")[0] + "_"
        found = {kind: self.placements[category] for kind, category in self.defaults.items()}
        for other in reversed(list(self.placements.values())):
            if other.category.startswith(family):
                found[other.kind] = other
        return {kind: other for kind, other in found.items() if other.kind == kind}


def load(path: Path) -> Profile:
    """The profile in a TOML file. Raises ProfileError with every problem, one line each: ``file: key.path: what``."""
    from mediaprep.profile import cache

    if (known := cache.read(path, Profile)) is not None:
        return known
    read: dict[Path, bytes] = {}
    made = _parsed(path, read)
    cache.write(path, made, read)
    return made


def _parsed(path: Path, read: dict[Path, bytes]) -> Profile:
    """``read`` gets the bytes of every file that it was made of."""
    from mediaprep.profile import file as profile_file

    raw = _read(path, read)
    content = profile_file.parse(raw, str(path), base=lambda name: _read(_locate(name), read))
    header, post = content.header, content.post
    placements = {
        category: Placement(
            profile=header.name,
            category=category,
            kind=table.kind,
            requirements=table.requirements(header.date),
            encoding=table.target(),
        )
        for category, table in content.categories.items()
    }
    bare = Profile(
        name=header.name,
        title=header.title,
        source=header.source,
        date=header.date,
        placements=placements,
        defaults=content.defaults,
        post=None if post is None else post.requirement("post-attachments", header.date),
        digest="",
    )
    return dataclasses.replace(bare, digest=_digest(bare))


def bundled() -> tuple[str, ...]:
    """The names of the profiles that come with mediaprep, the default first."""
    names = sorted(path.stem for path in folder().glob(f"*{SUFFIX}"))
    return tuple(sorted(names, key=lambda name: name != DEFAULT))


def own() -> tuple[str, ...]:
    """The names of the user's own profiles, without those that a bundled name hides."""
    return tuple(sorted({path.stem for path in own_folder().glob(f"*{SUFFIX}")} - set(bundled())))


def folder() -> Path:
    """Where the bundled profiles are: the checkout's folder when running from a checkout, so that an edit is seen; else the package's."""
    package = Path(__file__).resolve().parent.parent
    beside = package.parent / "profiles"
    if beside.is_dir() and (package.parent / "pyproject.toml").is_file():
        return beside
    return package / "profiles"


def own_folder() -> Path:
    """Where the user's own profiles are looked for."""
    from platformdirs import user_config_path

    return user_config_path("mediaprep", appauthor=False) / "profiles"


def find_profile(name: str) -> Profile:
    """The profile of a name or path; a category after it is passed over. Raises ProfileError, with the likely name where there is none."""
    path = _locate(split_name(name)[0])
    try:
        stat = path.stat()
    except OSError as problem:
        raise ProfileError([f"{path}: cannot be read: {problem.strerror}"]) from problem
    return _loaded(path, stat.st_mtime_ns, stat.st_size)


def find_placement(name: str, category: str | None = None, kind: Kind | None = None) -> Placement:
    """What a placement accepts.

    Without a category in ``name`` or ``category`` it is the profile's default for the kind of content (a post's). For a kind that the
    profile does not take, and for None, it is the profile's first default: there ``file-kind`` says what was wanted.
    Raises: ProfileError for an unknown profile or category, UsageProblem for two categories that differ.
    """
    _, named = split_name(name)
    if named and category and named != category:
        raise UsageProblem(f"two categories: {named!r} in {name!r}, and {category!r}; name one")
    return find_profile(name).placement_for(kind, named or category)


def split_name(name: str) -> tuple[str, str | None]:
    """``twitter/dm_video`` -> (``twitter``, ``dm_video``); ``dir/x.toml`` -> (``dir/x.toml``, None)."""
    if name.endswith(SUFFIX) or "/" not in name:
        return name, None
    head, _, category = name.rpartition("/")
    return head, category or None


def likely(word: str, known: Iterable[str]) -> str:
    """``; did you mean 'x'?``, or the known words where none is near."""
    import difflib

    names = list(known)
    near = difflib.get_close_matches(word, names, n=1)
    return f"; did you mean {near[0]!r}?" if near else f"; known: {', '.join(names)}"


def draft(name: str, like: str) -> str:
    """The text of a new profile, each category like that of another one that is found by name.

    Raises: ProfileError, UsageProblem for a bad name or for a path in ``like``.
    """
    if not re.fullmatch(r"[a-z][a-z0-9-]*", name):
        raise UsageProblem(f"{name!r}: a profile's name is lower-case letters, digits and -")
    if "/" in like or like.endswith(SUFFIX):
        raise UsageProblem(
            f"{like!r}: a new profile builds on one that is found by its name, not by a path or a placement"
        )
    base, quoted = find_profile(like), json.dumps
    blocks = [
        f"#:schema {folder() / SCHEMA_NAME}",
        f"# A key given here replaces that of {like}; `mediaprep profiles show {like}` lists them all.",
        f"\n[profile]\nname = {quoted(name)}\ntitle = {quoted(name)}\nsource = {quoted(base.source)}\ndate = {quoted(base.date)}",
        "\n[profile.defaults]",
        *(f"{kind} = {quoted(category)}" for kind, category in base.defaults.items()),
    ]
    if base.post is not None and isinstance(limit := base.post.limit, Attachments):
        counts = (
            f"images = {limit.images}, animations = {limit.animations}, videos = {limit.videos}"
        )
        gate = f", gate = {quoted(base.post.gate)}" if base.post.gate else ""
        blocks.append(
            f"\n[post]\npost-attachments = {{ {counts}, level = {quoted(base.post.level)}{gate}, source = {quoted(base.post.source)} }}"
        )
    blocks += [
        f"\n[{key}]\nkind = {quoted(placement.kind)}\nlike = {quoted(f'{like}/{key}')}"
        for key, placement in base.placements.items()
    ]
    return "\n".join(blocks) + "\n"


def schema() -> dict[str, Any]:
    """The JSON Schema of a profile, for editors. It knows keys and shapes; what a ``like`` supplies only ``load`` can tell."""
    from mediaprep.profile import file as profile_file

    return profile_file.schema()


@lru_cache(maxsize=64)
def _loaded(path: Path, mtime_ns: int, size: int) -> Profile:
    return load(path)


def _locate(name: str) -> Path:
    if name.endswith(SUFFIX):
        return Path(name).expanduser()
    if name in bundled():
        return folder() / f"{name}{SUFFIX}"
    if name not in own():
        raise ProfileError([f"no profile {name!r}{likely(name, (*bundled(), *own()))}"])
    return own_folder() / f"{name}{SUFFIX}"


def _read(path: Path, read: dict[Path, bytes]) -> Mapping[str, Any]:
    """The tables of a file. Another profile is named, never given by its path, so that one means the same from every folder."""
    import tomllib

    try:
        data = read[path] = path.read_bytes()
        return tomllib.loads(data.decode("utf-8"))
    except OSError as problem:
        raise ProfileError([f"{path}: cannot be read: {problem.strerror}"]) from problem
    except UnicodeDecodeError as problem:
        raise ProfileError([f"{path}: not UTF-8 at byte {problem.start}"]) from problem
    except tomllib.TOMLDecodeError as problem:
        raise ProfileError([f"{path}: not TOML: {problem}"]) from problem


def _digest(profile: Profile) -> str:
    import hashlib

    text = json.dumps(
        dataclasses.asdict(profile), sort_keys=True, default=str, separators=(",", ":")
    )
    return hashlib.sha256(text.encode()).hexdigest()
