"""The pages: drawn on the server, made quicker by a little script, and whole without it.

`PAGES` are their rows of the table of routes; `show_failure` is what a browser sees when one of them fails.
"""

from tocsin.web.door import Route
from tocsin.web.pages import (
    alerts,
    changes,
    completing,
    entities,
    entry,
    files,
    flow,
    lanes,
    language,
    mail,
    messages,
    parked,
    quarantine,
    repeats,
    rules,
    views,
)
from tocsin.web.pages.drawing import posting, reading
from tocsin.web.pages.failures import show_failure

PAGES: list[Route] = [
    Route(["GET"], "/static/{digest}/{name:path}", "none", files.serve),
    Route(["GET"], "/sign-in", "none", entry.sign_in_page),
    Route(["POST"], "/sign-in", "none", entry.sign_in),
    Route(["POST"], "/sign-out", "viewer", entry.sign_out),
    Route(["POST"], "/theme", "none", entry.theme),
    Route(["GET"], "/", "viewer", alerts.home),
    Route(["GET"], "/alerts", "viewer", reading(alerts.alerts)),
    Route(["GET"], "/alerts/complete", "viewer", reading(completing.offers)),
    Route(["GET"], "/alerts/news", "viewer", reading(alerts.news)),
    Route(["GET"], "/alerts/{id}", "viewer", reading(alerts.one)),
    Route(["GET"], "/alerts/{id}/now", "viewer", reading(alerts.now)),
    Route(["GET"], "/alerts/{id}/rows", "viewer", reading(alerts.rows)),
    Route(["GET"], "/alerts/{id}/entities", "viewer", reading(entities.of_alertgroup)),
    Route(["GET"], "/entity", "viewer", reading(entities.look)),
    Route(["POST"], "/alerts/{id}/status", "analyst", posting(changes.status)),
    Route(["POST"], "/alerts/{id}/undo", "analyst", posting(changes.undo)),
    Route(["POST"], "/alerts/{id}/labels", "analyst", posting(changes.labels)),
    Route(["GET"], "/alerts/{id}/repeats", "viewer", reading(repeats.listing)),
    Route(["POST"], "/alerts/{id}/repeats", "analyst", posting(repeats.act)),
    Route(["POST"], "/deliveries/{id}", "analyst", posting(changes.owed)),
    Route(["GET"], "/alerts/{id}/original", "analyst", reading(messages.original)),
    Route(["GET"], "/alerts/{id}/original/download", "analyst", reading(messages.original_bytes)),
    Route(["GET"], "/views", "viewer", reading(views.views)),
    Route(["POST"], "/views", "viewer", posting(views.save)),
    Route(["GET"], "/views/counts", "viewer", reading(views.counts)),
    Route(["POST"], "/views/{id}", "viewer", posting(views.act)),
    Route(["GET"], "/rules", "viewer", reading(rules.rules)),
    Route(["POST"], "/rules/routes", "admin", posting(rules.make_route)),
    Route(["GET"], "/rules/routes/{id}", "viewer", reading(rules.route)),
    Route(["POST"], "/rules/routes/{id}", "admin", posting(rules.act_route)),
    Route(["POST"], "/rules/silences", "analyst", posting(rules.make_silence)),
    Route(["GET"], "/rules/silences/{id}", "viewer", reading(rules.silence)),
    Route(["POST"], "/rules/silences/{id}", "analyst", posting(rules.act_silence)),
    Route(["POST"], "/rules/repeats", "analyst", posting(rules.try_fold)),
    Route(["GET"], "/query", "viewer", reading(language.language)),
    Route(["GET"], "/flow", "viewer", reading(flow.flow)),
    Route(["GET"], "/lanes", "viewer", reading(lanes.lanes)),
    Route(["GET"], "/lanes/{name}", "viewer", reading(lanes.lane)),
    Route(["POST"], "/lanes/{name}", "analyst", posting(lanes.act)),
    Route(["GET"], "/lanes/{name}/drained", "analyst", reading(lanes.file)),
    Route(["GET"], "/lanes/{name}/parked/{id}", "viewer", reading(parked.parked)),
    Route(["POST"], "/lanes/{name}/parked/{id}", "analyst", posting(parked.act)),
    Route(["GET"], "/balance", "viewer", reading(flow.balance)),
    Route(["GET"], "/quarantine", "analyst", reading(quarantine.quarantine)),
    Route(["GET"], "/quarantine/{id}", "analyst", reading(quarantine.quarantined)),
    Route(["POST"], "/quarantine/{id}", "analyst", posting(quarantine.act)),
    Route(["GET"], "/quarantine/{id}/download", "analyst", reading(quarantine.quarantined_bytes)),
    Route(["GET"], "/messages/{id}/attachments/{number}", "analyst", reading(mail.attachment)),
]

__all__ = ["PAGES", "show_failure"]
