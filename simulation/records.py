"""What the simulated team writes into the record of an iteration: well or badly, in words that follow from the seed.

The words are about a forecast of demand, whatever the template: under each heading of the record stands what people
would write under one that is called like that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from random import Random

from service.domain.audit.headings import OVERVIEW_TITLE


class Manner(StrEnum):
    """How a record is written and signed."""

    GOOD = "well"
    LATE = "well, and days too late"
    SLOPPY = "TBD everywhere"
    PROMPTS = "half of the prompts left in"
    UNSIGNED = "well, for nobody to sign"
    OWN = "well, by the one who signs"
    CHANGED = "well, and changed once it is signed"
    COPIED = "as the one before it"
    SPANISH = "in Spanish"


DECK = (*[Manner.GOOD] * 4, *(one for one in Manner if one is not Manner.GOOD))
"""The manners of so many records in a row, in an order that is drawn."""


def manner_of(seed: int, number: int) -> Manner:
    """In which manner the record of that iteration is to be written."""
    turn, place = divmod(number - 1, len(DECK))
    cards = list(DECK)
    Random(f"manners {seed} {turn}").shuffle(cards)
    if turn == 0 and cards[0] is Manner.COPIED:  # there is nothing yet to copy from
        cards.append(cards.pop(0))
    return cards[place]


@dataclass(frozen=True, slots=True)
class About:
    """What a record is about: `live` says that the phase asks how a model does in production; `steps` are tickets that
    come next, as people name them."""

    seed: int
    number: int
    live: bool
    steps: tuple[str, ...] = ()


Answers = Mapping[str, tuple[str, str]]
"""By topic: the heading to be used, empty to leave it as it is, and what stands under it."""

_TOPICS = (
    ("production", "performance"),
    ("goal", "hypothes", "objetivo"),
    ("data", "datos"),
    ("experiment", "result"),
    ("decision", "decisiones"),
    ("risk", "limit", "riesgos"),
    ("next", "pasos"),
    ("link", "enlaces"),
)
_SIGNS = "sign"
PERFORMANCE, GOAL, DATA, EXPERIMENTS, DECISIONS, RISKS, NEXT, LINKS = (words[0] for words in _TOPICS)


def topic_of(heading: str) -> str:
    """What a heading asks for; empty if nobody here knows."""
    folded = heading.casefold()
    return next((words[0] for words in _TOPICS if any(word in folded for word in words)), "")


def fill_in(text: str, answers: Answers) -> str:
    """The text of a record, whose headings are lines that begin with `## `, with these answers in place of what stood
    under them. What has no answer stays, and so do the tickets and figures that phaseloop writes."""
    head, *sections = text.split("\n## ")
    told = [head]
    for section in sections:
        heading, _, body = section.partition("\n")
        found = answers.get(topic_of(heading)) if heading.strip() != OVERVIEW_TITLE else None
        if found is None:
            told.append(f"\n## {heading}\n{body}" if body else f"\n## {heading}")
            continue
        title, answer = found
        kept = "".join(f"\n{line}\n" for line in body.splitlines() if "(phaseloop " in line)  # nobody knows what it is
        told.append(f"\n## {title or heading}\n\n{answer}\n{kept}")
    return "".join(told)


def answers_for(manner: Manner, about: About) -> Answers:
    """What is written under the headings. One that is copied has the answers of another."""
    if manner is Manner.SLOPPY:
        return dict.fromkeys((words[0] for words in _TOPICS), ("", "TBD"))
    if manner is Manner.SPANISH:
        return _spanish(about)
    answers = _english(about)
    if manner is Manner.PROMPTS:
        return {topic: answers[topic] for topic in (GOAL, DATA)}
    return answers


def second_thoughts(about: About) -> Answers:
    """What somebody changes in a record that is signed."""
    drawn = Random(f"second thoughts {about.seed} {about.number}")
    better = drawn.uniform(15, 17)
    text = f"On a second look boosting reached WAPE {better:.1f} % against a baseline of 21.9 %; two days were missing."
    return {EXPERIMENTS: ("", text)}


_SEEN = (
    "school holidays",
    "the weather of tomorrow",
    "promotions",
    "local events",
    "prices of rivals",
    "pay days",
    "opening hours",
    "returned goods",
    "the age of a store",
    "late deliveries",
    "queues at the till",
    "searches on the site",
    "road works",
)
_GOALS = (
    (
        "We want to know whether a model that sees {seen} forecasts daily demand better than the one before it. It is "
        "wrong if WAPE stays above {target} %."
    ),
    (
        "Find out what {seen} do for the forecast of fresh goods, of which most is thrown away. Success is a WAPE of "
        "{target} % or less on the weeks that were held out."
    ),
    (
        "Does the forecast of small stores gain by {seen}? Their WAPE has to fall below {target} %, or we drop the "
        "idea and say so to the buyers."
    ),
)
_TRIED = (
    (
        "Gradient boosting with {seen} reached WAPE {best} % against a baseline of {base} %. A linear model reached "
        "{other} %."
    ),
    (
        "A small network that sees {seen} ended at WAPE {best} %, the baseline at {base} %. With twice as many layers "
        "it was {other} %, so size is not what is lacking."
    ),
    (
        "Of nine runs the best one uses {seen}: WAPE {best} %, compared with {base} % for last year's method and "
        "{other} % for the average of four weeks."
    ),
)
_DECIDED = (
    "We go on with {seen} because WAPE falls to {best} % by them. The linear model was rejected.",
    (
        "We keep the smaller model because it is as good as the large one and answers in {milliseconds} ms, instead of "
        "the network with more layers."
    ),
    (
        "We train on two years instead of five, because with five WAPE is {other} %: what was bought before {year} "
        "says little about {seen} now."
    ),
)
_RISKS = (
    (
        "Small stores with fewer than ten orders a day are forecast too high. Their managers would order too much, so "
        "they are left out."
    ),
    "Where {seen} are reported late, the forecast of the morning is blind to them; buyers are told by a yellow mark.",
    "New goods have no past, and nobody knows what {seen} mean for them. For six weeks people order these by hand.",
)
_PLACES = ("stores", "branches", "markets")


def _english(about: About) -> dict[str, tuple[str, str]]:
    drawn = Random(f"words {about.seed} {about.number}")
    said = _figures(drawn) | {"seen": drawn.choice(_SEEN)}
    live = (
        f"Over the last 14 days WAPE was {said['live']} % in all {said['stores']} {drawn.choice(_PLACES)}, against a "
        f"target of {said['target']} %."
    )
    steps = [f"- {step}: weigh it anew" for step in about.steps] + [
        f"- A second provider of {drawn.choice(_SEEN)}: dropped"
    ]
    texts = {
        GOAL: drawn.choice(_GOALS),
        DATA: "- orders_daily, version {year}-{month}-{day}: {rows} million rows, without returns\n"
        "- {seen}, release {release}: taken in anew",
        EXPERIMENTS: drawn.choice(_TRIED),
        DECISIONS: drawn.choice(_DECIDED),
        PERFORMANCE: live if about.live else "No model is in production yet, because candidates are only compared.",
        RISKS: drawn.choice(_RISKS),
        NEXT: "\n".join(steps),
        LINKS: _links("Run", "Notebook in the repository", "Model card", "Dashboard", about.number),
    }
    return {topic: ("", text.format(**said)) for topic, text in texts.items()}


def _spanish(about: About) -> dict[str, tuple[str, str]]:
    said = _figures(Random(f"words {about.seed} {about.number}"))
    live = (
        f"En los últimos 14 días el WAPE fue de {said['live']} % en {said['stores']} tiendas, con un objetivo de "
        f"{said['target']} %."
    )
    steps = [f"- {step}: volver a ponderar" for step in about.steps]
    return {
        GOAL: (
            "Objetivo e hipótesis",
            (
                "Queremos saber si un modelo que conoce las vacaciones escolares predice la demanda diaria mejor "
                f"que el de la primavera. Falla si el WAPE queda por encima del {said['target']} %."
            ),
        ),
        DATA: (
            "Datos utilizados",
            f"Pedidos diarios, versión {said['year']}-{said['month']}-{said['day']}, sin devoluciones",
        ),
        EXPERIMENTS: (
            "Experimentos y resultados",
            f"El boosting con vacaciones alcanzó un WAPE de {said['best']} % frente a {said['base']} % de la base.",
        ),
        DECISIONS: (
            "Decisiones y motivos",
            f"Seguimos con boosting porque es el único por debajo del {said['base']} %; se descartó el modelo lineal.",
        ),
        PERFORMANCE: (
            "Rendimiento del modelo en producción",
            live if about.live else "Todavía no hay ningún modelo en producción.",
        ),
        RISKS: (
            "Riesgos y limitaciones",
            "Las tiendas pequeñas con menos de diez pedidos al día reciben previsiones demasiado altas.",
        ),
        NEXT: ("Próximos pasos", "\n".join([*steps, "- Segundo proveedor: descartado"])),
        LINKS: ("Enlaces", _links("Ejecución", "Repositorio", "Ficha del modelo", "Tablero", about.number)),
    }


def _figures(drawn: Random) -> dict[str, str]:
    base = drawn.uniform(20, 24)
    best = base - drawn.uniform(1.5, 5)
    return {
        "base": f"{base:.1f}",
        "best": f"{best:.1f}",
        "other": f"{drawn.uniform(best + 0.3, base):.1f}",
        "live": f"{best + drawn.uniform(-0.4, 0.9):.1f}",
        "target": f"{drawn.choice((18, 19, 20, 21))}",
        "year": f"{drawn.choice((2024, 2025, 2026))}",
        "month": f"{drawn.randint(1, 12):02}",
        "day": f"{drawn.randint(1, 28):02}",
        "rows": f"{drawn.uniform(3, 6):.1f}",
        "release": f"{drawn.randint(2, 40)}",
        "stores": f"{drawn.randint(180, 260)}",
        "milliseconds": f"{drawn.randint(20, 90)}",
    }


def _links(run: str, repository: str, card: str, dashboard: str, number: int) -> str:
    return "\n".join(
        (
            f"- {run}: https://mlflow.example.com/#/experiments/7/runs/{number:04x}",
            f"- {repository}: https://github.com/example/demand/tree/iteration-{number}",
            f"- {card}: https://docs.example.com/demand/model-card-{number}",
            f"- {dashboard}: https://demand.grafana.net/d/demand",
        )
    )
