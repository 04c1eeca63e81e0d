"""Labels: a flow that an alert names is malicious, any other benign. Nothing is stored with the flow.

In the order in which it happens:

    detections    what alerts say of flows, kept beside the flows and brought up to date from the store
    prepared      one connection's tables of it, laid out for joins by hash
    expression    rows -> the same rows with `label, alertgroup, alert, category`: one text of SQL
    score         labels against the ground truth that stands in labelled logs
"""
