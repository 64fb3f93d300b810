"""The words for parts, for what can be wrong with them, and for their figures."""

from __future__ import annotations

from telephony.callbacks.alarms import Standing
from telephony.store.alarms import Alarm
from telephony.store.live import part_of
from web.texts import gettext


def part_words(name: str) -> tuple[str, str]:
    """Return (the name of a part, what it does)."""
    known = {
        "listener": (gettext("Listener"), gettext("Answers and records the calls of Asterisk")),
        "relay": (gettext("Relay"), gettext("Hands over what is to be done later")),
        "worker-now": (gettext("Worker, urgent"), gettext("Does what must happen at once")),
        "worker-bulk": (gettext("Worker, bulk"), gettext("Does what may take its time")),
        "web": (gettext("Panel"), gettext("These pages and the API")),
    }
    words, about = known.get(part_of(name), (part_of(name), ""))
    number = name.removeprefix(part_of(name)).lstrip("-")
    return f"{words} {number}".strip(), about


def problem_words(code: str) -> tuple[str, str]:
    """Return (what is wrong, what to do about it)."""
    known = {
        "gone": (
            gettext("Does not run"),
            gettext("Start it with “dutyline run”, or look into the log for why it ended."),
        ),
        "stopped": (gettext("Was stopped"), gettext("Start it with “dutyline run”.")),
        "ami_down": (
            gettext("Not connected to Asterisk"),
            gettext("New calls go to the fallback. “dutyline doctor” says what is wrong."),
        ),
        "database": (
            gettext("The database does not take records"),
            gettext("They wait in a file on the disk. Mend the database."),
        ),
        "queues_missing": (
            gettext("The PBX does not have every queue of the groups"),
            gettext(
                "Those on duty are rung directly. Run “dutyline pbx-config” and reload queues."
            ),
        ),
        "pbx_logs": (
            gettext("The PBX's call records cannot be read"),
            gettext("Calls of an outage wait for them. Mend the file's rights or the database."),
        ),
        "database_down": (
            gettext("The database does not answer"),
            gettext("Nothing is handed over until it does. Mend the database."),
        ),
        "redis_down": (
            gettext("Redis does not answer"),
            gettext("Nothing is lost: what is to be done waits in the database. Start Redis."),
        ),
        "backlog": (
            gettext("Behind with its work"),
            gettext("Look into the log; add a worker if this lasts."),
        ),
        "look_failed": (
            gettext("Cannot tell how it is"),
            gettext("Look into its log, and report this as a bug."),
        ),
    }
    return known.get(code, (gettext("Not ready: %(code)s", code=code), gettext("See its log.")))


def alarm_words(one: Standing) -> tuple[str, str]:
    """Return (what stops callbacks, what to do about it)."""
    if one.alarm is Alarm.STOPPED:
        return gettext("All callbacks are stopped"), gettext(
            "Nobody is called back until somebody lets callbacks go on."
        )
    if one.alarm is Alarm.DAY:
        what = gettext("Callbacks wait: %(limit)s within a day are the most", limit=one.limit)
    elif one.alarm is Alarm.HOUR:
        what = gettext("Callbacks wait: %(limit)s within an hour are the most", limit=one.limit)
    else:
        what = gettext(
            "Callbacks to %(prefix)s… wait: %(limit)s within an hour are the most",
            prefix=one.prefix,
            limit=one.limit,
        )
    return what, gettext(
        "Are these real clients? If not, stop all callbacks. If there is simply much to do, raise "
        "the cap in the callback rules."
    )


def figure_words(name: str) -> str:
    """Return the words of a figure; an unknown one stands for itself."""
    known = {
        "ami_connected": gettext("Connected to Asterisk"),
        "heartbeat_age_seconds": gettext("Asterisk heard, seconds ago"),
        "calls_live": gettext("Calls going on"),
        "decisions": gettext("Calls that got a plan"),
        "events_decoded": gettext("Events taken"),
        "events_unwanted": gettext("Events not needed"),
        "events_malformed": gettext("Events refused for their form"),
        "events_foreign": gettext("Events refused for their token"),
        "records_pending": gettext("Records waiting to be written"),
        "records_spilled": gettext("Records kept in the file"),
        "records_lost": gettext("Records lost"),
        "records_refused": gettext("Records refused by the database"),
        "calls_recovered": gettext("Calls filled in after an outage"),
        "calls_lost": gettext("Calls lost in an outage"),
        "calls_missing": gettext("Calls of an outage still looked for"),
        "resync_seconds": gettext("Last catching up, seconds"),
        "outbox_pending": gettext("Facts waiting"),
        "outbox_oldest_seconds": gettext("The oldest waits, seconds"),
        "duty_gaps": gettext("Gaps in rosters within a day"),
        "deliveries_pending": gettext("Webhooks and mails under way"),
        "deliveries_parked": gettext("Webhooks and mails given up"),
        "callbacks_begun": gettext("Callbacks begun"),
        "enqueued": gettext("Jobs handed over"),
        "jobs_done": gettext("Jobs done"),
        "jobs_failed": gettext("Jobs failed"),
        "workers": gettext("Processes"),
    }
    return known.get(name, name.replace("_", " "))
