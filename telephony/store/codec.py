"""Call records as JSON and back, without loss: codes and values, never words.

The columns `plan` and `trace` hold parts of the same shape:
plan  {"name": str, "line"?: str, "steps": [{"kind", "rule", "seconds", "targets": [[operator,
      address, line?]], "sound"?, "keys"?, "tries"?, "priority"?}]}
trace [{"rule", "used", "reason", "values": [[name, value]]}]
moments [{"at": µs, "kind", "values": [[name, value]]}]; talks and holds [[begin µs, end µs]]
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from telephony.domain.record import (
    CallRecord,
    Direction,
    Disposition,
    LegRecord,
    Moment,
    MomentKind,
    Outcome,
    Side,
    Source,
)
from telephony.domain.routing import Checked, Decision, Kind, Plan, Reason, Rule, Step, Target

Json = dict[str, Any]
_EXTRAS = ("sound", "keys", "tries", "priority")


class CodecError(ValueError):
    """A JSON value is not the thing it should be."""


def record_to_json(record: CallRecord) -> Json:
    """Return a call record as a JSON object."""
    plain = {
        name: getattr(record, name)
        for name in CallRecord.__slots__
        if name not in ("decision", "legs", "moments")
    }
    return plain | {
        "disposition": record.disposition.value,
        "hung_up_by": record.hung_up_by.value,
        "direction": record.direction.value,
        "source": record.source.value,
        "moments": moments_to_json(record.moments),
        "plan": plan_to_json(record.decision),
        "trace": trace_to_json(record.decision),
        "legs": [leg_to_json(leg) for leg in record.legs],
    }


def record_from_json(value: Mapping[str, Any]) -> CallRecord:
    """Return the call record of a JSON object; raises CodecError when it is not one."""
    try:
        fields = dict(value)
        decision = decision_from_json(fields.pop("plan"), fields.pop("trace"))
        legs = tuple(leg_from_json(leg) for leg in fields.pop("legs"))
        fields["disposition"] = Disposition(fields["disposition"])
        fields["hung_up_by"] = Side(fields["hung_up_by"])
        # A spill file of an older version does not have these yet.
        fields["direction"] = Direction(fields.get("direction", Direction.IN))
        fields["source"] = Source(fields.get("source", Source.EVENTS))
        fields["moments"] = moments_from_json(fields.get("moments"))
        return CallRecord(**fields, decision=decision, legs=legs)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CodecError(f"not a call record: {error!r}") from error


def leg_to_json(leg: LegRecord) -> Json:
    """Return a leg as a JSON object."""
    return asdict(leg) | {
        "outcome": leg.outcome.value,
        "kind": str(leg.kind),
        "talks": spans_to_json(leg.talks),
        "holds": spans_to_json(leg.holds),
    }


def leg_from_json(value: Mapping[str, Any]) -> LegRecord:
    """Return the leg of a JSON object; raises KeyError, TypeError or ValueError."""
    fields = dict(value)
    fields["outcome"] = Outcome(fields["outcome"])
    fields["talks"] = spans_from_json(fields.get("talks"))
    fields["holds"] = spans_from_json(fields.get("holds"))
    return LegRecord(**fields)


def moments_to_json(moments: Sequence[Moment]) -> list[Json]:
    """Return what happened on the way as a JSON array."""
    return [
        {"at": moment.at, "kind": moment.kind.value, "values": [list(one) for one in moment.values]}
        for moment in moments
    ]


def moments_from_json(value: Sequence[Json] | None) -> tuple[Moment, ...]:
    """Return the moments of a JSON array; raises KeyError, TypeError or ValueError."""
    return tuple(
        Moment(
            one["at"],
            MomentKind(one["kind"]),
            tuple((name, said) for name, said in one["values"]),
        )
        for one in value or ()
    )


def spans_to_json(spans: Sequence[tuple[int, int]]) -> list[list[int]]:
    """Return (begin, end) pairs as a JSON array."""
    return [list(span) for span in spans]


def spans_from_json(value: Sequence[Sequence[int]] | None) -> tuple[tuple[int, int], ...]:
    """Return the (begin, end) pairs of a JSON array; raises TypeError or ValueError."""
    return tuple((begin, end) for begin, end in value or ())


def plan_to_json(decision: Decision | None) -> Json | None:
    """Return a decision's plan as a JSON object, None without a decision."""
    if decision is None:
        return None
    plan = decision.plan
    line = {"line": plan.line} if plan.line else {}
    return {"name": plan.name, **line, "steps": [_step_to_json(step) for step in plan.steps]}


def _step_to_json(step: Step) -> Json:
    """Return a step; what has its usual value is left out."""
    return {
        "kind": step.kind.value,
        "rule": step.rule.value,
        "seconds": step.seconds,
        "targets": [
            [one.operator, one.address, *([one.line] if one.line else [])] for one in step.targets
        ],
        **{name: value for name in _EXTRAS if (value := getattr(step, name))},
    }


def trace_to_json(decision: Decision | None) -> list[Json] | None:
    """Return a decision's trace as a JSON array, None without a decision."""
    if decision is None:
        return None
    return [
        {
            "rule": line.rule.value,
            "used": line.used,
            "reason": line.reason.value,
            "values": [[name, value] for name, value in line.values],
        }
        for line in decision.trace
    ]


def decision_from_json(plan: Json | None, trace: list[Json] | None) -> Decision | None:
    """Return the decision of a plan and a trace; raises KeyError, TypeError or ValueError."""
    if plan is None:
        return None
    steps = tuple(
        Step(
            kind=Kind(step["kind"]),
            rule=Rule(step["rule"]),
            targets=tuple(Target(*target) for target in step["targets"]),
            seconds=step["seconds"],
            **{name: step[name] for name in _EXTRAS if name in step},
        )
        for step in plan["steps"]
    )
    lines = tuple(
        Checked(
            rule=Rule(line["rule"]),
            used=line["used"],
            reason=Reason(line["reason"]),
            values=tuple((name, value) for name, value in line["values"]),
        )
        for line in trace or ()
    )
    return Decision(Plan(steps, plan["name"], plan.get("line", "")), lines)
