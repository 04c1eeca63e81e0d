"""The pages of network flows; not to be taken for `pages/flow`, which shows how alerts flow through the hub.

wish        what the address bar asks for
lines       a flow as a line of a table
listing     the search, and the flows of one alertgroup
drawn       how many there were over time
host        what one address did
one         a flow with everything that is known of it
completing  what the search box offers
"""

from tocsin.web.pages.flows import completing, drawn, host, listing, one

__all__ = ["completing", "drawn", "host", "listing", "one"]
