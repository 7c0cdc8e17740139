"""mediaprep: checks media files against a platform's upload limits, and repairs what fails with the least work.

    outcome = mediaprep.prepare("input.mov")            # probe, check, plan, transcode, verify
    outcome.upload                                      # path, media type, category, total bytes, chunked

The public face is all here; what is not named in ``__all__`` may change without notice.
"""

from __future__ import annotations
