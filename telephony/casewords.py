"""The words for missed cases and tries to call back, in English and Russian."""

from __future__ import annotations

from telephony.domain.callback.cases import Attention, CaseState, Ending, Source
from telephony.domain.callback.results import Ended, Why

STATES: dict[CaseState, tuple[str, str]] = {
    CaseState.OPEN: ("open", "открыт"),
    CaseState.DIALLING: ("being called", "идёт звонок"),
    CaseState.CLOSED: ("closed", "закрыт"),
    CaseState.SUPPRESSED: ("not called", "не перезваниваем"),
}

SOURCES: dict[Source, tuple[str, str]] = {
    Source.MISSED: ("missed call", "пропущенный звонок"),
    Source.KEY: ("asked on the telephone", "просьба по телефону"),
    Source.FORM: ("form on a web site", "форма на сайте"),
    Source.REQUEST: ("request of a colleague or program", "запрос сотрудника или программы"),
    Source.SCHEDULED: ("time agreed", "назначенное время"),
}

WHYS: dict[Why, tuple[str, str]] = {
    Why.RINGING: ("hung up while it rang", "трубку не дождались"),
    Why.WAITING: ("hung up while waiting", "ожидание прервано"),
    Why.SHORT: ("hung up at once", "сразу положили трубку"),
    Why.NOBODY: ("nobody answered", "никто не ответил"),
    Why.CLOSED: ("out of hours", "нерабочее время"),
    Why.LOST: ("lost by a breakdown", "потерян из-за сбоя"),
    Why.VOICEMAIL: ("left a message", "голосовое сообщение"),
    Why.ASKED: ("asked to be called", "просьба перезвонить"),
}

ENDS: dict[Ended, tuple[str, str]] = {
    Ended.TALKED: ("talked", "разговор"),
    Ended.BUSY: ("busy", "занято"),
    Ended.NO_ANSWER: ("no answer", "нет ответа"),
    Ended.DECLINED: ("declined", "отклонён"),
    Ended.UNREACHABLE: ("unreachable", "недоступен"),
    Ended.NOT_A_PERSON: ("no person answered", "ответил не человек"),
    Ended.WAITED_IN_VAIN: (
        "the client answered, no operator did",
        "клиент ответил, а оператор — нет",
    ),
    Ended.CUT_OFF: ("cut off too soon", "разговор сорвался"),
    Ended.OPERATOR_GONE: ("the operator hung up first", "оператор положил трубку раньше"),
    Ended.OPERATOR_BUSY: ("the operator was busy", "оператор занят"),
    Ended.OPERATOR_NO_ANSWER: ("the operator did not answer", "оператор не ответил"),
    Ended.OPERATOR_DECLINED: ("the operator declined", "оператор отклонил"),
    Ended.OPERATOR_UNREACHABLE: (
        "the operator's phone was unreachable",
        "телефон оператора недоступен",
    ),
    Ended.NOT_DIALLED: ("not dialled", "звонка не было"),
    Ended.UNKNOWN: ("outcome unknown", "исход неизвестен"),
    Ended.WITHDRAWN: ("withdrawn by the rules", "отменён по правилам"),
}

ENDINGS: dict[Ending, tuple[str, str]] = {
    Ending.CLIENT_CALLED: ("the client called again", "клиент перезвонил сам"),
    Ending.OPERATOR_CALLED: ("an operator called", "позвонил оператор"),
    Ending.CALLED_BACK: ("called back", "перезвонили"),
    Ending.BY_HAND: ("closed by hand", "закрыт вручную"),
    Ending.EXPIRED: ("too late to call", "время вышло"),
    Ending.NOT_MISSED: ("was answered after all", "звонок всё же отвечен"),
    Ending.SHORT: ("hung up at once", "сразу положили трубку"),
    Ending.BLOCKED: ("on the block list", "в чёрном списке"),
    Ending.NOT_DIALLABLE: ("cannot be called", "позвонить нельзя"),
    Ending.OPTED_OUT: ("asked not to be called", "просьба не звонить"),
    Ending.DUPLICATE: ("duplicate", "повтор"),
}

ATTENTIONS: dict[Attention, tuple[str, str]] = {
    Attention.ATTEMPTS: ("all tries were in vain", "все попытки безуспешны"),
    Attention.UNKNOWN: ("nobody knows how the last try ended", "исход попытки неизвестен"),
    Attention.RULES: ("the rules leave no time to call", "правила не оставляют времени для звонка"),
    Attention.MANUAL: ("is not called automatically", "автоматически не перезваниваем"),
}
