# ruff: noqa: RUF001 - words of many languages, whose letters look like others
"""What names and wordings of a Jira site mean, in the languages that Jira is used in. Pure.

Only what means one thing is listed; what is not listed is asked for. Everything is compared folded: case, white space
and signs at the ends do not count.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from enum import StrEnum

from connectors.values import Priority


def folded(text: str) -> str:
    """A name as names are compared."""
    plain = unicodedata.normalize("NFKC", text).casefold().replace("\u2019", "'")
    return " ".join(plain.split()).strip(" .:;!\u2026-\u2013\u2014")


def _names(text: str) -> frozenset[str]:
    """Names, separated by bars."""
    return frozenset(" ".join(one.split()) for part in text.splitlines() for one in part.split("|") if one.strip())


def _wording(text: str) -> re.Pattern[str]:
    """Wordings as patterns, separated by bars; lines are for reading only."""
    return re.compile("|".join(part.strip().rstrip("|").strip() for part in re.split(r"\n| \| ", text) if part.strip()))


TASKS = _names(
    """
    attività | aufgabe | compito | feladat | görev | opgave | oppgave | taak | tarea | tarefa | task | tehtävä
    tâche | uppgift | zadanie | úkol | úloha | завдання | задание | задача | タスク | 任务 | 任務 | 작업
    """
)
STORIES = _names(
    """
    histoire | historia | story | история | історія | ストーリー | 故事 | 스토리
    """
)
DEFECTS = _names(
    """
    anomalie | bogue | bug | błąd | chyba | defect | defeito | defekt | difetto | erro | error | fehler | feil
    fejl | fel | fout | hata | hiba | incident | virhe | баг | ошибка | помилка | バグ | 故障 | 缺陷 | 错误
    버그
    """
)
EPICS = _names(
    """
    epic | epik | epos | épica | épopée | эпик | エピック | 史诗 | 長篇故事 | 에픽
    """
)

PRIORITIES: Mapping[Priority, frozenset[str]] = {
    Priority.HIGH: _names(
        """
    high | major | important | hoch | wichtig | élevée | élevé | haute | haut | importante | alta | alto | hoog
    hög | høj | høy | korkea | wysoki | wysoka | vysoká | vysoký | vysoka | magas | высокий | високий | yüksek
    高 | 높음 | ridicat | ridicată | cao
    """
    ),
    Priority.MEDIUM: _names(
        """
    medium | normal | moderate | mittel | moyenne | moyen | normale | media | medio | média | médio | gemiddeld
    middel | medel | middels | keskitaso | średni | średnia | střední | stredná | stredný | közepes | средний
    середній | orta | 中 | 보통 | mediu | trung bình
    """
    ),
    Priority.LOW: _names(
        """
    low | minor | niedrig | gering | faible | basse | bas | baja | bajo | baixa | baixo | bassa | basso | laag
    låg | lav | matala | niski | niska | nízká | nízký | nízka | alacsony | низкий | низький | düşük | 低 | 낮음
    scăzut | scăzută | thấp
    """
    ),
}


class Side(StrEnum):
    """What a link's wording says of the issue that shows it."""

    WAITS = "waits"
    HOLDS = "holds"


_BLOCKED = _wording(
    r"""
    (is |are |be |being |gets )?blocked( by| on)? | (wird |ist )?(blockiert|behindert|gehindert)( von| durch)
    (wird|ist) (blockiert|behindert) | (wird |ist )(von|durch) .{0,20}blockiert | (est |sont )?bloquée?s?( par)
    (está |es |esta )?bloquead[oa]s? (por|pelo|pela) | (é |è |sono |viene )?bloccat[oa] da(l|lla)?
    (é |está )?impedid[oa] por | (wordt |is )?geblokkeerd door | (is )?geblokkeerd | blockeras av
    (är )?blockerad av | blokeres af | (er )?blokeret af | blokkeres av | (er )?blokkert av
    (jest |są )?(blokowan[eya]|zablokowan[eya]) przez | (je )?blokován[oa]?( kým)? | je blokovan[éáý]
    (за)?блокирован[оаы]? | блокируется | (за)?блоковано | блокується | tarafından engelleniyor
    .{0,12}ブロックされて(いる|います) | .{0,6}によりブロック.* | 被.{0,4}(阻止|阻塞|阻碍|阻擋|封鎖).* | 차단됨
    .*에 의해 차단.*
    """
)
_BLOCKS = _wording(
    r"""
    (is )?block(s|ing)? | blockiert | behindert | verhindert | bloque(nt)? | bloquea | bloqueia | impede
    blocca | blokkeert | blockerar | blokerer | blokkerer | blokuje | блокирует | блокує | engelliyor | engeller
    .{0,3}ブロック(する|している|します) | 阻止 | 阻塞 | 阻碍 | 阻擋 | 封鎖 | 차단 | 차단함
    """
)
_DEPENDS = _wording(
    r"""
    depends? (up)?on | is dependent (up)?on | is depending on | dependent on | has (a )?dependency on
    dependency on | requires? | needs? | (is )?wait(s|ing)? (for|on) | has to (wait for|be done after)
    must (wait for|be done after) | hängt (ab )?(von|an)( ab)? | ist abhängig von | abhängig von | benötigt
    braucht | erfordert | setzt .{0,12}voraus | wartet auf | dépend (de|du|des) | est dépendante? de | nécessite
    requiert | attend | a besoin de | depende (de|del|da|do|di|dal) | es dependiente de | é dependente de
    è dipendente da | dipende da | requiere | necesita | espera a | requer | precisa de | aguarda | richiede
    attende | ha bisogno di | is afhankelijk van | hangt af van | afhankelijk van | vereist | wacht op
    heeft .{0,10}nodig | beror på | är beroende av | kräver | väntar på | afhænger af | er afhængig af | kræver
    venter på | avhenger av | er avhengig av | riippuu | vaatii | zależy od | wymaga | czeka na | závisí na
    vyžaduje | čeká na | závisí od | čaká na | függ | igényli | зависит от | требует | ожидает | ждет | ждёт
    залежить від | потребує | чекає на | bağlı | bağımlı | gerektirir | bekliyor
    .{0,4}に依存(する|している|します)? | 依存 | .{0,4}を待つ | .{0,4}を必要とする | 依赖于? | 依賴於? | 取决于
    等待 | .{0,3}에 (의존|종속).* | 필요로 함
    """
)
_DEPENDED = _wording(
    r"""
    is (a )?(dependency|prerequisite) (of|for) | is depended (up)?on( by)? | has dependents? | has dependent
    is (required|needed|awaited|waited for) (by|for) | (required|needed) by | is waited on by
    has to be done before | must be done before | enables
    (wird |ist )?(benötigt|gebraucht|vorausgesetzt|erfordert|verlangt) (von|durch|für) | wird .{0,10}benötigt
    ist (eine )?(voraussetzung|vorbedingung|erforderlich|notwendig|nötig) (für|von) | ermöglicht
    wird erwartet von | est (requise?|nécessaire|exigée?|attendue?|indispensable) (par|à|pour)
    (est )?(une )?dépendance (de|pour)
    (es|está|é|è) (requerid[oa]|necesari[oa]|necessári[oa]|necessari[oa]|exigid[oa]|richiest[oa]) (por|para|da|per)
    (es|é|è) (una |uma )?(dependencia|dependência|dipendenza) (de|di) | is (vereist|nodig) (door|voor)
    wordt vereist door | krävs av | behövs (av|för) | kræves af | kreves av | er nødvendig for
    jest wymagan[eya] przez | je vyžadován[oa]?.* | требуется для | нужн[оаы]? для | необходим[оаы]? для
    потрібн[оаі]? для | .{0,4}から依存されている | .{0,4}に必要 | 被.{0,4}依赖.* | 被.{0,4}需要.*
    """
)

_WORDINGS: tuple[tuple[Side, bool, re.Pattern[str]], ...] = (
    (Side.WAITS, True, _BLOCKED),
    (Side.HOLDS, True, _BLOCKS),
    (Side.WAITS, False, _DEPENDS),
    (Side.HOLDS, False, _DEPENDED),
)
"""Which side a wording is of, and whether it speaks of blocking, which is what Jira's own link type does."""


def side_of(wording: str) -> tuple[Side, bool] | None:
    """What a wording says of the issue that shows it, and whether it speaks of blocking; None for one that is not
    known."""
    plain = folded(wording)
    if not plain:
        return None
    return next(((side, blocking) for side, blocking, words in _WORDINGS if words.fullmatch(plain)), None)


def priority_of(name: str) -> Priority | None:
    """The priority that a name is known to mean; None for other names."""
    plain = folded(name)
    return next((one for one, names in PRIORITIES.items() if plain in names), None)
