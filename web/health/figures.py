"""The figures that parts tell of themselves, as metrics: one table, held against the code."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure's metric without `dutyline_`; one that only grows ends in `_total`."""

    metric: str
    about: str


FIGURES: dict[str, Figure] = {
    "ami_connected": Figure("ami_connected", "1 while the listener is logged in to Asterisk"),
    "heartbeat_age_seconds": Figure(
        "heartbeat_age_seconds", "How long ago Asterisk was heard last, by its own clock"
    ),
    "calls_live": Figure("listener_calls_live", "Calls going on, as the listener holds them"),
    "decisions": Figure("decisions_total", "Calls that got a plan"),
    "events_decoded": Figure("events_decoded_total", "Events of Asterisk that were taken"),
    "events_unwanted": Figure("events_unwanted_total", "Events that nobody needs"),
    "events_malformed": Figure("events_malformed_total", "Events refused for their form"),
    "events_foreign": Figure("events_foreign_total", "UserEvents refused for their token"),
    "records_pending": Figure("records_pending", "Records that wait to be written"),
    "records_spilled": Figure("records_spilled", "Records kept in the spill file"),
    "records_lost": Figure("records_lost_total", "Records that neither database nor disk took"),
    "records_refused": Figure("records_refused_total", "Records that the database refuses"),
    "calls_recovered": Figure("calls_recovered_total", "Calls filled in after an outage"),
    "calls_lost": Figure("calls_lost_total", "Calls closed as lost after an outage"),
    "calls_missing": Figure("calls_missing", "Calls of an outage still looked for"),
    "resync_seconds": Figure("resync_seconds", "How long the last catching up took"),
    "outbox_pending": Figure("relay_outbox_pending", "Facts that wait, as the relay sees them"),
    "outbox_oldest_seconds": Figure(
        "relay_outbox_oldest_seconds", "How long the oldest of them waits, as the relay sees it"
    ),
    "duty_gaps": Figure("duty_gaps", "Times of the next day in which a called group has no duty"),
    "deliveries_pending": Figure("deliveries_pending", "Webhooks and mails under way"),
    "deliveries_parked": Figure("deliveries_parked", "Webhooks and mails given up"),
    "callbacks_begun": Figure("callbacks_begun_total", "Tries to call back handed to the workers"),
    "enqueued": Figure("enqueued_total", "Jobs handed to the workers"),
    "jobs_done": Figure("jobs_done_total", "Jobs done"),
    "jobs_failed": Figure("jobs_failed_total", "Jobs that failed"),
    "workers": Figure("web_workers", "Processes that serve the panel"),
}
