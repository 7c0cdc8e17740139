"""Files that are recognised only to be refused by name."""

from __future__ import annotations

EXPECTED = "expected a video, an animation, a picture or captions"
CAMERA_RAW = rb"FUJIFILMCCD-RAW|II\x2a\x00.{4}CR\x02|IIR[OS]|IIU\x00|MMOR"
_ARCHIVE = (
    rb"PK\x03\x04|PK\x05\x06|Rar!|7z\xbc\xaf\x27\x1c|\x1f\x8b|BZh\d|\xfd7zXZ|\x28\xb5\x2f\xfd"
    rb"|.{257}ustar"
)
_PROGRAM = rb"MZ|\x7fELF|\xfe\xed\xfa[\xce\xcf]|[\xce\xcf]\xfa\xed\xfe|\xca\xfe\xba\xbe|#!"
REFUSED = (  # regular expressions of first bytes, and what they stand for
    (rb"%PDF", "a PDF document"),
    (_ARCHIVE, "an archive"),
    (_PROGRAM, "a program"),
    (rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an Office document"),
    (rb"SQLite format 3", "a database"),
    (rb"[FCZ]WS[\x01-\x40]", "a Flash program (SWF)"),
    (CAMERA_RAW, "a camera raw picture"),
    (rb"%!PS|\xc5\xd0\xd3\xc6", "a PostScript document"),
    (rb"\{\\rtf", "an RTF document"),
    (rb"MThd", "a MIDI score"),
)
