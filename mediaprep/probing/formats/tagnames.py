"""Classify tags by their names: which kind of private metadata they are, in any container."""

from __future__ import annotations

import re

from mediaprep.model.media import PrivateItem

# Whole names; those of four letters are ID3v2 frames and RIFF INFO chunks.
_NAMES = (
    (
        "",  # says nothing about a person
        "encoder encoded_by encodersettings encoder_settings encoding_tool encoding_settings "
        "handler_name handler vendor_id major_brand minor_version compatible_brands duration bps "
        "number_of_frames number_of_bytes language track disc compilation fps rotate "
        "metadatacreator itunsmpb bitrate bpm rating filesize metadata_profile stereo_mode "
        "alpha_mode source_id frame_count timecode tlen tsse trck tpos tflt tmed tenc tbpm isft "
        "iprt",
    ),
    ("location", "iarl geob"),
    ("device", "ismd isrf"),
    (
        "owner",
        "icop ieng iart icms itch tpe1 tpe2 tpe3 tpe4 tcop tcom tpub town text tolly priv ufid "
        "wcop tope toly",
    ),
    (
        "comment",
        "icmt inam ignr ikey isbj tit1 tit2 tit3 talb tcon comm uslt txxx wxxx url purl",
    ),
    ("time", "icrd idit tdrc tyer tdat tdrl tden tdor tory"),
    ("thumbnail", "apic pic"),
)
_EXACT = {name: kind for kind, names in _NAMES for name in names.split()}
_WORDS = (
    ("location", r"location|gps|latitude|longitude|coordinate|city|country|iso6709|altitude"),
    (
        "device",
        r"make|model|manufacturer|camera|lens|serial|device|firmware|android|hardware|originating"
        r"|imei|udid|mobile",
    ),
    (
        "owner",
        r"artist|author|creator|owner|copyright|performer|director|producer|composer|publisher"
        r"|writer|photographer",
    ),
    ("owner", r"license|rights|credit|user|email|account|purchase|apple_?id|person"),
    (
        "comment",
        r"title|comment|description|synopsis|summary|keyword|subject|album|genre|name|information"
        r"|lyrics|caption|chapter|note",
    ),
    ("time", r"date|time|year"),
)
_STATISTICS = ("_statistics", "com.apple.quicktime.full_frame_rate")


def kind_of(name: str) -> str:
    """Return the kind of metadata that a tag of this name holds.

    ``location``, ``device``, ``owner``, ``comment``, ``time``, ``thumbnail``, or ``""`` for a tag
    that says nothing about a person (encoder, statistics). A tag of any other name is a
    ``comment``: free text may hold anything.
    """
    plain = re.sub(r"[\s-]+", "_", name.strip().lower())
    if plain.startswith(_STATISTICS):
        return ""
    exact = _EXACT.get(plain, _EXACT.get(plain.rsplit(".", 1)[-1]))
    if exact is not None:
        return exact
    return next((kind for kind, words in _WORDS if re.search(words, plain)), "comment")


def named(name: str, where: str) -> tuple[PrivateItem, ...]:
    """Return the private item of a tag; () if it is not private."""
    kind = kind_of(name)
    return (PrivateItem(kind=kind, where=where),) if kind else ()
