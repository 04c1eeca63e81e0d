"""The loss finder: numbered alerts, a server that is shot at, and a count afterwards.

A round is `rounds.run(Plan)`. Its parts, in the order in which an alert meets them:

    numbers     what is sent: numbered messages whose every row carries a mark that is found again anywhere
    senders     threads that post them, and send again what nobody answered
    hub         the real server as a process of its own
    faults      what is done to it, drawn from a seed
    moves       what a person does meanwhile over the API: lanes held, rules, decisions, replays, draining
    deeds       the book of that: what may be silenced, dropped, paused or sent again, and what may not
    receiver    the webhooks at the far end, which misbehave; one is not cleared for everything
    posts       Slack and a mail server, which do too
    gathering   afterwards: what stands in the store, the files, at the receivers
    verdict     what of all this is missing, doubled, torn or invented: pure, and tested by itself
    ledger      whether everything owed is delivered, or stands visibly where somebody wanted it: pure too
    report      a text from which the round can be run again

Run one by hand: `PYTHONPATH=tests python -m loss --engine sqlite --seed 7`.
"""
