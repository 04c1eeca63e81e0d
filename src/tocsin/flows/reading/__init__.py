"""Files of sensors -> rows. Each form has a file of its own; `forms` asks them in turn whose a file is.

reader     what a form is and does
pieces     a file cut into pieces of whole lines, while its content is digested
zeek_tab   Zeek's logs, tab-separated
zeek_json  Zeek's logs, one JSON object a line
"""
