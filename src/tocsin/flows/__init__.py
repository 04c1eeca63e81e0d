"""Network flows: read, fingerprinted, kept as Parquet, labelled by alerts, exported. Needs the extra `flows`.

In the order in which a flow walks:

    kinds         what is kept of a flow, and of what was seen inside it (Zeek's other logs): one table of columns
    reading/      files of sensors -> rows: recognised by content, malformed lines kept aside
    fingerprint   AID and Community ID, in bulk
    catalogue     which files were read how far, and which parts of the data set count
    dataset       the parts, and the DuckDB that reads them
    labelling/    flows named by detections are malicious, others benign; scored against ground truth
    exporting/    labelled flows as TSV, JSON and Parquet

The data set lies in `flows/` of the data folder: `day=2026-11-22/kind=dns/4-0.parquet`, and `catalogue.sqlite`. A part
counts once the catalogue names it, so a killed import leaves nothing behind that anybody reads.
"""
