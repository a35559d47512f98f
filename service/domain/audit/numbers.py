"""Numbers and names of measures in plain text, and what only looks like one: dates, versions, keys, counts of days."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_MONTH = (
    r"(?:jan|feb|mar|apr|mai|may|maj|mei|jun|jul|aug|sep|okt|oct|ott|nov|dec|dez|dic|ene|abr|ago|set|out|fev|avr|aou|gen"
    r"|mag|giu|lug|sty|lut|kwi|cze|lip|sie|wrz|paz|lis|gru|brez|led|uno|bre|dub|kve|cer|srp|zar|rij|lis|pro|maart|mrt)"
    r"[a-z]{0,9}\.?"
)
DATE = re.compile(
    r"(?<!\d)(?:(?:19|20)\d\d[-/.](?:0?[1-9]|1[0-2])(?:[-/.](?:0?[1-9]|[12]\d|3[01]))?"
    r"|(?:0?[1-9]|[12]\d|3[01])[./-](?:0?[1-9]|1[0-2])[./-](?:19|20)?\d\d"
    r"|(?:(?<=\bam )|(?<=\bab )|(?<=\bbis )|(?<=\bseit )|(?<=\bvom )|(?<=\bzum ))"
    r"(?:0?[1-9]|[12]\d|3[01])\.(?:0?[1-9]|1[0-2])\."
    rf"|(?:0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th)?[. ]{{0,2}}(?:de |of )?{_MONTH}(?: (?:de |of )?(?:19|20)\d\d)?"
    rf"|(?<![a-z]){_MONTH} (?:0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th)?(?:,? (?:19|20)\d\d)?"
    rf"|(?<![a-z]){_MONTH} (?:19|20)\d\d"
    r"|(?:19|20)\d\d年(?:\d{1,2}月(?:\d{1,2}日)?)?|\d{1,2}月\d{1,2}日|(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"
    r"|(?:19|20)\d\d-?w\d\d|(?:19|20)\d\d ?-? ?q[1-4])(?!\d)"
)
"""A day, month, week or quarter, in a folded text."""

VERSION = re.compile(
    r"(?<![\w.])(?:v\.? ?\d{1,6}(?:\.\d{1,6}){0,3}"
    r"|(?:version(?:en)?|versione|versao|versie|wersj[aei]|verze|rev|revision|release|snapshot|tag|build|ver\.?|nr\.?|no\.)"
    r"[ :#=]{0,3}\w?\d[\w.-]{0,40}"
    r"|\d{1,4}\.\d{1,4}\.\d{1,6}(?:[-+.]\w{1,20})?|#\d{1,9})(?!\w)"
    r"|[版版]本? ?\d{1,4}|第\d{1,4}版|ハーシ(?:ヨ|ョ)ン ?[\d.]{1,12}"
    r"|(?<=\S)@[\w.-]{1,64}|-v\d{1,6}(?!\w)|_v\d{1,6}(?!\w)"
)
"""A version or a number of one, in a folded text."""

HASH = re.compile(
    r"(?<![\w.])(?=[0-9a-f]{0,63}\d)(?=[0-9a-f]{0,63}[a-f])[0-9a-f]{7,64}(?![\w])|sha-?256:[0-9a-f]{6,64}"
)
"""A digest or the id of a commit, in a folded text."""

BOUND = re.compile(r"(?<!\w)(?:floor|min|max|cap|mindestens|minimo|maximo|plancher)(?=[ :=]{1,3}[\d.])")
"""A word that makes the number right behind it a target, in a folded text; alone it may be of something else."""
COMPARISON = re.compile(r"(?:>=|<=|=>|[\u2265\u2264<>])(?= ?\d)")
"""A sign that does the same."""

KEY = re.compile(r"(?<![\w/.-])([A-Z][A-Z0-9_]{1,20})-(\d{1,7})(?![\w-])")
"""What may be a ticket's key, in a text as it was written."""

_SPAN = (
    r"days?|weeks?|months?|hours?|years?|minutes|tage?n?|wochen?|monate?n?|stunden|dias?|semanas?|mes(?:es)?|horas?|jours?"
    r"|semaines?|mois|heures?|giorn[oi]|settiman[ae]|mes[ei]|dagen|weken|maanden|dni(?:ach|ami)?|tygodni\w?"
    r"|miesiac\w{0,4}|dnu|tydn\w{1,3}"
    r"|dagar|veckor|manader"
)
_DENSE_SPAN = "日間|週間|週|か月|ヶ月|天|周|个月|小时"
"""Lengths of time in scripts that put no blank after them."""
SPAN = re.compile(
    rf"(?<![\w.])\d{{1,4}}[ -]?(?:{_SPAN})(?!\w)|\d{{1,4}} ?(?:{_DENSE_SPAN})|(?<![\w.])\d{{1,4}} ?日(?!\w)"
    r"|(?:kw|week|woche|semana|semaine|vecka) ?\d{1,2}(?!\w)"
)
"""A length of time or a week by its number, in a folded text."""

_COUNTED = (
    r"experiments?|runs?|models?|rows?|users?|customers?|samples?|images?|records?|orders?|epochs?|trials?|folds?|features?"
    r"|groups?|people|tickets?|points|labels?|classes|documents?|requests|stores?|items?|times|seeds?|laufe?n?|modelle?"
    r"|zeilen|modelos?|filas|modeles?|lignes|modelli|righe"
)
_NO_MEASURE = re.compile(
    rf"{DATE.pattern}|\d{{1,2}}月|{VERSION.pattern}|{SPAN.pattern}|[a-z][a-z0-9_]{{0,20}}-\d{{1,7}}(?![\w%])"
    r"|(?:iteration|sprint|release|epoch|phase|step|seed|fold|model|experiment|run|ticket|page|figure|table|top|quarter|q|h"
    r"|hypothesis|group|option|line|section|stage)[ -]?#?\d{1,6}(?![\w%])(?![.,]\d)"
    rf"|(?<![\w.,])\d[\d.,]{{0,12}}k? (?:{_COUNTED})(?!\w)"
    r"|(?<![\w.,])(?:19|20)\d\d(?![\w%])(?![.,]\d)|[0-9a-f]{12,64}"
)
_NUMBER = re.compile(
    r"(?<![a-z0-9_.,])(?<![a-z0-9_][-/:@#])(?P<number>[-+]?(?:\d{1,12}(?:[.,]\d{1,9}){0,3}|\.\d{1,9}))"
    r" ?(?P<unit>%|percent|prozent|pp(?!\w)|ms(?!\w)|s(?!\w)|sec(?!\w)|seconds|sekunden|min(?!\w)|eur(?!\w)"
    r"|usd(?!\w)|€|\$)?"
    r"(?![a-z0-9_]|[.,]\d)"
)
_UNITS = {
    "percent": "%",
    "prozent": "%",
    "sec": "s",
    "seconds": "s",
    "sekunden": "s",
    "€": "EUR",
    "eur": "EUR",
    "usd": "USD",
}
_THOUSANDS = re.compile(r"^[-+]?[1-9]\d{0,2}(?:,\d{3})+$|^[-+]?[1-9]\d{0,2}(?:\.\d{3}){2,}$")

# By the name that a measure is told under: what people call it, folded.
_NAMES: Mapping[str, str] = {
    "accuracy": "accuracy|genauigkeit|treffgenauigkeit|exactitud|exactitude|accuratezza|acuracia|nauwkeurigheid"
    "|dokladnosc|traffsakerhet|正解率|准确率|準確率",
    "precision": "precision|prazision|precisione|precisao|precyzja|precisie|適合率|精确率|精準率",
    "recall": "recall|sensitivity|trefferquote|sensitivitat|sensibilidad|exhaustividad|rappel|richiamo|revocacao"
    "|czulosc|再現率|召回率",
    "specificity": "specificity|spezifitat|especificidad|specificite|特異度",
    "F1": "f1[ -]?score|f1[ -]?wert|f1[ -]?macro|f1|f-?score|f値|f1値|f1 值",
    "ROC AUC": "roc[ -]?auc|auc[ -]roc|auroc|auc",
    "PR AUC": "pr[ -]auc|auprc|auc[ -]pr|average precision",
    "log loss": "log[ -]?loss|cross[ -]entropy",
    "RMSE": "rmse",
    "MAE": "mae",
    "MAPE": "mape",
    "sMAPE": "smape",
    "WAPE": "wape|wmape",
    "MSE": "mse",
    "R2": "r2|r\\^2|r-squared",
    "perplexity": "perplexity|perplexite|perplexidad",
    "BLEU": "bleu",
    "ROUGE-L": "rouge-?l",
    "WER": "wer|word error rate",
    "NDCG": "ndcg",
    "MRR": "mrr",
    "MAP": "map@\\d{1,3}|mean average precision",
    "IoU": "m?iou",
    "Dice": "dice(?: score| coefficient)?",
    "Brier score": "brier(?: score)?",
    "calibration error": "ece|calibration error",
    "PSI": "psi|population stability index",
    "Gini": "gini",
    "lift": "uplift|lift",
    "click-through rate": "ctr|click-?through rate|klickrate|tasa de clics|taux de clics",
    "conversion rate": "conversion rate|conversion|konversionsrate|tasa de conversion|taux de conversion"
    "|tasso di conversione",
    "churn": "churn(?: rate)?|abwanderungsrate|abwanderung",
    "error rate": "error rate|fehlerrate|fehlerquote|tasa de error|taux d'erreur|tasso di errore|taxa de erro"
    "|foutpercentage|wskaznik bledow|エラー率|誤り率|错误率",
    "false positive rate": "false[ -]positive rate|fpr|false[ -]positives|falsch-positiv-rate"
    "|falsos positivos|faux positifs",
    "false negative rate": "false[ -]negative rate|fnr|false[ -]negatives|falsos negativos|faux negatifs",
    "hit rate": "hit[ -]rate",
    "win rate": "win[ -]rate",
    "pass rate": "pass[ -]rate",
    "exact match": "exact match",
    "latency": "latency|latenz|latencia|latence|latenza|antwortzeit|response time|opoznienie|レイテンシ|延迟|延遲",
    "throughput": "throughput|durchsatz",
    "availability": "availability|uptime|verfugbarkeit|disponibilidad|disponibilite",
    "coverage": "coverage|abdeckung|cobertura|couverture",
    "hallucination rate": "hallucination rate|hallucinations",
    "loss": "loss",
    "drift": "drift score|drift",
    "bias": "bias",
    "kappa": "kappa|cohen's kappa",
    "CV": "cv(?: score)?",
    "LB": "(?:public |private )?lb(?: score)?",
    "KS": "ks",
    "mAP": "map(?=[ :=]{1,3}[\\d.])",
    "AP": "ap(?=[ :=]{1,3}[\\d.])",
    "false alarm rate": "false alarm rate|fehlalarmrate|tasa de falsas alarmas|误报率|誤報率|誤検知率",
    "miss rate": "miss rate|漏报率|見逃し率",
    "error": "mean error|error medio|erreur moyenne|erro medio|mittlerer fehler",
    "chargeback rate": "chargebacks?(?: rate)?",
    "correlation": "correlation|korrelation|spearman|pearson",
}
_KINDS = list(_NAMES)
_QUALIFIER = r"(?P<how>(?:macro|micro|weighted|train|training|p\d\d|median)[ _-])?"
NAME = re.compile(
    rf"(?<![a-z0-9]){_QUALIFIER}(?:"
    + "|".join(f"(?P<k{n}>{shape})" for n, shape in enumerate(_NAMES.values()))
    + r")(?P<at>@\d{1,4})?(?:(?<=[\u3040-\u9fff])|(?![a-z0-9_]))"
)


@dataclass(frozen=True, slots=True)
class Found:
    """A number with its unit (empty: none), and where it stands in the folded text."""

    value: float
    unit: str
    start: int
    end: int


def numbers(folded: str) -> Iterator[Found]:
    """The numbers in a folded text that can be a measure's, in order."""
    masked = _NO_MEASURE.sub(lambda one: " " * len(one.group(0)), folded)
    for match in _NUMBER.finditer(masked):
        value = number(match["number"])
        if value is not None:
            unit = match["unit"] or ""
            yield Found(value, _UNITS.get(unit, unit), match.start(), match.end())


def number(text: str) -> float | None:
    """What a number is that may be written with points or commas; None where it can be none."""
    if _THOUSANDS.match(text):
        return float(re.sub(r"[.,]", "", text))
    last = max(text.rfind("."), text.rfind(","))
    whole = re.sub(r"[.,]", "", text[:last]) if last >= 0 else text
    if last >= 0 and (text.count(text[last]) > 1):
        return None
    try:
        return float(f"{whole or '0'}.{text[last + 1 :]}" if last >= 0 else text)
    except ValueError:
        return None


def names(folded: str, learned: re.Pattern[str] | None = None) -> Iterator[tuple[str, int, int]]:
    """The names of measures in a folded text as they are told, with where they stand: those that everybody knows in
    order, then the `learned` ones beside them."""
    known = []
    for match in NAME.finditer(folded):
        known.append(match.span())
        kind = next(name for n, name in enumerate(_KINDS) if match[f"k{n}"])
        how = (match["how"] or "").strip(" _-").replace("training", "train")
        yield f"{how} {kind}".strip() + (match["at"] or ""), match.start(), match.end()
    for match in learned.finditer(folded) if learned is not None else ():
        if all(match.end() <= start or end <= match.start() for start, end in known):
            yield match.group(0), match.start(), match.end()
