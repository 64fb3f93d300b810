"""The table of docs/settings.md: `python -m tests.repo.settings_doc` prints it."""

from __future__ import annotations

from telephony.settings import SETTINGS


def settings_table() -> str:
    """Return every setting as a row of a Markdown table."""
    lines = ["| Variable | What it is | It may be | Default |", "|---|---|---|---|"]
    for setting in SETTINGS:
        name = f"`{setting.name}`"
        if setting.secret:
            name += f" or `{setting.name}_FILE`"
        default = {None: "must be set", "": "empty"}.get(setting.default, f"`{setting.default}`")
        may_be = setting.may_be.replace("\\", "\\\\").replace("|", "\\|")
        lines.append(f"| {name} | {setting.about} | {may_be} | {default} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(settings_table(), end="")
