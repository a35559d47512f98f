"""What the nine sections of a record are called, in a dozen languages, and how a heading is compared."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from service.domain.audit.prose import fold, plain
from service.domain.audit.subject import SectionRule

GOAL, DATA, EXPERIMENTS, DECISIONS, PERFORMANCE = "goal", "data", "experiments", "decisions", "performance"
RISKS, NEXT_STEPS, LINKS, SIGN_OFF = "risks", "next-steps", "links", "sign-off"

KNOWN: Mapping[str, str] = {
    GOAL: """goal|goals|goal and hypothesis|goal/hypothesis|goals and hypotheses|hypothesis|hypotheses|objective
        |objectives|objective and hypothesis|aim|aims|purpose
        |Ziel|Ziele|Ziel und Hypothese|Ziele und Hypothesen|Hypothese|Hypothesen|Zielsetzung
        |objetivo|objetivos|objetivo e hipótesis|objetivo y hipótesis|objetivos e hipótesis|hipótesis|meta e hipótesis
        |objectif|objectifs|but|objectif et hypothèse|objectifs et hypothèses|hypothèse|hypothèses|but et hypothèse
        |obiettivo|obiettivi|obiettivo e ipotesi|obiettivi e ipotesi|ipotesi|scopo e ipotesi
        |objetivo e hipótese|objetivos e hipóteses|hipótese|hipóteses|meta e hipótese
        |doel|doelen|doel en hypothese|doelstelling|doelstelling en hypothese
        |cel|cele|cel i hipoteza|cele i hipotezy|hipoteza|hipotezy|cíl|cíle|cíl a hypotéza|hypotéza
        |mål|mål och hypotes|hypotes|目標|目標と仮説|目的と仮説|仮説|目的|目标|目标与假设|目标和假设|假设|目標與假設
        |context|context and problem statement|problem statement|question|research question
        |motivation|background|scope and goal|what we want to know|summary and question|Frage|Fragestellung
        |Problemstellung|Kontext|pregunta|contexto|planteamiento|question de recherche|contexte|problème
        |pergunta|问题|背景|研究问题|背景と目的|課題""",
    DATA: """data|data used|used data|dataset|datasets|data and datasets|data sets|data set|datasets used|training data
        |Daten|verwendete Daten|benutzte Daten|genutzte Daten|Datengrundlage|Datensatz|Datensätze|Datenbasis
        |datos|datos utilizados|datos usados|datos empleados|conjunto de datos|conjuntos de datos
        |données|données utilisées|jeu de données|jeux de données|données employées
        |dati|dati utilizzati|dati usati|dati impiegati|set di dati|dados|dados utilizados|dados usados
        |conjunto de dados|conjuntos de dados|gebruikte data|gebruikte gegevens|gegevens|dataset gebruikt
        |dane|użyte dane|wykorzystane dane|zbiór danych|zbiory danych|použitá data|datové sady
        |använda data|dataunderlag|datamängd|データ|使用データ|使用したデータ|利用データ|データセット
        |数据|使用的数据|所用数据|数据集|使用數據|資料
        |evaluation data|training and evaluation data|data sources|data source|dataset statistics
        |dataset and version|setup and data|Trainingsdaten|Datenquelle|Datenquellen|Datenstand
        |fuente de datos|datos de entrenamiento|données d'entraînement|source des données|fonte de dados
        |dados de treino|数据集统计|数据来源|训练数据|学習データ|データセット|データソース""",
    EXPERIMENTS: """experiments|experiment|experiments and results|results|experiments & results|results of experiments
        |experimental results|experiments and findings|runs and results
        |Experimente|Experimente und Ergebnisse|Ergebnisse|Versuche und Ergebnisse|Versuche
        |experimentos|experimentos y resultados|resultados|pruebas y resultados
        |expériences|expériences et résultats|expérimentations|expérimentations et résultats|résultats
        |essais et résultats
        |esperimenti|esperimenti e risultati|risultati|experimentos e resultados
        |experimenten|experimenten en resultaten|resultaten|eksperymenty|eksperymenty i wyniki|wyniki
        |experimenty|experimenty a výsledky|výsledky|experiment och resultat|resultat
        |実験|実験と結果|実験結果|結果|实验|实验与结果|实验和结果|实验结果|结果|實驗與結果
        |metrics|evaluation|evaluations|evaluation results|quantitative analyses|findings|key findings
        |measurements|benchmark|benchmarks|ablation|ablations|ablation study|what we tried|runs
        |offline results|Auswertung|Messungen|Messergebnisse|Metriken|evaluación|métricas|hallazgos
        |évaluation|mesures|métriques|avaliação|achados|实验|实验结果|结果|评估|评估结果|指标|実験|実験結果|結果|評価|評価結果""",
    DECISIONS: """decisions|decision|decisions and why|decisions and rationale|decisions and reasons|decision log
        |decisions made|decisions taken|decision and rationale|rationale
        |Entscheidungen|Entscheidung|Entscheidungen und Gründe|Entscheidungen und Begründung
        |Entscheidungen und Begründungen|Entscheidungen und warum|Beschlüsse
        |decisiones|decisión|decisiones y motivos|decisiones y razones|decisiones y por qué|decisiones y justificación
        |décisions|décision|décisions et raisons|décisions et justifications|décisions et motifs|décisions et pourquoi
        |decisioni|decisione|decisioni e motivi|decisioni e perché|decisioni e motivazioni
        |decisões|decisão|decisões e motivos|decisões e razões|decisões e porquê|decisões e por quê
        |decisões e justificativas
        |beslissingen|besluiten|beslissingen en redenen|besluiten en redenen|beslissingen en waarom|besluiten en waarom
        |decyzje|decyzja|decyzje i uzasadnienie|decyzje i powody|decyzje i dlaczego|rozhodnutí|rozhodnutí a důvody
        |beslut|beslut och skäl|beslut och varför|決定|決定と理由|決定事項|決定事項と理由|意思決定|意思決定と理由
        |决定|决策|决定与理由|决策与理由|决策和原因|决定和原因|決策與理由
        |conclusion|conclusions|final conclusion|final decision|decision outcome|recommendation
        |recommendations|resolution|what we decided|alternatives|alternatives considered|considered options
        |options considered|rationale|Fazit|Schlussfolgerung|Schlussfolgerungen|Empfehlung
        |Modellwahl|conclusión|conclusiones|recomendación|recomendaciones|alternativas
        |conclusion et décision|recommandation|recommandations|conclusão|conclusões|recomendação|结论|结论与建议|建议
        |备选方案|結論|方針|選択肢""",
    PERFORMANCE: """performance|performance in production|model performance in production|production performance
        |model performance|model in production|production|model behaviour in production
        |Modellleistung in Produktion|Modellleistung in der Produktion|Leistung in Produktion|Leistung in der Produktion
        |Leistung des Modells in Produktion|Leistung des Modells in der Produktion|Modell in Produktion
        |Modellgüte in Produktion|Modellgüte in der Produktion
        |Modell im Betrieb|Modellleistung im Betrieb|Leistung im Betrieb|Modell im Einsatz|modelo en producción
        |rendimiento|rendimiento en producción|rendimiento del modelo en producción|desempeño en producción
        |desempeño del modelo en producción|modèle en production|performance en production|performances en production
        |performance du modèle en production|performances du modèle en production
        |prestazioni in produzione|prestazioni del modello in produzione
        |desempenho em produção|desempenho do modelo em produção|performance em produção
        |prestaties in productie|modelprestaties in productie|prestaties van het model in productie
        |działanie modelu na produkcji|wyniki modelu na produkcji|wydajność modelu w produkcji|model na produkcji
        |výkon modelu v produkci|výkon v produkci|modellens prestanda i produktion|prestanda i produktion
        |本番環境での性能|本番環境でのモデル性能|本番でのモデル性能|運用中のモデル性能|生产环境中的模型表现|生产表现|生产环境表现
        |生产环境模型性能|生产环境中的模型性能|线上表现|模型线上表现|生產環境中的模型表現""",
    RISKS: """risks|risk|risks and limits|risks and limitations|limitations|limits|known risks|known limitations
        |Risiken|Risiko|Risiken und Grenzen|Risiken und Einschränkungen|Grenzen|Einschränkungen
        |riesgos|riesgo|riesgos y límites|riesgos y limitaciones|limitaciones
        |risques|risque|risques et limites|limites|rischi|rischio|rischi e limiti|limiti
        |riscos|risco|riscos e limites|riscos e limitações|limitações
        |risico's|risico|risico's en grenzen|risico's en beperkingen|beperkingen
        |ryzyka|ryzyko|ryzyka i ograniczenia|ryzyko i ograniczenia|ograniczenia|rizika|rizika a omezení|omezení
        |risker|risker och begränsningar|begränsningar|リスク|リスクと限界|リスクと制約|限界
        |风险|风险与局限|风险和限制|風險與限制
        |caveats|caveat|caveats and recommendations|known issues|known problems|consequences|open issues
        |limitations and risks|weaknesses|failure modes|biases and limitations|bias, risks and limitations
        |what could go wrong|Limitationen|Bekannte Probleme|Schwächen|Konsequenzen|consecuencias
        |problemas conocidos|conséquences|problèmes connus|avertissements|consequências|problemas conhecidos
        |当前局限|局限|局限性|已知问题|课题|制限事項|既知の問題|注意点""",
    NEXT_STEPS: """next steps|next step|next|what next|follow-up|follow-ups|actions|next actions|action items|to do next
        |nächste Schritte|nächster Schritt|weitere Schritte|weiteres Vorgehen|wie es weitergeht
        |próximos pasos|siguientes pasos|pasos siguientes|próximo paso
        |prochaines étapes|étapes suivantes|prochaine étape|suites à donner|suite
        |prossimi passi|passi successivi|prossimo passo|próximos passos|próximo passo
        |volgende stappen|vervolgstappen|volgende stap|następne kroki|kolejne kroki|dalsze kroki
        |další kroky|nästa steg|次のステップ|今後の予定|次の一手|今後の対応|下一步|后续步骤|下一步计划|後續步驟
        |follow-up actions|follow up actions|future work|outlook|todo|to do|to-dos|remaining|remaining work
        |open tasks|what is next|tickets|Ausblick|offene Punkte|Aufgaben|pendientes|trabajo futuro|tareas
        |travaux futurs|à faire|reste à faire|pendências|trabalhos futuros|未来工作|后续工作|待办|今後の課題|残タスク
        |TODO""",
    LINKS: """links|link|references|links and references|further links|resources
        |Verweise|Verknüpfungen|enlaces|vínculos|enlaces y referencias|liens|liens et références
        |collegamenti|link utili|riferimenti|ligações|links e referências|koppelingen|verwijzingen
        |linki|odnośniki|odkazy|länkar|リンク|参考リンク|链接|相关链接|連結""",
    SIGN_OFF: """sign-off|signoff|sign off|signed off|approval|signature|approved by|signed by
        |Freigabe|Abnahme|Unterschrift|Genehmigung|aprobación|firma|visto bueno|conformidad|approbation|validation
        |signature et validation|approvazione|firma e approvazione|aprovação|assinatura|akkoord|goedkeuring
        |ondertekening
        |zatwierdzenie|podpis|akceptacja|schválení|godkännande|承認|サイン|サインオフ|批准|签字|签核|审批|簽核""",
}
"""By the keys that the checks look for: what people call the section. Capitals, accents and joining words are no
matter."""

BARE = frozenset({"performance", "model performance", "modellleistung", "rendimiento", "performances", "desempenho"})
"""Headings that are of production only where the text below speaks of it; of results otherwise."""

OVERVIEW_TITLE = "Tickets and figures"
"""The heading under which phaseloop writes what it knows of an iteration's tickets."""

OURS = frozenset({"done means", OVERVIEW_TITLE.casefold()})
"""Headings that phaseloop writes, the first above a ticket's checklist where the tracker has no checklists: what stands
under them is no part of any section, and nobody's answer."""

_JOINING = frozenset(
    re.split(r"\s", "and und y e et en i a och the of die der das la el los las le les il gli lo os as de het o")
)
_NUMBERING = re.compile(
    r"^(?:\d{1,3}(?:\.\d{1,3}){1,3}[.):]?|(?:\d{1,3}|[ivxIVX]{1,4}|[a-hA-H])[.):]|§\s?\d+|\d{1,2}(?=\s))\s*"
)
_BEFORE = re.compile(r"^[\W_]+")
_PARTS = re.compile(r"[^\W_]+")
_TAIL = re.compile(r"\s*[(\[:|\N{EN DASH}\N{EM DASH}]|\s-\s")
LONGEST = 120
"""The most characters of a heading that are looked at."""


class Headings:
    """Knows the headings of a record's sections."""

    def __init__(self, rules: tuple[SectionRule, ...]) -> None:
        """For these sections: their own titles go before what is built in, the first rule before the others."""
        self._own = {_parts(name) for _, name in _told(rules)}
        self._keys: dict[tuple[str, ...], str] = {}
        for names in (_told(rules), _built_in(rules)):
            for key, name in names:
                if (parts := _parts(name)) != ():
                    self._keys.setdefault(parts, key)
        self._longest = max((len(parts) for parts in self._keys), default=0)

    def key_of(self, heading: str, *, whole: bool = False) -> str | None:
        """The key of the section that a heading (Markdown) opens, None for one that is not known; empty for one
        that phaseloop writes. `whole`: it must be nothing but the title, as a line of plain text must."""
        text = plain(heading[: 4 * LONGEST])
        if len(text) > LONGEST or "\n" in text:
            return None
        bare = _NUMBERING.sub("", _BEFORE.sub("", text))
        if fold(bare).strip(" :") in OURS:
            return ""
        for said in (text, bare) if whole else (text, bare, _TAIL.split(bare, maxsplit=1)[0]):
            if (found := self._keys.get(_parts(said))) is not None:
                return found
        return None if whole else self._beginning(_parts(bare))

    def is_own(self, heading: str) -> bool:
        """Whether the template itself calls a section so, and not just people elsewhere."""
        text = plain(heading[: 4 * LONGEST])
        return _parts(text) in self._own or _parts(_NUMBERING.sub("", _BEFORE.sub("", text))) in self._own

    def _beginning(self, parts: tuple[str, ...]) -> str | None:
        """The section whose whole name, of two words or more, begins a longer heading: `data used this time`."""
        if len(parts) > self._longest + 4:
            return None
        lengths = range(min(len(parts) - 1, self._longest), 1, -1)
        return next((key for n in lengths if (key := self._keys.get(parts[:n])) is not None), None)


@lru_cache(maxsize=64)
def headings(rules: tuple[SectionRule, ...]) -> Headings:
    """The headings of these sections, made once: all records of a template have the same."""
    return Headings(rules)


def _told(rules: Sequence[SectionRule]) -> Iterable[tuple[str, str]]:
    return ((rule.key, title) for rule in rules for title in rule.titles)


def _built_in(rules: Sequence[SectionRule]) -> Iterable[tuple[str, str]]:
    return ((rule.key, name) for rule in rules for name in KNOWN.get(rule.key, "").split("|"))


def _parts(name: str) -> tuple[str, ...]:
    """The words of a heading as they are compared; joining words count only where there are no others."""
    parts = tuple(_PARTS.findall(fold(name)))
    return tuple(part for part in parts if part not in _JOINING) or parts
