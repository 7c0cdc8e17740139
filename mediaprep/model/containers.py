"""Every file format that is recognised: one record each, and the walker it names.

To add a format, add a record to ``FORMATS`` and a module to ``probing/formats/``. Everything else
(magic numbers, demuxers, media types, suffixes, completeness, private metadata, the words that
profiles may use) is derived from the record.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from mediaprep.model.media import Kind

NO_METADATA = "none"
_JPEG2000_FILE = b"\0\0\0\x0cjP  \r\n\x87\n"
_JPEGXL_FILE = b"\0\0\0\x0cJXL \r\n\x87\n"
_ASF_HEADER = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_WTV_HEADER = bytes.fromhex("b7d800203749da11a64e0007e95ead8d")
_MOV_DEMUXER = "mov,mp4,m4a,3gp,3g2,mj2"


class FileFormat(NamedTuple):
    """One format of videos, sounds, pictures, animations or captions.

    Functions are named ``module:function``, with the module's name below ``probing/formats``. They
    are imported when a file of the format is read.

    name                  as in ``media.Container.format``, in profiles and in JSON
    kinds                 kinds of media that such a file may be, the usual one first

    Recognition:
    magic                 byte strings that such files begin with; () = only ``detect`` recognises
                          them
    identify              called with (source, first bytes) if ``magic`` matches, to return a
                          ``Sniffed`` or None (another format); "" = the magic number suffices
    detect                called with (source, first bytes) for files without a known magic number

    Reading:
    demuxer               ffmpeg's demuxer to force; None: ffmpeg must not read it, or cannot
    whitelist             demuxers that ffmpeg may use for it; "" = the forced one
    pillow                Pillow's names of its readers; () = Pillow cannot read it
    pillow_orients        Pillow applies the declared orientation when it decodes
    mediainfo             MediaInfo's parser (its class name without ``File_``); None = any
    completeness          called with the source to return (complete, reason); "" = the format does
                          not mark its end
    private_items         called with the source to return a list of ``PrivateItem``; "" = metadata
                          is not read; ``NO_METADATA`` = the format holds none
    animation             called with the source to return ``AnimationFacts``
    coded_picture         called with the source to return the spans of bytes of the coded picture,
                          for stills whose metadata can be removed without decoding; "" = cannot

    Timing of videos:
    iso_boxes             consists of ISO base media boxes
    starts_at_zero        its timeline begins at 0; False: at the first packet
    indexed               seeking lands at or before the requested time
    edit_lists            a copy to MP4 keeps its edit list; False: a copy begins with the picture
    presentation_times    packets carry presentation timestamps; False: the demuxer invents them
    millisecond_times     timestamps are rounded to milliseconds
    encrypted_tracks      called with the source to return the numbers of encrypted tracks, unless
                          the boxes state them
    declares_sar          its header has a field for the sample aspect ratio, 1:1 unless set;
                          rounded: for the display aspect ratio, as two 16-bit numbers
    mp4_packets           packets are stored byte for byte as in MP4

    Pictures:
    image_items           consists of image items (HEIF, ISO/IEC 23008-12), where a still comes
    first
    lossless              its pictures are not compressed lossily

    Output:
    media_type            as registered or as uploaders expect it; "" = no uploader takes it
    suffix                of file names; "" = the suffix of its kind's usual output
    other_suffixes        that such files have, too
    written_as            kinds of media that mediaprep writes in this format
    """

    name: str
    kinds: tuple[Kind, ...] = ("video",)
    magic: tuple[bytes, ...] = ()
    identify: str = ""
    detect: str = ""
    demuxer: str | None = None
    whitelist: str = ""
    pillow: tuple[str, ...] = ()
    pillow_orients: bool = False
    mediainfo: str | None = None
    completeness: str = ""
    private_items: str = ""
    animation: str = ""
    coded_picture: str = ""
    iso_boxes: bool = False
    starts_at_zero: bool = False
    indexed: bool = False
    edit_lists: bool = False
    presentation_times: bool = True
    millisecond_times: bool = False
    declares_sar: Literal["no", "exact", "rounded"] = "no"
    encrypted_tracks: str = ""
    mp4_packets: bool = False
    image_items: bool = False
    lossless: bool = False
    media_type: str = ""
    suffix: str = ""
    other_suffixes: tuple[str, ...] = ()
    written_as: tuple[Kind, ...] = ()


def of(name: str | None) -> FileFormat:
    """Return the record of a format; one without any capability for a name that has none."""
    return _BY_NAME.get(name or "", UNKNOWN)


def names(kind: Kind) -> tuple[str, ...]:
    """Return the formats of a kind that can be uploaded: those that a profile may name."""
    return tuple(r.name for r in FORMATS if kind in r.kinds and r.media_type)


def kind_of_suffix(suffix: str) -> Kind | None:
    """Return the usual kind of files with this suffix, such as ``.JPG``; None if it is unknown."""
    return _KIND_BY_SUFFIX.get(suffix.lower())


def written(kind: Kind) -> tuple[str, ...]:
    """Return the formats that media of a kind can be written in."""
    return tuple(record.name for record in FORMATS if kind in record.written_as)


UNKNOWN = FileFormat(name="unknown")

_MP4 = FileFormat(
    name="mp4",
    kinds=("video", "sound"),
    detect="isobmff:detect",
    demuxer="mov",
    whitelist=_MOV_DEMUXER,
    mediainfo="Mpeg4",
    completeness="isobmff:completeness",
    private_items="isobmff:private_items",
    iso_boxes=True,
    starts_at_zero=True,
    indexed=True,
    edit_lists=True,
    mp4_packets=True,
    media_type="video/mp4",
    suffix=".mp4",
    other_suffixes=(".m4v",),
    written_as=("video",),
)
_HEIF = FileFormat(
    name="heif",
    kinds=("image", "animation"),
    detect="isobmff:detect",
    demuxer="mov",
    whitelist=_MOV_DEMUXER,
    pillow=("HEIF",),
    pillow_orients=True,  # libheif applies irot and imir
    completeness="isobmff:completeness",
    private_items="isobmff:private_items",
    animation="isosequence:animation",
    image_items=True,
    media_type="image/heif",
    suffix=".heic",
    other_suffixes=(".heif", ".hif"),
)
_MATROSKA = FileFormat(
    name="matroska",
    kinds=("video", "sound"),
    magic=(b"\x1a\x45\xdf\xa3",),
    identify="matroska:identify",
    demuxer="matroska",
    whitelist="matroska,webm",
    mediainfo="Mk",
    completeness="matroska:completeness",
    private_items="matroska:private_items",
    encrypted_tracks="matroska:encrypted_tracks",
    starts_at_zero=True,
    indexed=True,
    millisecond_times=True,
    declares_sar="exact",
    mp4_packets=True,
    media_type="video/x-matroska",
    suffix=".mkv",
)
_CONTAINERS = (
    _MP4,
    _MP4._replace(
        name="mov",
        media_type="video/quicktime",
        suffix=".mov",
        other_suffixes=(".qt",),
        written_as=(),
    ),
    _MP4._replace(
        name="3gp",
        edit_lists=False,
        mp4_packets=False,
        media_type="video/3gpp",
        suffix=".3gp",
        other_suffixes=(".3g2",),
        written_as=(),
    ),
    _MATROSKA,
    _MATROSKA._replace(name="webm", mp4_packets=False, media_type="video/webm", suffix=".webm"),
    FileFormat(
        name="mpegts",
        kinds=("video", "sound"),
        detect="mpegts:detect",
        demuxer="mpegts",
        private_items="mpegts:private_items",
        media_type="video/mp2t",
        suffix=".ts",
        other_suffixes=(".mts", ".m2ts"),
    ),
    FileFormat(name="gxf", detect="streams:detect_gxf", demuxer="gxf"),
    FileFormat(name="roq", detect="streams:detect_roq", demuxer="roq"),
    FileFormat(name="mxf", detect="mxf:detect", demuxer="mxf", completeness="mxf:completeness"),
    FileFormat(name="dv", detect="dv:detect", demuxer="dv", completeness="dv:completeness"),
    FileFormat(
        name="raw-av1", detect="streams:detect_av1", demuxer="obu", private_items=NO_METADATA
    ),
    FileFormat(
        name="flic", detect="streams:detect_flic", demuxer="flic", private_items=NO_METADATA
    ),
    FileFormat(
        name="mpegps",
        kinds=("video", "sound"),
        detect="startcodes:detect",
        demuxer="mpeg",
        private_items=NO_METADATA,
        media_type="video/mpeg",
        suffix=".mpg",
        other_suffixes=(".mpeg", ".vob"),
    ),
    *(
        FileFormat(
            name=name, detect="startcodes:detect", demuxer=demuxer, private_items=NO_METADATA
        )
        for name, demuxer in (
            ("mpegvideo", "mpegvideo"),
            ("raw-hevc", "hevc"),
            ("raw-h264", "h264"),
            ("raw-mpeg4", "m4v"),
            ("raw-vc1", "vc1"),
            ("raw-vvc", "vvc"),
        )
    ),
    FileFormat(
        name="avi",
        kinds=("video", "sound"),
        magic=(b"RIFF",),
        identify="riff:identify",
        demuxer="avi",
        mediainfo="Riff",
        completeness="riff:completeness",
        private_items="riff:private_items",
        starts_at_zero=True,
        presentation_times=False,
        declares_sar="rounded",
        media_type="video/x-msvideo",
        suffix=".avi",
    ),
    FileFormat(
        name="flv",
        kinds=("video", "sound"),
        magic=(b"FLV\x01",),
        demuxer="flv",
        mediainfo="Flv",
        completeness="flv:completeness",
        private_items="flv:private_items",
        starts_at_zero=True,
        millisecond_times=True,
        media_type="video/x-flv",
        suffix=".flv",
    ),
    FileFormat(
        name="asf",
        kinds=("video", "sound"),
        magic=(_ASF_HEADER,),
        demuxer="asf",
        completeness="asf:completeness",
        private_items="asf:private_items",
        media_type="video/x-ms-asf",
        suffix=".wmv",
        other_suffixes=(".asf",),
    ),
    FileFormat(
        name="ogg",
        kinds=("video", "sound"),
        magic=(b"OggS",),
        identify="ogg:identify",
        demuxer="ogg",
        completeness="ogg:completeness",
        private_items="ogg:private_items",
        media_type="video/ogg",
        suffix=".ogv",
    ),
    FileFormat(name="wtv", magic=(_WTV_HEADER,), demuxer="wtv"),
    FileFormat(
        name="rm",
        kinds=("video", "sound"),
        magic=(b".RMF", b".ra\xfd"),
        identify="streams:identify_realmedia",
        demuxer="rm",
    ),
    FileFormat(
        name="ivf",
        magic=(b"DKIF",),
        demuxer="ivf",
        completeness="ivf:completeness",
        private_items=NO_METADATA,
    ),
    FileFormat(name="nut", magic=(b"nut/multimedia container\0",), demuxer="nut"),
    FileFormat(
        name="y4m",
        magic=(b"YUV4MPEG2",),
        demuxer="yuv4mpegpipe",
        completeness="y4m:completeness",
        private_items=NO_METADATA,
    ),
    FileFormat(name="nsv", magic=(b"NSVf", b"NSVs"), demuxer="nsv"),
    FileFormat(name="nuv", magic=(b"NuppelVideo\0", b"MythTVVideo\0"), demuxer="nuv"),
    FileFormat(name="dhav", magic=(b"DHAV",), demuxer="dhav"),
    FileFormat(name="smacker", magic=(b"SMK2", b"SMK4"), demuxer="smk"),
    FileFormat(name="bink", magic=(b"BIK",), demuxer="bink"),
)
_SOUNDS = (
    FileFormat(
        name="wav",
        kinds=("sound",),
        magic=(b"RIFF", b"RF64"),
        identify="riff:identify",
        demuxer="wav",
        completeness="riff:completeness",
        private_items="riff:private_items",
    ),
    FileFormat(
        name="aiff",
        kinds=("sound",),
        magic=(b"FORM",),
        identify="streams:identify_aiff",
        demuxer="aiff",
    ),
    FileFormat(name="eac3", kinds=("sound",), detect="sound:detect_dolby", demuxer="eac3"),
    FileFormat(name="ac3", kinds=("sound",), detect="sound:detect_dolby", demuxer="ac3"),
    FileFormat(name="dts", kinds=("sound",), detect="sound:detect_dts", demuxer="dts"),
    FileFormat(
        name="aac",
        kinds=("sound",),
        detect="sound:detect_aac",
        demuxer="aac",
        private_items="id3:private_items",
    ),
    FileFormat(
        name="mp3",
        kinds=("sound",),
        magic=(b"ID3",),
        identify="id3:identify",
        detect="sound:detect_mp3",
        demuxer="mp3",
        private_items="id3:private_items",
    ),
    *(
        FileFormat(name=name, kinds=("sound",), magic=(magic,), demuxer=demuxer)
        for name, magic, demuxer in (
            ("flac", b"fLaC", "flac"),
            ("caf", b"caff", "caf"),
            ("au", b".snd", "au"),
            ("amr", b"#!AMR", "amr"),
            ("w64", b"riff\x2e\x91\xcf\x11", "w64"),
            ("wavpack", b"wvpk", "wv"),
            ("ape", b"MAC ", "ape"),
        )
    ),
)
_PICTURES = (
    FileFormat(
        name="jpeg",
        kinds=("image",),
        magic=(b"\xff\xd8\xff",),
        identify="jpeg:identify",
        demuxer="jpeg_pipe",
        pillow=("JPEG", "MPO"),
        completeness="jpeg:completeness",
        private_items="jpeg:private_items",
        coded_picture="jpeg:coded_picture",
        media_type="image/jpeg",
        suffix=".jpg",
        other_suffixes=(".jpeg",),
        written_as=("image",),
    ),
    FileFormat(
        name="png",
        kinds=("image",),
        magic=(b"\x89PNG\r\n\x1a\n",),
        identify="png:identify",
        demuxer="png_pipe",
        pillow=("PNG",),
        completeness="png:completeness",
        private_items="png:private_items",
        coded_picture="png:coded_picture",
        lossless=True,
        media_type="image/png",
        suffix=".png",
        written_as=("image",),
    ),
    FileFormat(
        name="apng",
        kinds=("animation",),
        magic=(b"\x89PNG\r\n\x1a\n",),
        identify="png:identify",
        demuxer="apng",
        pillow=("PNG",),
        completeness="png:completeness",
        private_items="png:private_items",
        animation="png:animation",
        lossless=True,
        media_type="image/apng",
        suffix=".png",
    ),
    FileFormat(
        name="webp",
        kinds=("image", "animation"),
        magic=(b"RIFF",),
        identify="webp:identify",
        demuxer="webp_pipe",  # webp_anim for animations
        whitelist="webp_anim,webp_pipe",
        pillow=("WEBP",),
        completeness="webp:completeness",
        private_items="webp:private_items",
        animation="webp:animation",
        coded_picture="webp:coded_picture",
        media_type="image/webp",
        suffix=".webp",
        written_as=("image",),
    ),
    FileFormat(
        name="gif",
        kinds=("animation", "image"),
        magic=(b"GIF87a", b"GIF89a"),
        identify="gif:identify",
        demuxer="gif",
        pillow=("GIF",),
        completeness="gif:completeness",
        private_items="gif:private_items",
        animation="gif:animation",
        coded_picture="gif:coded_picture",
        lossless=True,
        media_type="image/gif",
        suffix=".gif",
        written_as=("animation",),
    ),
    _HEIF,
    _HEIF._replace(
        name="avif",
        pillow=("AVIF",),
        pillow_orients=False,
        media_type="image/avif",
        suffix=".avif",
        other_suffixes=(),
    ),
    FileFormat(
        name="tiff",
        kinds=("image",),
        magic=(b"II\x2a\x00", b"MM\x00\x2a", b"II\x2b\x00", b"MM\x00\x2b"),
        identify="tiff:identify",
        demuxer="tiff_pipe",
        pillow=("TIFF",),
        pillow_orients=True,  # by its orientation tag
        completeness="tiff:completeness",
        private_items="tiff:private_items",
        lossless=True,
        media_type="image/tiff",
        suffix=".tif",
        other_suffixes=(".tiff",),
    ),
    FileFormat(
        name="bmp",
        kinds=("image",),
        magic=(b"BM",),
        identify="bmp:identify",
        demuxer="bmp_pipe",
        pillow=("BMP", "DIB"),
        completeness="bmp:completeness",
        private_items=NO_METADATA,
        lossless=True,
        media_type="image/bmp",
        suffix=".bmp",
    ),
    FileFormat(
        name="jpeg2000",
        kinds=("image",),
        magic=(_JPEG2000_FILE, b"\xff\x4f\xff\x51"),
        identify="jpeg2000:identify",
        demuxer="j2k_pipe",
        pillow=("JPEG2000",),
        completeness="jpeg2000:completeness",
        media_type="image/jp2",
        suffix=".jp2",
    ),
    FileFormat(
        name="ico",
        kinds=("image",),
        magic=(b"\0\0\1\0",),
        identify="ico:identify",
        demuxer="ico",
        pillow=("ICO",),
        completeness="ico:completeness",
        private_items=NO_METADATA,
        lossless=True,
    ),
    FileFormat(
        name="psd",
        kinds=("image",),
        magic=(b"8BPS",),
        identify="raster:identify_psd",
        demuxer="psd_pipe",
        pillow=("PSD",),
        lossless=True,
    ),
    FileFormat(
        name="pnm",
        kinds=("image",),
        magic=(b"P",),
        identify="raster:identify_pnm",
        demuxer="ppm_pipe",  # or that of its variant
        pillow=("PPM",),
        private_items=NO_METADATA,
        lossless=True,
    ),
    FileFormat(
        name="pcx",
        kinds=("image",),
        magic=(b"\x0a",),
        identify="raster:identify_pcx",
        demuxer="pcx_pipe",
        pillow=("PCX",),
        private_items=NO_METADATA,
        lossless=True,
    ),
    FileFormat(
        name="sgi",
        kinds=("image",),
        magic=(b"\x01\xda",),
        identify="raster:identify_sgi",
        demuxer="sgi_pipe",
        pillow=("SGI",),
        lossless=True,
    ),
    FileFormat(
        name="qoi",
        kinds=("image",),
        magic=(b"qoif",),
        demuxer="qoi_pipe",
        pillow=("QOI",),
        private_items=NO_METADATA,
        lossless=True,
    ),
    FileFormat(
        name="dds",
        kinds=("image",),
        magic=(b"DDS ",),
        demuxer="dds_pipe",
        pillow=("DDS",),
        lossless=True,
    ),
    FileFormat(name="icns", kinds=("image",), magic=(b"icns",), pillow=("ICNS",), lossless=True),
    FileFormat(name="exr", kinds=("image",), magic=(b"\x76\x2f\x31\x01",), demuxer="exr_pipe"),
    FileFormat(
        name="jpegxl", kinds=("image",), magic=(b"\xff\x0a", _JPEGXL_FILE), demuxer="jpegxl_pipe"
    ),
)
_CAPTIONS = (
    FileFormat(
        name="srt",
        kinds=("subtitle",),
        detect="textual:detect",
        private_items=NO_METADATA,
        media_type="application/x-subrip",
        suffix=".srt",
        written_as=("subtitle",),
    ),
    FileFormat(
        name="webvtt",
        kinds=("subtitle",),
        detect="textual:detect",
        private_items=NO_METADATA,
        media_type="text/vtt",
        suffix=".vtt",
        written_as=("subtitle",),
    ),
    FileFormat(
        name="ass",
        kinds=("subtitle",),
        detect="textual:detect",
        private_items="textual:private_items",
        media_type="text/x-ssa",
        suffix=".ass",
        other_suffixes=(".ssa",),
    ),
)

FORMATS = (*_CONTAINERS, *_SOUNDS, *_PICTURES, *_CAPTIONS)
_BY_NAME = {record.name: record for record in FORMATS}
_KIND_BY_SUFFIX = {
    suffix: record.kinds[0]
    for record in reversed(FORMATS)  # the first format of a suffix is the usual one
    for suffix in (record.suffix, *record.other_suffixes)
    if suffix
}
