"""The states of a call for docs/architecture.md: `python -m tests.repo.diagram` prints them."""

from __future__ import annotations

from telephony.domain.call import TRANSITIONS, Kind, Phase


def state_diagram() -> str:
    """Return the transitions between phases as a Mermaid state diagram."""
    lines = ["stateDiagram-v2", f"    [*] --> {Phase.NEW}"]
    for phase, row in TRANSITIONS.items():
        for target in Phase:
            kinds = [kind for kind in Kind if row.get(kind) is target]
            if kinds and target is not phase:
                lines.append(f"    {phase} --> {target}: {', '.join(kinds)}")
    lines.append(f"    {Phase.ENDED} --> [*]")
    return "```mermaid\n" + "\n".join(lines) + "\n```\n"


def staying_table() -> str:
    """Return which kinds of events leave a phase as it is, and which do not belong there."""
    lines = ["| Phase | Stays on | Anomaly |", "|---|---|---|"]
    for phase, row in TRANSITIONS.items():
        stays = [kind for kind in Kind if row.get(kind) is phase]
        wrong = [kind for kind in Kind if kind not in row]
        lines.append(f"| `{phase}` | {', '.join(stays) or '–'} | {', '.join(wrong) or '–'} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(state_diagram())
    print(staying_table(), end="")
