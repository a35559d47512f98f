"""The labels that people put before the parts of a decision: `Decision:`, `Reason:`, `Alternative:`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from service.domain.audit.prose import Phrases, flat

DECISION_LABEL, REASON_LABEL, ALTERNATIVE_LABEL = "decision", "reason", "alternative"

LABELS: Mapping[str, Phrases] = {
    ALTERNATIVE_LABEL: Phrases(
        "alternative|alternatives|alternatives considered|alternative considered|rejected|rejected alternative"
        "|options|instead of",
        "rejected alternatives|considered|turned down|discarded|dropped|rejected options|other options|not chosen|over",
        "alternativen|verworfen|verworfene alternative|verworfene alternativen|abgelehnt|erwogen|statt"
        "|alternativa|alternativas",
        "alternativa descartada|alternativas descartadas|descartado|descartada|alternative écartée|alternatives "
        "écartées|écarté",
        "rejeté|alternativa scartata|alternative scartate|scartato|alternatief|alternatieven|verworpen"
        "|afgewezen|alternatywa",
        "alternatywy|odrzucono|odrzucone|alternativy|zamítnuto|alternativ|förkastat|代替案|却下|却下した案"
        "|不採用|替代方案|备选方案|备选|否决",
    ),
    REASON_LABEL: Phrases(
        "reason|reasons|why|rationale|because|justification|reasoning|grund|gründe|begründung|warum|weil|motivo"
        "|motivos|razón",
        "razones|por qué|porqué|justificación|raison|raisons|pourquoi|motif|motifs|justification|motivi"
        "|motivazione|perché|razão",
        "por quê|justificativa|reden|redenen|waarom|powód|powody|dlaczego|uzasadnienie|důvod|důvody|proč|skäl"
        "|varför|理由|根拠|原因",
    ),
    DECISION_LABEL: Phrases(
        "decision|decided|we decided|choice|entscheidung|beschluss|entschieden|decisión|se decidió|décision"
        "|choix|decisione",
        "scelta|decisão|beslissing|besluit|keuze|decyzja|wybór|rozhodnutí|beslut|決定|決定事項|决定|决策",
    ),
}
"""What people call the parts, as labels and as heads of columns; what is longer is looked for first."""

_LABEL = re.compile(
    r"(?:^|(?<=[.;!?|\n\u3002])|(?<=\s)(?=[A-Z\u00c0-\u00dd]))[\s*_-]{0,4}"
    r"([^\W\d][^.;:!?|\n\uff1a]{0,40}?)(?:\s{0,2}\d{1,3})?\s{0,2}[:\uff1a]"
)


def labelled(text: str) -> Iterator[tuple[str, str]]:
    """The parts of a plain text that labels tell apart, each with the label's role; empty for what has none."""
    begin, role = 0, ""
    for found in _LABEL.finditer(text):
        if (next_role := _role(found[1])) == "":
            continue
        if (part := _part(text[begin : found.start()])) or role:
            yield role, part
        begin, role = found.end(), next_role
    if (part := _part(text[begin:])) or role:
        yield role, part


def label_of(markdown: str) -> str:
    """The role of the label that a line begins with, empty if it has none."""
    found = _LABEL.match(markdown.lstrip("*_ ").replace("**", "").replace("__", ""))
    return _role(found[1]) if found is not None else ""


def _role(label: str) -> str:
    name = flat(label).strip(" *_")
    return next(
        (role for role, names in LABELS.items() if (one := names.first(name)) and one.span() == (0, len(name))), ""
    )


def _part(text: str) -> str:
    return " ".join(text.split()).lstrip("-\u2013\u2014 ")
