"""From a planned output to a written file.

job             the value that every step takes: one output, its source and how to encode it
execute         dispatch by kind of output, and the decoding check of a finished file
video/          command, filters (scale_crop_pad, colour, timing, sound), encoders, presets,
                bit_rate, two_pass, cutting
gif/            filters, widths, width_search, draw, encode, blocks
image/          encode, strip_metadata
captions        SRT and WebVTT
measure, trial  quality of a finished encode, trial encodes for predictions
"""
