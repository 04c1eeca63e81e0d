"""Flows asked for in the query language: the same grammar and the same tree as for alertgroups, over other fields.

In the order in which a question walks:

    fields        what can be asked of a flow, and in which columns the answer stands
    addresses     addresses and networks as SQL, without an extension of DuckDB
    conditions    one condition on one column, as SQL
    asked         a query -> which kinds, which span of time, which rows
    warm          the DuckDB that stays open between two questions
    paging        a page of flows, newest or oldest first, with their labels
    counting      how many there are, over time and by host
    tallying      addresses, ports and kinds, from one look
"""
