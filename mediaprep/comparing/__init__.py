"""Source and output, content against content: an independent reference that shares no transcoding
code.
"""
