"""Labelled flows for others: as Slips writes them, or with a column for each field; TSV, JSON and Parquet.

In the order in which it happens:

    shape      the text of SQL that makes the rows, apart from what writes them
    portions   what is written in one go, in which order
    files      the file that appears once it is complete, and what there is of it until then
    export     all of it
"""
