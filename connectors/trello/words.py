# ruff: noqa: RUF001 - words of many languages, whose letters look like others
"""What the names of a board's lists mean, in the languages that boards are kept in. Pure.

Only what means one thing is listed; what is not listed is asked for, or told by its place.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from enum import StrEnum


class Meaning(StrEnum):
    """What a list's name says. `TODO` is what is to be done, whether all of it or of this iteration."""

    EPICS = "epics"
    BACKLOG = "backlog"
    TODO = "todo"
    ITERATION = "iteration"
    IN_PROGRESS = "in progress"
    REVIEW = "review"
    DONE = "done"


def folded(name: str) -> str:
    """A list's name as names are compared: without case, numbering, pictures and signs around it."""
    plain = unicodedata.normalize("NFKC", name).casefold().replace("\u2019", "'")
    plain = "".join(char if char.isalnum() or char in "'-/ " or unicodedata.combining(char) else " " for char in plain)
    plain = re.sub(r"^\s*\d{1,2}(?=\D)\W*", "", plain)
    return " ".join(plain.split()).strip(" -/'")


def _names(text: str) -> frozenset[str]:
    return frozenset(" ".join(one.split()) for part in text.splitlines() for one in part.split("|") if one.strip())


NAMES: Mapping[Meaning, frozenset[str]] = {
    Meaning.EPICS: _names(
        """
        epics | epic | epik | epiken | épopées | épicas | épicos | epici | эпики | epiki | エピック | 史诗 | 에픽
        """
    ),
    Meaning.BACKLOG: _names(
        """
        backlog | product backlog | the backlog | rückstand | rückstau | carnet de produit
        carnet | pendientes del producto | achterstand | produktbacklog | беклог
        бэклог | бэклог продукта | バックログ
        待办列表 | 需求池 | 백로그 | zaległości | arretrato | itens pendentes
        """
    ),
    Meaning.TODO: _names(
        """
        to do | todo | to-do | open | offen | offene aufgaben | zu erledigen | zu tun
        aufgaben | anstehend | à faire
        a faire | ouvert | ouverts | por hacer | pendiente | pendientes | abierto
        tareas pendientes | a fazer | por fazer
        pendente | da fare | aperto | aperti | te doen | open taken | att göra
        at gøre | å gjøre | gjøremål | tehtävät
        do zrobienia | k provedení | udělat | na urobenie | teendők | сделать
        нужно сделать | к выполнению | к работе
        надо сделать | зробити | до виконання | yapılacak | yapılacaklar | 待办 | 待办事项
        待處理 | 待处理 | 要做 | 未开始
        未着手 | やること | 할 일 | 해야 할 일 | de făcut | việc cần làm | cần làm | not started | nicht begonnen
        """
    ),
    Meaning.ITERATION: _names(
        """
        iteration | current iteration | this iteration | sprint | current sprint | this sprint | sprint backlog
        aktueller sprint | dieser sprint | aktuelle iteration | sprint en cours | itération | itération en cours
        sprint actual | iteración actual | iteración | sprint atual | sprint corrente
        huidige sprint | bieżący sprint
        текущий спринт | спринт | 当前迭代 | 本次迭代 | 当前冲刺 | 現在のスプリント | スプリント | 스프린트
        """
    ),
    Meaning.IN_PROGRESS: _names(
        """
        in progress | doing | in work | wip | work in progress | started | in arbeit
        in bearbeitung | begonnen | läuft
        laufend | wird bearbeitet | en cours | en cours de réalisation | en progreso
        en curso | en proceso | haciendo
        em andamento | em progresso | fazendo | in corso | in lavorazione | bezig | mee bezig | in uitvoering
        pågående | pågår | i gang | under arbejde | under arbeid | työn alla | kesken | w toku | w trakcie | probíhá
        rozpracováno | prebieha | folyamatban | в работе | в процессе | выполняется | делаем | в роботі | в процесі
        devam ediyor | yapılıyor | devam eden | 进行中 | 進行中 | 处理中 | 處理中 | 作業中 | 対応中 | 仕掛中
        진행 중 | 진행중
        în curs | în lucru | đang làm | đang thực hiện
        """
    ),
    Meaning.REVIEW: _names(
        """
        review | in review | code review | reviewing | to review | in prüfung | prüfung
        im review | abnahme | zur abnahme
        in abnahme | en revue | relecture | en relecture | à valider | en revisión | revisión | em revisão | revisão
        in revisione | revisione | ter controle | granskning | in beoordeling
        do sprawdzenia | на проверке | проверка
        ревью | код ревью | на ревью | перевірка | 审核中 | 评审 | 待审核 | 代码评审 | レビュー | レビュー中
        검토 | 검토 중
        """
    ),
    Meaning.DONE: _names(
        """
        done | complete | completed | closed | finished | fertig | erledigt | erledigte aufgaben | abgeschlossen
        geschlossen | beendet | fertiggestellt | fait | faite | faits | terminé
        terminée | terminés | terminées | fini
        finis | clos | réalisé | achevé | hecho | hechos | hecha | terminado | terminados | completado | finalizado
        feito | feitos | concluído | concluídos | concluido | terminada | pronto
        fatto | fatti | completato | completati
        finito | concluso | gereed | klaar | afgerond | voltooid | gedaan | klart
        klar | färdig | färdigt | avslutat
        færdig | udført | ferdig | fullført | valmis | valmiit | zrobione | gotowe | ukończone | zakończone | hotovo
        dokončeno | dokončené | kész | elkészült | готово | сделано | завершено | выполнено | закрыто | зроблено
        виконано | bitti | tamamlandı | tamamlanan | yapıldı | 完成 | 已完成 | 完了 | 済み
        完了済み | 완료 | 완료됨
        finalizat | terminat | hoàn thành | đã xong | đã hoàn thành
        """
    ),
}


def meaning_of(name: str) -> Meaning | None:
    """What a list's name is known to mean; None for other names."""
    plain = folded(name)
    return next((one for one, names in NAMES.items() if plain in names), None)
