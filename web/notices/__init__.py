"""Who is told of what: notices by e-mail, webhooks, and what did not arrive."""

from web.notices import mails, undelivered, views, webhooks
from web.notices.area import blueprint

__all__ = ["blueprint", "mails", "undelivered", "views", "webhooks"]
