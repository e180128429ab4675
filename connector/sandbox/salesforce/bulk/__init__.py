"""Bulk API 2.0 and the older Bulk API: jobs that read or write many records while the client waits.

`jobs` is what a job is and when it is its turn, `tables` CSV, `extracts` and `loads` the work of reading and of
writing, `processing` lets jobs run. `query_jobs` and `ingest_jobs` answer for Bulk API 2.0, with what they share in
`shapes`; `classic` answers for the Bulk API, in the `notations` JSON and XML.
"""
