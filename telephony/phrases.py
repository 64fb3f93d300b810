"""The words for the rules of routing and their reasons, in English and Russian.

Names stand in Russian sentences as they are: no word there asks for another case or the gender of
whoever is named.
"""

from __future__ import annotations

from telephony.domain.routing import Reason, Rule

RULES: dict[Rule, tuple[str, str]] = {
    Rule.DID: ("Number dialled", "Набранный номер"),
    Rule.BLOCKED: ("Block list", "Чёрный список"),
    Rule.CLOSED_NOW: ("“Closed now” switch", "Переключатель «Сейчас закрыто»"),
    Rule.HOURS: ("Opening hours", "Часы работы"),
    Rule.VIP: ("VIP", "Важный клиент"),
    Rule.MENU: ("Menu", "Голосовое меню"),
    Rule.LAST_OPERATOR: ("Last operator", "Последний оператор"),
    Rule.LAST_OPERATOR_DESK: (
        "Last operator's desk phone",
        "Телефон последнего оператора",
    ),
    Rule.LAST_OPERATOR_MOBILE: ("Last operator's mobile", "Мобильный последнего оператора"),
    Rule.CLIENT: ("Client", "Клиент"),
    Rule.MANAGER: ("Manager", "Менеджер"),
    Rule.MANAGER_DESK: ("Manager's desk phone", "Телефон менеджера"),
    Rule.MANAGER_MOBILE: ("Manager's mobile", "Мобильный менеджера"),
    Rule.DEPUTY: ("Deputy", "Заместитель"),
    Rule.DEPUTY_DESK: ("Deputy's desk phone", "Телефон заместителя"),
    Rule.DEPUTY_MOBILE: ("Deputy's mobile", "Мобильный заместителя"),
    Rule.DUTY: ("On duty", "Дежурный"),
    Rule.DUTY_MOBILE: ("Mobile of those on duty", "Мобильный дежурного"),
    Rule.QUEUE: ("Queue", "Очередь"),
    Rule.OVERFLOW: ("Group that takes over", "Группа переполнения"),
    Rule.OVERFLOW_MOBILE: (
        "Mobile of the group that takes over",
        "Мобильный группы переполнения",
    ),
    Rule.OVERFLOW_QUEUE: ("Queue of the group that takes over", "Очередь группы переполнения"),
    Rule.LAST: ("After that", "После этого"),
}

REASONS: dict[Reason, tuple[str, str]] = {
    Reason.DID_KNOWN: ("{did} belongs to group {group}", "{did} относится к группе {group}"),
    Reason.DID_UNKNOWN_DEFAULT_GROUP: (
        "{did} is not set up: the default group {group}",
        "{did} не настроен: группа по умолчанию {group}",
    ),
    Reason.DID_UNKNOWN: (
        "{did} is not set up and there is no default group",
        "{did} не настроен, и группы по умолчанию нет",
    ),
    Reason.NUMBER_BLOCKED: ("{entry} is blocked", "{entry} в списке"),
    Reason.NUMBER_NOT_BLOCKED: ("the number is not on it", "номера в списке нет"),
    Reason.CLIENT_IS_LEAD: (
        "{client}, a lead: goes to the sales manager",
        "{client}, лид: звонок менеджеру по продажам",
    ),
    Reason.SWITCHED_CLOSED: ("it is on: closed", "включён: закрыто"),
    Reason.NOT_SWITCHED: ("it is off", "выключен"),
    Reason.NO_HOURS: ("none are set: always open", "не заданы: открыто всегда"),
    Reason.OPEN: ("open by “{hours}” ({day})", "открыто по «{hours}» ({day})"),
    Reason.OPEN_OWN_DAY: (
        "open by “{hours}”: a day of the company's own, {day}",
        "открыто по «{hours}»: особый день компании, {day}",
    ),
    Reason.CLOSED: ("closed by “{hours}” ({day})", "закрыто по «{hours}» ({day})"),
    Reason.CLOSED_HOLIDAY: (
        "closed by “{hours}”: public holiday, {day}",
        "закрыто по «{hours}»: праздник, {day}",
    ),
    Reason.CLOSED_OWN_DAY: (
        "closed by “{hours}”: a day off of the company's own, {day}",
        "закрыто по «{hours}»: выходной компании, {day}",
    ),
    Reason.VIP_ALWAYS: (
        "the client is a VIP and is put through out of hours too",
        "клиент VIP: соединяем и в нерабочее время",
    ),
    Reason.IS_VIP: ("the client is a VIP", "клиент VIP"),
    Reason.NO_VIP: ("the caller is none", "звонящий не VIP"),
    Reason.MENU_PLAYED: (
        "the caller is asked to press one of {keys}",
        "звонящего просят нажать одну из клавиш {keys}",
    ),
    Reason.KEY_PRESSED: (
        "the caller pressed {key}: group {group}",
        "нажата клавиша {key}: группа {group}",
    ),
    Reason.NO_KEY: ("no key was pressed: as without a menu", "клавиша не нажата: как без меню"),
    Reason.NO_MENU: ("there is none", "не задано"),
    Reason.STEP_OFF: ("this step is switched off for the number", "шаг отключён для этого номера"),
    Reason.TALKED_LATELY: (
        "{operator} ({extension}) talked to this caller last",
        "{operator} ({extension}): последний разговор с этим номером",
    ),
    Reason.TALKED_TOO_LONG_AGO: (
        "the last conversation is more than {days} days ago",
        "последний разговор был больше {days} дн. назад",
    ),
    Reason.NEVER_TALKED: ("nobody talked to this caller lately", "недавних разговоров нет"),
    Reason.RULE_OFF: ("the rule is off for this number", "правило для этого номера выключено"),
    Reason.PAUSED: (
        "{operator} ({extension}) is on a pause: {kind}",
        "{operator} ({extension}) на паузе: {kind}",
    ),
    Reason.WRAP_UP: (
        "{operator} ({extension}) has a rest after a call",
        "{operator} ({extension}): обработка после звонка",
    ),
    Reason.DO_NOT_DISTURB: (
        "{operator} ({extension}) has “do not disturb” on",
        "{operator} ({extension}): включён режим «не беспокоить»",
    ),
    Reason.QUEUE_RINGS: ("the queue of group {group} rings them", "звонит очередь группы {group}"),
    Reason.WAITS_IN_QUEUE: (
        "the caller waits in the queue of group {group}, {seconds} s at most",
        "ожидание в очереди группы {group}, не более {seconds} с",
    ),
    Reason.QUEUE_EMPTY: (
        "nobody on duty in group {group} can be reached",
        "в группе {group} некому ответить",
    ),
    Reason.QUEUE_MISSING: (
        "the PBX does not have the queue of group {group}: run `dutyline pbx-config`",
        "на АТС нет очереди группы {group}: выполните `dutyline pbx-config`",
    ),
    Reason.NO_QUEUE: ("group {group} has none", "у группы {group} её нет"),
    Reason.TAKES_OVER: ("group {group} takes over", "дальше группа {group}"),
    Reason.NO_OVERFLOW: ("there is none", "не задана"),
    Reason.TOO_MANY_STEPS: (
        "{count} of the phones are left out: a plan has 24 steps at most",
        "без {count} из телефонов: в плане не больше 24 шагов",
    ),
    Reason.THEN_END: ("the call ends", "звонок завершается"),
    Reason.THEN_PROMISE: (
        "the caller is told that somebody will call back",
        "звонящему обещают перезвонить",
    ),
    Reason.THEN_VOICEMAIL: ("voicemail, mailbox {value}", "голосовая почта, ящик {value}"),
    Reason.THEN_NUMBER: ("the call goes to {value}", "звонок уходит на {value}"),
    Reason.THEN_FALLBACK: ("the fallback takes the call", "звонок уходит на резервный маршрут"),
    Reason.CLIENT_KNOWN: ("{client}", "{client}"),
    Reason.CLIENT_UNKNOWN: ("{number} is nobody we know", "{number} никому не принадлежит"),
    Reason.NUMBER_HIDDEN: ("the number is hidden", "номер скрыт"),
    Reason.ON_SHIFT: ("{operator} ({extension}) is on shift", "{operator} ({extension}) на смене"),
    Reason.UNSCHEDULED: (
        "{operator} ({extension}) has no shifts: always available",
        "{operator} ({extension}): смен нет, звонить можно всегда",
    ),
    Reason.LUNCH_BUT_VIP: (
        "{operator} ({extension}) is at lunch, but the client is a VIP",
        "{operator} ({extension}) на обеде, но клиент VIP",
    ),
    Reason.AT_LUNCH: (
        "{operator} ({extension}) is at lunch",
        "{operator} ({extension}) на обеде",
    ),
    Reason.ABSENT: (
        "{operator} ({extension}) is away",
        "{operator} ({extension}) отсутствует",
    ),
    Reason.OFF_SHIFT: (
        "{operator} ({extension}) is off shift",
        "{operator} ({extension}) не на смене",
    ),
    Reason.NOT_ASSIGNED: ("none is assigned", "не назначен"),
    Reason.NO_DEPUTY: ("there is none", "не назначен"),
    Reason.UNKNOWN_EXTENSION: (
        "extension {extension} does not exist",
        "внутреннего номера {extension} нет",
    ),
    Reason.FREE: ("{operator} ({extension}) is free", "{operator} ({extension}): линия свободна"),
    Reason.STATE_UNKNOWN: (
        "the state of {operator} ({extension}) is unknown: rung anyway",
        "{operator} ({extension}): состояние неизвестно, всё равно звоним",
    ),
    Reason.RINGING: (
        "{operator} ({extension}) rings for another caller: rung too",
        "{operator} ({extension}): телефон уже звонит по другому вызову, звоним тоже",
    ),
    Reason.BUSY: ("{operator} ({extension}) is busy", "{operator} ({extension}): линия занята"),
    Reason.UNREGISTERED: (
        "the phone of {operator} ({extension}) is not registered",
        "{operator} ({extension}): телефон не зарегистрирован",
    ),
    Reason.FORWARDED: (
        "{operator} ({extension}) forwards calls: the mobile is rung instead",
        "{operator} ({extension}): включена переадресация, звоним сразу на мобильный",
    ),
    Reason.HAS_MOBILE: ("{operator}: {mobile}", "{operator}: {mobile}"),
    Reason.NO_MOBILE: (
        "{operator} ({extension}) has none",
        "{operator} ({extension}): не указан",
    ),
    Reason.BUSY_AT_DESK: (
        "{operator} ({extension}) is busy at the desk",
        "{operator} ({extension}): настольный телефон занят",
    ),
    Reason.ALREADY_TRIED: (
        "{operator} ({extension}) is in the plan already",
        "{operator} ({extension}) уже в плане",
    ),
    Reason.RINGS_DUTY: ("group {group} rings: {operators}", "звонит группа {group}: {operators}"),
    Reason.NOBODY_ON_DUTY: ("nobody is on duty in group {group}", "в группе {group} нет дежурных"),
    Reason.NOBODY_FREE: (
        "no desk phone of group {group} can be rung",
        "в группе {group} некому звонить на настольный телефон",
    ),
    Reason.DESK_RINGS: ("a desk phone rings", "звонит настольный телефон"),
    Reason.PLAN_EXHAUSTED: (
        "when nobody answers, the call ends and is on record",
        "если никто не ответит, звонок завершится и останется в журнале",
    ),
    Reason.NO_DUTY_RUNG: (
        "the fallback takes the call, since nobody on duty is rung",
        "звонок уходит на резервный маршрут: дежурным звонить некому",
    ),
}
