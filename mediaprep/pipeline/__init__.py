"""From a source to verified, published outputs.

request            what one run is to do
inspect            open, probe, check, and plan on request
prepare            all stages in order
output_paths       where outputs go, decided before any work
encode_and_verify  one output in a work file
publish            all outputs of a run at once, or none
outcome            the result, and what an uploader needs of it (upload_record)
post               several sources as the attachments of one post
notes              what an output lacks of what was requested
"""
