"""What the stack costs a month while nothing happens."""

from collections.abc import Mapping

from infra.cost_model import ROOT
from infra.parameters import load_template
from infra.prices import (
    ALARM_MONTH,
    DASHBOARD_MONTH,
    FREE_ALARMS,
    FREE_DASHBOARDS,
    KEY_MONTH,
    MILLION,
    SQS_REQUEST,
)
from infra.tables import table

POLLERS, POLL_SECONDS, MONTH_SECONDS = 5, 20, 30 * 24 * 3600


def at_rest() -> float:
    """Without a free tier."""
    parts, _ = _parts()
    return sum(parts.values())


def at_rest_table() -> str:
    """Part by part."""
    parts, free = _parts()
    total = sum(parts.values())
    rows = [(said, f"{dollars:.2f}") for said, dollars in parts.items()]
    rows.append(("**total**", f"**{total:.2f}**"))
    rows.append(("within CloudWatch's free tier", f"{total - free:.2f}"))
    return table(("dollars a month", ""), rows)


def _parts() -> tuple[Mapping[str, float], float]:
    """What each part costs, and what of it is within the free tier."""
    resources = load_template(ROOT / "infra" / "observability.yaml")["Resources"].values()
    metrics = [
        sum("MetricStat" in metric for metric in resource["Properties"].get("Metrics", [])) or 1
        for resource in resources
        if resource["Type"] == "AWS::CloudWatch::Alarm"
    ]
    dashboards = sum(resource["Type"] == "AWS::CloudWatch::Dashboard" for resource in resources)
    mappings = sum(
        event["Type"] == "SQS"
        for resource in load_template(ROOT / "template.yaml")["Resources"].values()
        for event in resource.get("Properties", {}).get("Events", {}).values()
    )
    polls = mappings * POLLERS * MONTH_SECONDS / POLL_SECONDS
    parts = {
        "KMS key": KEY_MONTH,
        f"polling: {mappings} event source mappings, {POLLERS} pollers each, one receive in "
        f"{POLL_SECONDS} s: {polls / MILLION:.1f} million SQS requests": polls * SQS_REQUEST,
        f"{len(metrics)} alarms on {sum(metrics)} metrics": sum(metrics) * ALARM_MONTH,
        f"dashboards: {dashboards}": dashboards * DASHBOARD_MONTH,
    }
    free = min(sum(metrics), FREE_ALARMS) * ALARM_MONTH
    free += min(dashboards, FREE_DASHBOARDS) * DASHBOARD_MONTH
    return parts, free
