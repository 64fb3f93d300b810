"""What load balancers and service managers ask: does it answer, is it ready."""

from __future__ import annotations

from flask import Blueprint, Response, json
from sqlalchemy.exc import SQLAlchemyError

from telephony.store.engine import reading
from web.health.reading import look
from web.health.state import readiness
from web.rights import public
from web.services import services

blueprint = Blueprint("probes", __name__)


@blueprint.get("/healthz")
@public
def healthz() -> Response:
    """Answer 200 as long as this process does; asks nobody else."""
    return Response("ok\n", mimetype="text/plain")


@blueprint.get("/readyz")
@public
def readyz() -> Response:
    """Answer 200 when every part is ready, else 503; the JSON names what is behind."""
    offer = services()
    try:
        with reading(offer.engine) as session:
            behind = readiness(look(session), offer.now())
    except SQLAlchemyError:
        behind = {"database": "down"}
    body = {"ready": not behind, "behind": behind}
    return Response(json.dumps(body) + "\n", 503 if behind else 200, mimetype="application/json")
