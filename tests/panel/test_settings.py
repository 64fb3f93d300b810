"""The page of settings: all of them, in both languages, and no secret."""

from __future__ import annotations

from telephony.settings import SETTINGS
from tests.panel.people import Panel
from web.admin.settings import ABOUT_RU


def test_every_setting_is_shown_in_both_languages_and_no_secret(quick_panel: Panel) -> None:
    assert set(ABOUT_RU) == {one.name for one in SETTINGS}
    settings = quick_panel.app.extensions["dutyline"].settings
    for language in ("en", "ru"):
        page = quick_panel.signed_in("admin", language=language).get("/settings").text
        for one in SETTINGS:
            assert one.name in page
            value = getattr(settings, one.attribute)
            if one.secret and value:
                assert str(value) not in page
    assert "Где хранятся записи." in page


def test_only_admins_see_them(quick_panel: Panel) -> None:
    assert quick_panel.signed_in("boss").get("/settings").status_code == 403
    assert quick_panel.signed_in("oper").get("/settings").status_code == 403
