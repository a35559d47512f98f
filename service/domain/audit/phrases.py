"""The phrases that the checks know a reason, an alternative, a comparison and the like by. What they are is data, in
`phrases.toml`; each table is read when it is first looked for."""

from __future__ import annotations

import re
import tomllib
from functools import lru_cache
from importlib.resources import files

from service.domain.audit.prose import Phrases


class _Listed(Phrases):
    """The phrases of one table, in all its languages: a record may mix them."""

    def __init__(self, table: str) -> None:
        super().__init__()
        self._table = table

    def told(self) -> tuple[str, ...]:
        """The phrases."""
        return tuple(one for listed in _tables()[self._table].values() for one in listed)


@lru_cache(maxsize=1)
def _tables() -> dict[str, dict[str, list[str]]]:
    text = files("service.domain.audit").joinpath("phrases.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


REASON = _Listed("reason")
ALTERNATIVE = _Listed("alternative")
PREFERENCE = _Listed("preference")
KEPT = _Listed("kept")
OVER = _Listed("over")
VERSUS = _Listed("versus")
NO_DECISION = _Listed("no-decision")
UNDECIDED = _Listed("undecided")
STAND_IN = _Listed("stand-in")
MAYBE = _Listed("maybe")
LEANING = _Listed("leaning")
NOTHING = _Listed("nothing")
NOTHING_WITH = _Listed("nothing-with")
NO_EXPERIMENTS = _Listed("no-experiments")
NO_MODEL = _Listed("no-model")
NONE_KNOWN = _Listed("none-known")
PLACEHOLDER = _Listed("placeholder")
COMPARED = _Listed("compared")
BASELINE = _Listed("baseline")
TARGET = _Listed("target")
MEASURE = _Listed("measure")
NO_MEASURE = _Listed("no-measure")
MOVED = _Listed("moved")
CHOSEN = _Listed("chosen")
WINDOW = _Listed("window")
DROPPED = _Listed("dropped")
DATA_NOUN = _Listed("data-noun")
OPEN = _Listed("open")
WAITING = _Listed("waiting")
OPINION = _Listed("opinion")
NONE_OF = _Listed("none-of")
AGAINST = _Listed("against")
EXPECTED = _Listed("expected")
OF_OTHERS = _Listed("of-others")
NOT_MEASURED = _Listed("not-measured")
EVERYDAY = _Listed("everyday")
DOCUMENT = _Listed("document")
CONDITIONAL = _Listed("conditional")
IF = _Listed("if")
CONSENT = _Listed("consent")
DELEGATED = _Listed("delegated")
PROPOSED = _Listed("proposed")
NOTED_ELSEWHERE = _Listed("noted-elsewhere")
WOULD = _Listed("would")
CONCESSION = _Listed("concession")
GROUND = _Listed("ground")
ACT = _Listed("act")
OUT = _Listed("out")
EXCUSE = _Listed("excuse")
AS_EXPECTED = _Listed("as-expected")
OTHERS = _Listed("others")
OWN = _Listed("own")
SIMULATED = _Listed("simulated")
TOOLING = _Listed("tooling")
PLANNED_VALUE = _Listed("planned-value")
OF_A_MODEL = _Listed("of-a-model")

COMMON = frozenset(
    re.split(
        r"\s",
        "a abbiamo about above after again all alle also alte alten an and any are as at auf aus avec avons be "
        "been before benutzt between both but by can changed che com con conjunto current dados dane das data "
        "dataset datasets date daten datensatz dati datos day days de del dem den der derniere dernieres des "
        "dezelfde did die dla donnees each earlier een ein eine einer everything existing experiment experiments "
        "first for former from full fur gebruikt gegevens gleiche gleichen gli haben had has have hemos het im in "
        "into is it iteration its jeu laatste las last latest left les letzte letzten los main meme memes mesmos "
        "met misma mismo mismos mit model more most much neue neuen new newest nieuwe no none not nothing nous "
        "nouvelles now nowe nuevas nuevos nuovi oder of old on one only or oraz os ostatnie other our out par "
        "para past per por pour previous production que recent sa same sample se semana set sets since so some "
        "stand stessi still such te test than that the their them then there these they this those time to today "
        "todos toutes trained training tutti two ultima ultimi ultimos uma una und une uno unos up updated usado "
        "usados usamos usati usato used uses using usual utilise utilisees utilizado validation van version "
        "versions verwendet vom von voor was we week weeks were what when which wij wir with without woche work "
        "split splits train val validacion validacao holdout random stratified zufalliger aufteilung aleatorio "
        "aleatoria aleatoire fold folds seed seeds size sizes rows row samples records images examples lines zeilen "
        "zeile filas lignes linhas percent shuffled shuffle ratio proportion division particion repartition "
        "wurde wurden year yesterday zum zur",
    )
)
"""Words that name no dataset, folded."""
