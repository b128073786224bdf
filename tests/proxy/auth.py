"""Who may use the proxy, for the test: a proxy without a database has no teams, so this stands in for its keys."""

from typing import Any

from litellm.proxy._types import UserAPIKeyAuth


async def user_api_key_auth(request: Any, api_key: str) -> UserAPIKeyAuth:
    if api_key != "sk-of-the-billing-team":
        raise ValueError("no such key")
    return UserAPIKeyAuth(
        api_key=api_key,
        key_alias="billing-key",
        team_id="team-7",
        team_alias="billing",
        org_id="org-1",
        user_id="owner-1",
    )
