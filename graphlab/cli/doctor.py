"""``graphlab doctor``: say what of an installation works, what is missing, and how to get it."""

import dataclasses
import json

from graphlab.cli._checks import Finding, examine, usable
from graphlab.cli._parser import OneLineParser

SUMMARY = "say what of this installation works, what is missing, and how to get it"

_SIGNS = {"ok": "ok", "absent": "--", "broken": "!!"}


def main(argv: list[str]) -> int:
    """Print versions, devices, active kernels, data sets and aggregators.

    Args:
        argv: Words after ``graphlab doctor``.

    Returns:
        0 if graphlab is usable, 1 if a required package is missing or too old.
    """
    parser = OneLineParser(prog="graphlab doctor", description=f"{SUMMARY.capitalize()}.")
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")
    as_json = parser.parse_args(argv).json
    findings = examine()
    print(_as_json(findings) if as_json else _as_text(findings))
    return 0 if usable(findings) else 1


def _as_json(findings: list[Finding]) -> str:
    listed = [dataclasses.asdict(finding) for finding in findings]
    return json.dumps({"usable": usable(findings), "findings": listed}, indent=2)


def _as_text(findings: list[Finding]) -> str:
    width = max(len(finding.topic) for finding in findings)
    lines = [f"{_SIGNS[f.status]}  {f.topic:{width}}  {f.detail}" for f in findings]
    broken = [f.topic for f in findings if f.required and f.status == "broken"]
    verdict = f"not usable: see {', '.join(broken)}" if broken else "usable"
    return "\n".join([*lines, verdict])
