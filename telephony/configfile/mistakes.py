"""What may be wrong in a set-up: a code each, with its words in English and Russian.

The words follow the place and what stands there: `operators[0].mobile: '12' must be …`. They hold
for a file and for a form of the panel alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from telephony.words import LANGUAGES


class Mistake(StrEnum):
    """Why something cannot be so."""

    NOT_YAML = "not_yaml"
    EMPTY_FILE = "empty_file"
    # Shapes
    NOT_KEYS = "not_keys"
    UNKNOWN_KEY = "unknown_key"
    TWICE = "twice"
    MISSING = "missing"
    MISSING_BESIDE = "missing_beside"
    NOT_LIST = "not_list"
    NOT_ONE_VALUE = "not_one_value"
    # Values
    LENGTH = "length"
    CONTROL = "control"
    NUMBER = "number"
    SECONDS = "seconds"
    TRUE_OR_FALSE = "true_or_false"
    ONE_OF = "one_of"
    TIME = "time"
    DAY = "day"
    DAYS = "days"
    MOMENT = "moment"
    ZONE = "zone"
    AFTER = "after"
    # Operators, groups, DIDs
    EXTENSION = "extension"
    ENDPOINT = "endpoint"
    ENDPOINT_TAKEN = "endpoint_taken"
    MOBILE = "mobile"
    DID = "did"
    NO_OPERATOR = "no_operator"
    NO_GROUP = "no_group"
    SOMEBODY_ELSE = "somebody_else"
    ONE_DEFAULT = "one_default"
    HAS_CLIENTS = "has_clients"
    # Queues
    QUEUE = "queue"
    QUEUE_TAKEN = "queue_taken"
    MUSIC = "music"
    # Hours, trunks, the rules of a DID
    COUNTRY = "country"
    REGION = "region"
    LIKE_OR_OPEN = "like_or_open"
    WITHIN_A_YEAR = "within_a_year"
    TEMPLATE = "template"
    NO_HOURS = "no_hours"
    NO_TRUNK = "no_trunk"
    OTHER_GROUP = "other_group"
    SOUND = "sound"
    NO_ANNOUNCEMENT = "no_announcement"
    MAILBOX = "mailbox"
    NO_MAILBOX = "no_mailbox"
    KEY = "key"
    NO_COUNTRY = "no_country"
    MAILBOX_NAME = "mailbox_name"
    EMAIL = "email"
    PIN = "pin"
    # Callbacks
    LANGUAGE = "language"
    UNHEARD = "unheard"
    CALLED_COUNTRY = "called_country"
    # Rosters
    NO_TURNS = "no_turns"
    NOBODY_NAMED = "nobody_named"
    TWO_OPERATORS = "two_operators"
    NO_LUNCH = "no_lunch"
    LUNCH = "lunch"
    LUNCH_OUTSIDE = "lunch_outside"
    ZONE_NEEDED = "zone_needed"


_WORDS: Mapping[Mistake, tuple[str, str]] = {
    Mistake.NOT_YAML: ("this is not YAML: {problem}", "это не YAML: {problem}"),
    Mistake.EMPTY_FILE: ("the file is empty", "файл пуст"),
    Mistake.NOT_KEYS: ("must be keys with values", "здесь должны быть ключи со значениями"),
    Mistake.UNKNOWN_KEY: (
        "unknown; the keys are {keys}",
        "такого ключа нет; есть {keys}",
    ),
    Mistake.TWICE: ("occurs twice", "уже есть"),
    Mistake.MISSING: ("is missing", "нужно указать"),
    Mistake.MISSING_BESIDE: (
        "is missing: there is {other}",
        "нужно указать, раз указано {other}",
    ),
    Mistake.NOT_LIST: ("must be a list", "здесь должен быть список"),
    Mistake.NOT_ONE_VALUE: ("must be one value", "здесь должно быть одно значение"),
    Mistake.LENGTH: (
        "must have {low} to {high} characters",
        "длина должна быть от {low} до {high} знаков",
    ),
    Mistake.CONTROL: (
        "must not contain control characters",
        "не должно быть управляющих символов",
    ),
    Mistake.NUMBER: (
        "must be a number from {low} to {high}",
        "должно быть число от {low} до {high}",
    ),
    Mistake.SECONDS: (
        "must be {low} to {high} seconds",
        "должно быть от {low} до {high} секунд",
    ),
    Mistake.TRUE_OR_FALSE: ("must be true or false", "должно быть true или false"),
    Mistake.ONE_OF: ("must be one of {known}", "должно быть одно из: {known}"),
    Mistake.TIME: (
        'must be a time of day such as "09:00"',
        "должно быть время суток, например 09:00",
    ),
    Mistake.DAY: (
        "must be a day such as 2026-12-24",
        "должна быть дата, например 2026-12-24",
    ),
    Mistake.DAYS: (
        "must be days such as mon-fri, mon,wed or daily, of {known}",
        "должны быть дни: mon-fri, mon,wed или daily, из {known}",
    ),
    Mistake.MOMENT: (
        'must be a moment such as "2026-12-24 18:00", or a day',
        "должны быть дата и время, например 2026-12-24 18:00, или дата",
    ),
    Mistake.ZONE: (
        "must be an IANA time zone such as Europe/Moscow",
        "должен быть часовой пояс IANA, например Europe/Moscow",
    ),
    Mistake.AFTER: ("must be after {other}", "должно быть позже, чем {other}"),
    Mistake.EXTENSION: (
        "must be an extension: 2 to 10 digits",
        "должен быть внутренний номер: от 2 до 10 цифр",
    ),
    Mistake.ENDPOINT: (
        "must be a PJSIP endpoint: letters, digits, _ . -",
        "должен быть PJSIP endpoint: латинские буквы, цифры, _ . -",
    ),
    Mistake.ENDPOINT_TAKEN: (
        "is the endpoint of {extension} too",
        "этот endpoint уже есть у {extension}",
    ),
    Mistake.MOBILE: (
        "must be a phone number such as +79001112233",
        "должен быть номер телефона, например +79001112233",
    ),
    Mistake.DID: (
        "must be the number as the trunk sends it: 3 to 15 digits, + allowed",
        "должен быть номер, как его передаёт транк: от 3 до 15 цифр, можно +",
    ),
    Mistake.NO_OPERATOR: (
        "must be the extension of an operator that there is",
        "должен быть внутренний номер одного из операторов",
    ),
    Mistake.NO_GROUP: (
        "must be the name of a group that there is",
        "должно быть название одной из групп",
    ),
    Mistake.SOMEBODY_ELSE: ("must be somebody else", "должен быть другой оператор"),
    Mistake.ONE_DEFAULT: (
        "only one group may be it; {group} is",
        "такая группа может быть только одна, и это {group}",
    ),
    Mistake.HAS_CLIENTS: (
        "has {count} client(s) and cannot be removed: give them another manager or deputy first",
        "удалить нельзя, за номером закреплены клиенты ({count}): сначала передайте их другому",
    ),
    Mistake.QUEUE: (
        "must be 1 to 40 of a-z, 0-9 and -",
        "должно быть от 1 до 40 знаков: a-z, 0-9 и -",
    ),
    Mistake.QUEUE_TAKEN: ("is the queue of another group", "это очередь другой группы"),
    Mistake.MUSIC: (
        "must be the name of a class of musiconhold.conf",
        "должно быть название класса из musiconhold.conf",
    ),
    Mistake.COUNTRY: (
        "must be a country with known holidays, such as RU or DE",
        "должна быть страна с известными праздниками, например RU или DE",
    ),
    Mistake.REGION: ("is no region of {country}", "в {country} нет такого региона"),
    Mistake.LIKE_OR_OPEN: (
        "a day is like a weekday or has hours of its own, not both",
        "либо день как обычный день недели, либо свои часы, но не оба",
    ),
    Mistake.WITHIN_A_YEAR: (
        "must be less than a year after the first day",
        "должно быть меньше года после первого дня",
    ),
    Mistake.TEMPLATE: (
        "must be {{digits}}, {{e164}} or {{national}} with up to 8 digits in front",
        "должно быть {{digits}}, {{e164}} или {{national}}, перед ними до 8 цифр",
    ),
    Mistake.NO_HOURS: (
        "must be the name of opening hours that there are",
        "должно быть название одних из часов работы",
    ),
    Mistake.NO_TRUNK: (
        "must be the endpoint of a trunk that there is",
        "должен быть endpoint одного из транков",
    ),
    Mistake.OTHER_GROUP: ("must be another group", "должна быть другая группа"),
    Mistake.SOUND: (
        "must be a sound's name, or @ and the name of an announcement (a-z, 0-9, -)",
        "должно быть имя звука или @ и название объявления (a-z, 0-9, -)",
    ),
    Mistake.NO_ANNOUNCEMENT: (
        "must be the name of an announcement that there is: upload it first",
        "должно быть название загруженного объявления: сначала загрузите его",
    ),
    Mistake.NO_MAILBOX: (
        "must be the number of one of the mailboxes; any number where none are set up, "
        "since the PBX has its own",
        "должен быть номер одного из ящиков; любой номер, если ящики не настроены и они на АТС",
    ),
    Mistake.MAILBOX: ("must be 1 to 10 digits", "должно быть от 1 до 10 цифр"),
    Mistake.MAILBOX_NAME: (
        "must be up to 60 characters without , ; | = [ ]",
        "должно быть до 60 знаков без , ; | = [ ]",
    ),
    Mistake.EMAIL: ("must be an e-mail address", "должен быть адрес электронной почты"),
    Mistake.PIN: ("must be 4 to 10 digits", "должно быть от 4 до 10 цифр"),
    Mistake.NO_COUNTRY: (
        "is a number of no country, and the trunk needs the national form",
        "не номер какой-либо страны, а транку нужен национальный формат",
    ),
    Mistake.KEY: ("must be one digit", "должна быть одна цифра"),
    Mistake.LANGUAGE: (
        "must be an official language of a country, in two small letters, such as ru or de",
        "должен быть государственный язык какой-либо страны двумя строчными латинскими буквами, "
        "например ru или de",
    ),
    Mistake.UNHEARD: (
        "would never be heard: wherever this language is official, one that more people speak has "
        "a greeting, too",
        "никогда не прозвучит: везде, где этот язык государственный, есть приветствие и на более "
        "распространённом языке",
    ),
    Mistake.CALLED_COUNTRY: (
        "must be a country with telephone numbers, such as RU or US",
        "должна быть страна, у которой есть телефонные номера, например RU или US",
    ),
    Mistake.NO_TURNS: (
        "must name those who take turns",
        "нужно указать, кто сменяет друг друга",
    ),
    Mistake.NOBODY_NAMED: ("must name somebody", "нужно указать хотя бы одного оператора"),
    Mistake.TWO_OPERATORS: ("must be two operators", "должны быть два разных оператора"),
    Mistake.NO_LUNCH: (
        "covers the lunch, and there is none",
        "подменяет на обед, а обеда нет",
    ),
    Mistake.LUNCH: (
        'must be two times such as "13:00-14:00"',
        "должно быть начало и конец, например 13:00-14:00",
    ),
    Mistake.LUNCH_OUTSIDE: ("must lie within the shift", "обед должен быть внутри смены"),
    Mistake.ZONE_NEEDED: (
        "must be there when there is no group",
        "нужно указать, пока нет ни одной группы",
    ),
}


def say_mistake(code: Mistake, values: Mapping[str, str], language: str = "en") -> str:
    """Return in `language` (en or ru) why something cannot be so."""
    return _WORDS[code][LANGUAGES.index(language)].format_map(values)
