"""`tocsin flows score`: labels against the ground truth of labelled logs."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tocsin.cli.flows import configured
from tocsin.cli.folder import present, with_folder
from tocsin.cli.table import print_table

if TYPE_CHECKING:
    from tocsin.flows.labelling.score import Score

EXAMPLES = """\b
Examples:
  tocsin flows score --data ./var
  tocsin flows score --data ./var --format json
  tocsin flows score --data ./var --truth-malicious 'DDoS|PortScan'
"""


def _expression(_context: click.Context, _parameter: click.Parameter, text: str) -> str:
    import re2

    try:
        re2.compile(text)
    except re2.error as error:
        raise click.BadParameter(f"not a regular expression: {error}") from None
    return text


@click.command(epilog=EXAMPLES)
@with_folder()
@click.option(
    "--truth-malicious",
    metavar="REGEX",
    default="",
    callback=_expression,
    help="What of the ground truth is malicious; every other label is benign then.  [default: labels that say so]",
)
@click.option("--altflows", is_flag=True, help="Also what was seen inside the flows.")
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True, help="As what."
)
def score(data: Path, file: Path | None, truth_malicious: str, altflows: bool, form: str) -> None:
    """Compare the labels of flows with the ground truth in labelled logs.

    Ground truth is the column `label` of Zeek's .log.labeled files and of Argus: malicious where it says Malicious,
    Botnet or the like, benign where it says Benign, Normal or Background. Flows without one are not counted.
    """
    from tocsin.cli.flows.fresh import fresh
    from tocsin.errors import NotFound
    from tocsin.flows.kinds import FLOWS, KINDS
    from tocsin.flows.labelling.score import score as scored

    flows = configured(present(data), file)
    fresh(data, file)
    kinds = tuple(KINDS) if altflows else FLOWS
    found = scored(flows.dataset(data), flows.options(), kinds=kinds, malicious=truth_malicious)
    if form == "json":
        import msgspec

        click.echo(msgspec.json.format(msgspec.json.encode(_json(found)), indent=2).decode())
        return
    if not found.scored and not found.left_out:
        raise NotFound("no flow has a ground truth: import labelled logs, with a column `label`")
    _text(found)


def _json(found: "Score") -> dict[str, Any]:
    return {
        "flows": found.scored,
        "unlabelled": found.unlabelled,
        "left_out": found.left_out,
        "confusion": {
            "malicious": {"malicious": found.true_positive, "benign": found.false_negative},
            "benign": {"malicious": found.false_positive, "benign": found.true_negative},
        },
        "precision": found.precision,
        "recall": found.recall,
        "f1": found.f1,
        "accuracy": found.accuracy,
        "truths": [one._asdict() for one in found.truths],
        "categories": [one._asdict() for one in found.categories],
    }


def _text(found: "Score") -> None:
    confusion = [
        ("malicious", f"{found.true_positive:,}", f"{found.false_negative:,}"),
        ("benign", f"{found.false_positive:,}", f"{found.true_negative:,}"),
    ]
    print_table(["truth", "labelled malicious", "labelled benign"], confusion, "")
    click.echo()
    ratios = [(name, _percent(getattr(found, name))) for name in ("precision", "recall", "f1", "accuracy")]
    print_table(["score", ""], ratios, "")
    click.echo()
    truths = [(one.truth, f"{one.flows:,}", f"{one.found:,}", _of(one.found, one.flows)) for one in found.truths]
    print_table(["malicious in truth", "flows", "found", "recall"], truths, "No flow is malicious in truth.")
    click.echo()
    named = [(one.category, f"{one.flows:,}", f"{one.right:,}", _of(one.right, one.flows)) for one in found.categories]
    print_table(["category of alert", "flows", "right", "precision"], named, "No flow is labelled malicious.")
    if found.unlabelled:
        one = "flow" if found.unlabelled == 1 else "flows"
        click.echo(f"\nNot counted: {found.unlabelled:,} {one} without a ground truth.")
    if found.left_out:
        click.echo()
        left = sorted(found.left_out.items(), key=lambda item: (-item[1], item[0]))
        print_table(["says neither", "flows"], [(name, f"{flows:,}") for name, flows in left], "")
        click.echo("They are left out; --truth-malicious says which of them are malicious.")


def _of(part: int, whole: int) -> str:
    return _percent(part / whole if whole else None)


def _percent(ratio: float | None) -> str:
    return "" if ratio is None else f"{ratio:.2%}"
