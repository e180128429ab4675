"""SOQL, from text to rows: `parser` reads it, `resolve` finds what its names mean, `conditions` and `aggregates`
turn it into functions of rows, `run` answers it. A construct that is not known is refused as MALFORMED_QUERY,
never ignored.
"""
