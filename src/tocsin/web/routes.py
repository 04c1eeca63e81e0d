"""The one table: every path, what may be done there, the role it needs, and what answers.

The hot way in stands first. Every path of the API is served as it stands here and, for SCOT's clients, under /scot.
"""

from collections.abc import Iterable, Sequence

from tocsin.web.api import (
    admin,
    alert,
    alertgroup,
    entity,
    evidence,
    export,
    flow,
    flowing,
    indexing,
    lane,
    ledger,
    mail,
    post,
    quarantine,
    recall,
    rehearsal,
    repeat,
    replay,
    rule,
    shared,
    system,
    view,
    why,
)
from tocsin.web.door import Route
from tocsin.web.pages import PAGES

V2 = "/api/v2"
SCOT = "/scot"

API: Sequence[Route] = [
    Route(["POST"], f"{V2}/alertgroup", "sender", post.post_alertgroup),
    Route(["POST"], f"{V2}/mail", "sender", mail.post_mail),
    Route(["GET"], f"{V2}/alertgroup", "viewer", alertgroup.list_alertgroups),
    Route(["GET"], f"{V2}/alertgroup/{{id}}", "viewer", alertgroup.get_alertgroup),
    Route(["PUT"], f"{V2}/alertgroup/{{id}}", "analyst", alertgroup.put_alertgroup),
    Route(["DELETE"], f"{V2}/alertgroup/{{id}}", "analyst", alertgroup.delete_alertgroup),
    Route(["GET"], f"{V2}/alertgroup/{{id}}/alert", "viewer", alertgroup.get_alerts),
    Route(["GET"], f"{V2}/alertgroup/{{id}}/tag", "viewer", alertgroup.get_tags),
    Route(["GET"], f"{V2}/alertgroup/{{id}}/source", "viewer", alertgroup.get_sources),
    Route(["GET"], f"{V2}/alertgroup/{{id}}/history", "viewer", alertgroup.get_history),
    Route(["GET"], f"{V2}/alertgroup/{{id}}/reading", "viewer", alertgroup.get_readings),
    Route(["GET"], f"{V2}/alertgroup/{{id}}/entry", "viewer", alertgroup.get_entries),
    Route(["GET"], f"{V2}/alertgroup/{{id}}/entity", "viewer", entity.get_of_alertgroup),
    Route(["GET"], f"{V2}/alertgroup/{{id}}/delivery", "viewer", ledger.get_deliveries),
    Route(["GET"], f"{V2}/alertgroup/{{id}}/shared/{{lane}}", "analyst", shared.get_shared),
    Route(["GET"], f"{V2}/alertgroup/{{id}}/repeat", "viewer", repeat.get_repeats),
    Route(["PUT"], f"{V2}/alertgroup/{{id}}/repeat", "analyst", repeat.put_kind),
    Route(["POST"], f"{V2}/alertgroup/{{id}}/unfold", "analyst", repeat.post_unfold),
    Route(["GET"], f"{V2}/alertgroup/{{id}}/evidence", "viewer", evidence.get_evidence),
    Route(["POST"], f"{V2}/alertgroup/{{id}}/evidence/send", "analyst", evidence.post_send),
    Route(["GET"], f"{V2}/alertgroup/{{id}}/flow", "viewer", flow.get_of_alertgroup),
    Route(["GET"], f"{V2}/alertgroup/{{id}}/why", "viewer", why.get_why),
    Route(["PUT"], f"{V2}/deleted/{{id}}", "analyst", alertgroup.put_deleted),
    Route(["GET"], f"{V2}/alert", "viewer", alert.list_alerts),
    Route(["GET"], f"{V2}/alert/{{id}}", "viewer", alert.get_alert),
    Route(["PUT"], f"{V2}/alert/{{id}}", "analyst", alert.put_alert),
    Route(["GET"], f"{V2}/alert/{{id}}/tag", "viewer", alert.get_tags),
    Route(["GET"], f"{V2}/alert/{{id}}/history", "viewer", alert.get_history),
    Route(["GET"], f"{V2}/alert/{{id}}/entry", "viewer", alert.get_entries),
    Route(["GET"], f"{V2}/alert/{{id}}/entity", "viewer", entity.get_of_alert),
    Route(["GET"], f"{V2}/entity", "viewer", entity.list_entities),
    Route(["GET"], f"{V2}/entity/{{id}}/alertgroup", "viewer", entity.get_alertgroups),
    Route(["GET"], f"{V2}/live", "viewer", system.get_live),
    Route(["GET"], f"{V2}/flow-of-alerts", "viewer", ledger.get_flow),
    Route(["GET"], f"{V2}/source", "viewer", ledger.list_sources),
    Route(["GET"], f"{V2}/lane", "viewer", lane.list_lanes),
    Route(["GET"], f"{V2}/lane/{{name}}", "viewer", lane.get_lane),
    Route(["PUT"], f"{V2}/lane/{{name}}", "analyst", lane.put_lane),
    Route(["GET"], f"{V2}/lane/{{name}}/history", "viewer", lane.get_history),
    Route(["GET"], f"{V2}/lane/{{name}}/failed", "viewer", lane.list_parked),
    Route(["POST"], f"{V2}/lane/{{name}}/retry", "analyst", lane.retry_parked),
    Route(["POST"], f"{V2}/lane/{{name}}/drop", "analyst", lane.drop_parked),
    Route(["POST"], f"{V2}/lane/{{name}}/test", "analyst", lane.post_test),
    Route(["POST"], f"{V2}/lane/{{name}}/drain", "analyst", lane.post_drain),
    Route(["GET"], f"{V2}/lane/{{name}}/drained", "analyst", lane.get_drained),
    Route(["DELETE"], f"{V2}/lane/{{name}}/drained", "analyst", lane.delete_drained),
    Route(["POST"], f"{V2}/delivery/retry", "analyst", ledger.retry_deliveries),
    Route(["POST"], f"{V2}/delivery/drop", "analyst", ledger.drop_deliveries),
    Route(["GET"], f"{V2}/message/{{id}}", "analyst", ledger.get_message),
    Route(["GET"], f"{V2}/message/{{id}}/original", "analyst", ledger.get_original),
    Route(["GET"], f"{V2}/message/{{id}}/attachment/{{number}}", "analyst", quarantine.get_attachment),
    Route(["GET"], f"{V2}/quarantine", "analyst", quarantine.list_quarantine),
    Route(["GET"], f"{V2}/quarantine/{{id}}", "analyst", quarantine.get_quarantined),
    Route(["POST"], f"{V2}/quarantine/{{id}}/read", "analyst", quarantine.post_read),
    Route(["POST"], f"{V2}/quarantine/{{id}}/accept", "analyst", quarantine.post_accept),
    Route(["POST"], f"{V2}/quarantine/{{id}}/discard", "analyst", quarantine.post_discard),
    Route(["POST"], f"{V2}/quarantine/{{id}}/restore", "analyst", quarantine.post_restore),
    Route(["POST"], f"{V2}/reparse", "admin", quarantine.post_reparse),
    Route(["GET"], f"{V2}/view", "viewer", view.list_views),
    Route(["POST"], f"{V2}/view", "viewer", view.post_view),
    Route(["GET"], f"{V2}/view/{{id}}", "viewer", view.get_view),
    Route(["PUT"], f"{V2}/view/{{id}}", "viewer", view.put_view),
    Route(["DELETE"], f"{V2}/view/{{id}}", "viewer", view.delete_view),
    Route(["GET"], f"{V2}/route", "viewer", rule.list_routes),
    Route(["POST"], f"{V2}/route", "admin", rule.post_route),
    Route(["PUT"], f"{V2}/route/{{id}}", "admin", rule.put_route),
    Route(["DELETE"], f"{V2}/route/{{id}}", "admin", rule.delete_route),
    Route(["GET"], f"{V2}/route/{{id}}/history", "viewer", rule.get_route_history),
    Route(["GET"], f"{V2}/silence", "viewer", rule.list_silences),
    Route(["POST"], f"{V2}/silence", "analyst", rule.post_silence),
    Route(["PUT"], f"{V2}/silence/{{id}}", "analyst", rule.put_silence),
    Route(["POST"], f"{V2}/silence/{{id}}/end", "analyst", rule.post_end),
    Route(["GET"], f"{V2}/silence/{{id}}/held", "viewer", rule.get_held),
    Route(["GET"], f"{V2}/silence/{{id}}/history", "viewer", rule.get_silence_history),
    Route(["POST"], f"{V2}/rule/try", "viewer", rehearsal.post_try),
    Route(["POST"], f"{V2}/rule/fold", "analyst", rehearsal.post_fold),
    Route(["POST"], f"{V2}/rule/accumulate", "analyst", rehearsal.post_accumulate),
    Route(["POST"], f"{V2}/recall", "analyst", recall.post_recall),
    Route(["GET"], f"{V2}/alertgroup/{{id}}/recall", "viewer", recall.get_of_group),
    Route(["POST"], f"{V2}/alertgroup/{{id}}/recall", "analyst", recall.post_of_group),
    Route(["GET"], f"{V2}/export", "analyst", export.get_export),
    Route(["GET"], f"{V2}/replay", "admin", replay.list_replays),
    Route(["POST"], f"{V2}/replay", "admin", replay.post_replay),
    Route(["POST"], f"{V2}/replay/try", "admin", replay.post_try),
    Route(["GET"], f"{V2}/replay/{{id}}", "admin", replay.get_replay),
    Route(["POST"], f"{V2}/replay/{{id}}/stop", "admin", replay.post_stop),
    Route(["POST"], f"{V2}/replay/{{id}}/resume", "admin", replay.post_resume),
    Route(["GET"], f"{V2}/entities/rebuild", "viewer", indexing.get_rebuild),
    Route(["POST"], f"{V2}/entities/rebuild", "admin", indexing.post_rebuild),
    Route(["GET"], f"{V2}/whoami", "none", admin.get_whoami),
    Route(["GET"], f"{V2}/key", "admin", admin.list_keys),
    Route(["POST"], f"{V2}/key", "admin", admin.post_key),
    Route(["DELETE"], f"{V2}/key/{{key:path}}", "admin", admin.delete_key),
    Route(["GET"], f"{V2}/user", "admin", admin.list_users),
    Route(["POST"], f"{V2}/user", "admin", admin.post_user),
    Route(["PUT"], f"{V2}/user/{{name:path}}", "admin", admin.put_user),
    Route(["GET"], f"{V2}/plugin", "admin", admin.list_plugins),
    Route(["POST"], f"{V2}/backup", "admin", admin.post_backup),
    Route(["POST"], f"{V2}/doctor", "admin", system.post_doctor),
    Route(["GET"], f"{V2}/flow", "viewer", flow.list_flows),
    Route(["GET"], f"{V2}/flow/timeline", "viewer", flow.get_timeline),
    Route(["GET"], f"{V2}/flow/host", "viewer", flow.list_hosts),
    Route(["POST"], f"{V2}/flow/refresh", "admin", flowing.post_refresh),
    Route(["GET"], f"{V2}/flow/{{id}}", "viewer", flow.get_flow),
    Route(["GET"], "/api/openapi.json", "none", system.get_openapi),
    Route(["GET"], "/api/docs", "none", system.get_docs),
    Route(["GET"], "/healthz", "none", system.get_healthz),
    Route(["GET"], "/readyz", "none", system.get_readyz),
    Route(["GET"], "/metrics", "viewer", system.get_metrics),
]


def by_path(rows: Iterable[Route]) -> dict[str, list[Route]]:
    """The rows of each path, paths in the order of the table."""
    paths: dict[str, list[Route]] = {}
    for row in rows:
        paths.setdefault(row.path, []).append(row)
    return paths


def is_api(path: str) -> bool:
    """Whether programs ask there, so that failures are JSON."""
    return path.removeprefix(SCOT).startswith(("/api", "/healthz", "/readyz", "/metrics")) or path.startswith(SCOT)


__all__ = ["API", "PAGES", "SCOT", "by_path", "is_api"]
