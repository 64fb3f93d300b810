"""Users of the panel, their rights, sessions and tokens: for the panel and the command line."""

from telephony.accounts.tokens import find_token, new_token
from telephony.domain.rights import Role, Scope
from telephony.store.accounts import ApiToken, SessionRow, User

__all__ = ["ApiToken", "Role", "Scope", "SessionRow", "User", "find_token", "new_token"]
