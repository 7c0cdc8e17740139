"""What kind of private metadata a tag is, by its name. Containers spell the same thing in many ways; here they have one home."""

from __future__ import annotations

import re

from mediaprep.model.media import PrivateItem

_NAMES = (  # whole names; those of four letters are ID3v2 frames and RIFF INFO chunks
    (
        "",
        "encoder encoded_by encodersettings encoder_settings encoding_tool encoding_settings handler_name handler vendor_id major_brand",
    ),
    (
        "",
        "minor_version compatible_brands duration bps number_of_frames number_of_bytes language track disc compilation fps rotate",
    ),
    (
        "",
        "metadatacreator itunsmpb bitrate bpm rating filesize metadata_profile stereo_mode alpha_mode source_id frame_count timecode",
    ),
    ("", "tlen tsse trck tpos tflt tmed tenc tbpm isft iprt"),
    ("location", "iarl geob"),
    ("device", "ismd isrf"),
    (
        "owner",
        "icop ieng iart icms itch tpe1 tpe2 tpe3 tpe4 tcop tcom tpub town text tolly priv ufid wcop tope toly",
    ),
    ("comment", "icmt inam ignr ikey isbj tit1 tit2 tit3 talb tcon comm uslt txxx wxxx url purl"),
    ("time", "icrd idit tdrc tyer tdat tdrl tden tdor tory"),
    ("thumbnail", "apic pic"),
)
_EXACT = {name: kind for kind, names in _NAMES for name in names.split()}
_WORDS = (
    ("location", "location|gps|latitude|longitude|coordinate|city|country|iso6709|altitude"),
    (
        "device",
        "make|model|manufacturer|camera|lens|serial|device|firmware|android|hardware|originating|imei|udid|mobile",
    ),
    (
        "owner",
        "artist|author|creator|owner|copyright|performer|director|producer|composer|publisher|writer|photographer",
    ),
    ("owner", "license|rights|credit|user|email|account|purchase|apple_?id|person"),
    (
        "comment",
        "title|comment|description|synopsis|summary|keyword|subject|album|genre|name|information|lyrics|caption|chapter|note",
    ),
    ("time", "date|time|year"),
)
_KINDS = tuple((kind, re.compile(words)) for kind, words in _WORDS)


def kind_of(name: str) -> str:
    """``location``, ``device``, ``owner``, ``comment``, ``time``, ``thumbnail``, or ``""`` for what says nothing of a person
    (encoder, statistics). A name that is not known is a ``comment``: free text may hold anything."""
    plain = re.sub(r"[\s-]+", "_", name.strip().lower())
    last = plain.rsplit(".", 1)[-1]
    if plain.startswith(("_statistics", "com.apple.quicktime.full_frame_rate")):
        return ""
    exact = _EXACT.get(plain, _EXACT.get(last))
    if exact is not None:
        return exact
    return next((kind for kind, words in _KINDS if words.search(plain)), "comment")


def named(name: str, where: str) -> tuple[PrivateItem, ...]:
    """The item for one tag, if it is one."""
    kind = kind_of(name)
    return (PrivateItem(kind=kind, where=where),) if kind else ()
