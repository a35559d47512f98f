"""The phrases that the checks know a reason, an alternative, a comparison and the like by, in the languages of
`headings`. Words that mean something else in another of these languages are left out."""

from __future__ import annotations

import re

from service.domain.audit.prose import Phrases

REASON = Phrases(
    "because|since it|since the|since they|since we|since there|due to|as a result of|owing to|given that"
    "|given the|therefore|thus|hence|in order to|so that|so as to|to avoid|to reduce|to keep|to save"
    "|for this reason|that is why|the reason|reason|reasons|rationale|justification|on the grounds that|thanks to"
    "|in view of|which is why|as it",
    "weil|da der|da die|da das|da es|da wir|da sie|wegen|aufgrund|auf grund|denn|daher|deshalb|deswegen|damit"
    "|um zu|grund|gründe|begründung|begründet|infolge|angesichts|somit",
    "porque|ya que|debido a|dado que|puesto que|por lo tanto|por tanto|por eso|a causa de|para evitar"
    "|para reducir|motivo|motivos|razón|razones|gracias a|visto que",
    "parce que|parce qu'*|puisque|puisqu'*|en raison|à cause|grâce à|afin de|afin d'*|car le|car la|car les"
    "|car il|car elle|car ils|car nous|car on|car ce|car son|car aucun|étant donné|c'est pourquoi|par conséquent"
    "|donc|raison|raisons|motif|motifs|vu que|pour éviter",
    "perché|poiché|dato che|a causa|in quanto|quindi|pertanto|motivo|motivi|ragione|ragioni|motivazione|grazie a"
    "|per evitare|siccome|visto che",
    "uma vez que|já que|devido à*|devido ao|por causa|pois|portanto|por isso|razão|razões|justificativa"
    "|justificação|graças a|visto que|dado que",
    "omdat|aangezien|doordat|vanwege|wegens|daarom|zodat|reden|redenen|dankzij|immers|gezien de",
    "ponieważ|gdyż|dlatego|z powodu|ze względu|dzięki|aby|żeby|powód|powody|powodu|uzasadnienie|wobec tego|skoro",
    "protože|neboť|kvůli|proto|díky|vzhledem k|důvod|důvody|aby",
    "eftersom|därför|på grund av|tack vare|skäl|anledning|för att",
    "ため|から|ので|理由|により|によって|故に|なぜなら|因为|因為|由于|由於|所以|因此|原因|理由是|为了|為了|鉴于",
)

ALTERNATIVE = Phrases(
    "instead of|instead|rather than|alternative|alternatives|alternatively|rejected|reject|dropped|drop|discarded"
    "|discard|turned down|abandoned|not pursued|ruled out|decided against|considered|in favour of|in favor of"
    "|other option|other options|options|as opposed to|over the|preferred to|preferred over|chosen over"
    "|chose not to|did not choose|not chosen|not taken|replaced|replaces|and not|against using|would have been"
    "|passed over",
    "statt|anstatt|anstelle|stattdessen|alternative|alternativen|verworfen|abgelehnt|verzichtet|erwogen"
    "|anderen möglichkeit*|andere möglichkeit*|nicht weiterverfolgt|nicht weiter verfolgt|ausgeschlossen|optionen"
    "|ersetzt|nicht gewählt",
    "en lugar de|en vez de|alternativa|alternativas|descart*|rechaz*|opciones|se consideró|en lugar del"
    "|en vez del|sustituye",
    "au lieu|plutôt que|alternative|alternatives|écarté*|rejeté*|abandonné*|options|à la place|envisagé*|renoncé"
    "|remplace",
    "invece|anziché|piuttosto che|alternativa|alternative|scartat*|respint*|opzioni|rifiutat*|al posto"
    "|considerat*|rinunciato",
    "em vez|ao invés|alternativa|alternativas|descartad*|rejeitad*|opções|em lugar|considerad*|abandonad*",
    "in plaats van|alternatief|alternatieven|verworpen|afgewezen|afgevallen|overwogen|opties|liever dan",
    "zamiast|alternatywa|alternatywy|alternatywą|odrzuc*|porzuc*|opcje|rozważ*|zrezygnowa*",
    "místo|namísto|alternativa|alternativy|zamítnut*|zavrh*|možnosti|zvažov*",
    "i stället för|istället för|alternativ|alternativet|alternativen|förkast*|avvisa*|valdes bort|övervägde*",
    "代わりに|代替|代替案|却下|不採用|採用しな|見送|やめ|よりも|ではなく|選択肢|替代|备选|而不是|而非|放弃|放棄"
    "|否决|否決|没有选择|没有采用|不采用|舍弃",
)

PREFERENCE = Phrases(
    "chose|chosen|choose|prefer|preferred|prefers|pick|picked|select|selected|favour|favor|favoured|kept|keep",
)
"""Words after which `over` names what was turned down."""
KEPT = Phrases(
    "keeps|keeping|use|uses|go with|goes with|go on with|goes on|stay with|ship|ships|release|releases|deploy|promote"
    "|take|adopt",
    "behalten|nehmen|gewählt|wählen|nutzen|setzen auf|bleiben bei|elegimos|usamos|mantenemos|nos quedamos|gardons"
    "|retenons|choisissons|utilisons|teniamo|scegliamo|usiamo|mantemos|escolhemos|usamos|behouden|kiezen|gebruiken"
    "|wybieramy|zostajemy|behåller|väljer|採用|選択|选择|采用|保留",
)
"""Before a name these say that it goes on, as PREFERENCE does."""
OVER = Phrases(
    "over",
)
VERSUS = Phrases(
    "vs|versus|gegenüber|frente a|par rapport à|rispetto a|em relação a|tegenover|ten opzichte van|wobec|oproti"
    "|jämfört med",
)
"""Before a name it turns something down, before a number it compares."""

NO_DECISION = Phrases(
    "no decision|no decisions|nothing was decided|nothing decided|nothing to decide|did not decide"
    "|no decision was taken|decided nothing|decision postponed|decisions postponed",
    "keine entscheidung|keine entscheidungen|nichts entschieden|keine beschlüsse",
    "ninguna decisión|sin decisiones|no se tomó ninguna decisión|no se tomaron decisiones|no hubo decisiones"
    "|no se decidió",
    "aucune décision|pas de décision|pas de décisions|rien n'a été décidé",
    "nessuna decisione|non è stata presa alcuna decisione|nulla è stato deciso",
    "nenhuma decisão|sem decisões|não houve decisões|nada foi decidido",
    "geen beslissing|geen beslissingen|geen besluit|geen besluiten|niets besloten",
    "brak decyzji|żadnych decyzji|żadnej decyzji|nie podjęto decyzji|nic nie postanowiono",
    "žádné rozhodnutí|nic nebylo rozhodnuto|inga beslut|inget beslut",
    "決定なし|決定はあり|決定事項なし|没有决定|無決定|无决定|未作决定|没有做出决定|未做决定",
)

NO_EXPERIMENTS = Phrases(
    "no experiment|no experiments|no experiments were run|no runs|nothing was run|did not run any"
    "|without experiments|not experiment|no experimental",
    "keine experimente|keine versuche|kein experiment|nicht experimentiert",
    "ningún experimento|sin experimentos|no hubo experimentos|no se hicieron experimentos"
    "|no se realizaron experimentos|no se ejecutaron experimentos|no se realizó ningún experimento",
    "aucune expérience|pas d'expérience|pas d'expériences|aucune expérimentation|aucun essai",
    "nessun esperimento|non sono stati fatti esperimenti|senza esperimenti",
    "nenhum experimento|sem experimentos|não houve experimentos|nenhuma experiência",
    "geen experimenten|geen experiment|żadnych eksperymentów|brak eksperymentów|nie przeprowadzono eksperymentów",
    "žádné experimenty|inga experiment",
    "実験なし|実験は行|実験を行わ|実験しな|没有实验|無實驗|无实验|未做实验|没有做实验|未进行实验",
)

NO_MODEL = Phrases(
    "no model in production|no model is in production|not in production|not yet in production"
    "|nothing in production|no production model|no model is live|not live yet|not deployed yet|not yet deployed"
    "|no model in production yet|no model in production so far|not in production so far|none in production"
    "|no model was deployed|no model deployed|no model has been deployed|nothing deployed|nothing is deployed",
    "kein modell in produktion|kein modell in der produktion|noch nicht in produktion|nicht in produktion"
    "|nicht produktiv|noch kein modell",
    "ningún modelo en producción|no hay modelo en producción|no hay ningún modelo en producción"
    "|sin modelo en producción|aún no está en producción|todavía no está en producción"
    "|todavía no hay modelo en producción|aún no hay modelo en producción"
    "|no hay modelos en producción",
    "aucun modèle en production|pas de modèle en production|pas encore en production|aucun modèle n'est en production",
    "nessun modello in produzione|non è ancora in produzione|non ancora in produzione",
    "nenhum modelo em produção|ainda não está em produção|sem modelo em produção",
    "geen model in productie|nog niet in productie|żaden model nie jest na produkcji|brak modelu na produkcji"
    "|jeszcze nie na produkcji|žádný model v produkci|ingen modell i produktion|inte i produktion",
    "本番未導入|未導入|未本番|本番環境にモデルはな|本番にモデルはな|未リリース|まだ本番|本番稼働していな|没有模型上线|尚未上线|还没有上线"
    "|未上线|尚無模型",
)

NONE_KNOWN = Phrases(
    "none known|no known risk|no known risks|no risks known|no risks|no risk|none|none found|no known limits",
    "keine bekannt|keine risiken bekannt|keine bekannten risiken|keine risiken|keine",
    "ninguno conocido|ningún riesgo conocido|sin riesgos conocidos|sin riesgos|ninguno",
    "aucun connu|aucun risque connu|aucun risque|aucun|nessuno noto|nessun rischio noto|nessun rischio|nessuno",
    "nenhum conhecido|nenhum risco conhecido|nenhum risco|nenhum|geen bekend|geen bekende risico's|geen risico's|geen",
    "brak znanych|brak ryzyk|brak|žádná známá|žádná|inga kända|inga",
    "なし|特になし|既知のリスクはな|无已知风险|没有已知风险|无|無|没有",
)

PLACEHOLDER = Phrases(
    "tbd|t.b.d|tba|lorem ipsum|fixme|to be determined|to be defined|to be decided|to be done|to be filled"
    "|to be written|to be added|fill in later|fill me in|fill this in|placeholder|coming soon|will follow later"
    "|xxx",
    "folgt noch|wird noch ergänzt|wird noch ausgefüllt|noch zu klären|noch offen|noch auszufüllen|wird nachgereicht",
    "por definir|por completar|a definir|pendiente de completar|por determinar|a completar|à compléter|à définir"
    "|à déterminer|à remplir|da definire|da completare|da compilare|a preencher|nader te bepalen|nog in te vullen"
    "|volgt nog|do uzupełnienia|do ustalenia|bude doplněno|doplnit|kompletteras senare",
    "未定|追記予定|後で記入|あとで書く|待定|待补充|待補充|待填写|待填",
)
"""What stands where an answer should be. A line that is little else is one."""

SHOUTED = ("TBD", "TBA", "TODO", "FIXME", "XXX", "T.B.D.", "???")
"""What is a placeholder wherever it stands, in capitals as it is here."""

COMPARED = Phrases(
    "compared|compare|comparison|versus|vs|than|baseline|baselines|before|previous|previously|last time"
    "|last iteration|benchmark|improved|improvement|improves|gain|gained|better|worse|higher|lower|up from"
    "|down from|reduced|increased|decreased|dropped|rose|fell|unchanged|the same as|against|relative to"
    "|difference|delta|ablation|faster|slower|beats|beat|outperforms|outperformed",
    "verglichen|vergleich|gegenüber|basislinie|vorher|zuvor|verbessert|verbesserung|besser|schlechter|höher"
    "|niedriger|als die|als der|als das|als im|als bei|unverändert|steigerung|gesunken|gestiegen",
    "comparado|comparación|frente a|línea base|línea de base|antes|anterior|mejor|peor|mejora|mejoró|mayor que"
    "|menor que|más alto|más bajo|que el|que la|respecto a|subió|bajó",
    "comparé|comparaison|par rapport|référence|avant|précédent*|meilleur*|pire|amélior*|contre|supérieur*"
    "|inférieur*|que le|que la",
    "confronto|rispetto|riferimento|prima|precedente|migliore|peggiore|miglior*|contro|superiore|inferiore",
    "em comparação|comparação|linha de base|anterior|melhor|pior|melhorou|em relação|maior que|menor que|contra",
    "vergeleken|vergelijking|tegenover|ten opzichte van|eerder|vorige|beter|slechter|hoger|lager|verbeterd|tegen",
    "w porównaniu|porównaniu|poprzedni*|wcześniej|lepsz*|gorsz*|wyższ*|niższ*|popraw*|względem|wobec|punkt odniesienia",
    "oproti|ve srovnání|předchozí*|lepší|horší|vyšší|nižší|základní|jämfört|tidigare|bättre|sämre|högre|lägre",
    "比較|比べ|ベースライン|前回|改善|向上|低下|より|対して|相比|比较|基线|基準|提高|提升|下降|优于|高于|低于"
    "|之前|上次|較",
    "baselinie",
)

BASELINE = Phrases(
    "baseline|before|previous|previously|versus|vs|compared with|compared to|against the baseline"
    "|than|last time|last iteration|control|old",
    "basislinie|vorher|zuvor|gegenüber|verglichen mit|als|statt|bisher|alt",
    "línea base|línea de base|antes|anterior|frente a|comparado con|que|base",
    "référence|avant|précédent*|par rapport à|contre|contro|rispetto a|riferimento|prima|precedente|linha de base"
    "|em relação|vergeleken met|ten opzichte van|tegenover|vorige|eerder|w porównaniu z|poprzednio|wobec|względem"
    "|baselinie|oproti|předchozí|jämfört med|tidigare",
    "ベースライン|前回|比べ|基线|之前|上次|相比|対",
)
"""What stands before a number that another is compared with."""

TARGET = Phrases(
    "ceiling|cap|promised|contract says|contract asks for|agreed max|must be|gate is|teto"
    "|tope|plafond|vereinbart|maximum"
    "|allowed are|no more than"
    "|不超过|上限|以下",
    "target|targets|goal|threshold|slo|objective|limit|required|requirement|needs|at least|at most|budget"
    "|should be|must be|wanted|agreed",
    "ziel|zielwert|schwelle|schwellwert|grenzwert|mindestens|höchstens|soll|sollwert|zielvorgabe",
    "objetivo|meta|umbral|límite|como mínimo|objectif|seuil|cible|obiettivo|soglia|alvo|limiar|doel|streefwaarde"
    "|drempel|cel|celu|próg|docelow*|cíl|mål|målet|målvärde|tröskel",
    "目標|目標値|閾値|しきい値|目标|目標值|阈值|门槛",
)

MEASURE = Phrases(
    "metric|metrics|measure|measures|kpi|score|kennzahl|kennzahlen|maß|messgröße|métrica|métricas|medida"
    "|indicador|mesure",
    "mesures|métrique|métriques|indicateur|metrica|metriche|misura|maat|maten|metriek|miara|metryka|metrika|mått"
    "|指標|指标",
)
"""Heads the column of a table that names measures."""

NO_MEASURE = Phrases(
    "version|seed|epochs|epoch|batch size|learning rate|iteration|size|rows|date|week|budget|step|ticket|points"
    "|sprint|run",
    "runs|dataset|data|split|author|time|window|period|phase|experiment|experiments|version|datum|zeitraum|lauf"
    "|fecha|periode",
    "samples|parameters|depth|trees|layers|dropout|threshold|since|until|port|id",
)
"""What is given as a number but is not how good something is."""

MOVED = Phrases(
    "is|was|are|were|fell|rose|dropped|improved|increased|decreased|went|grew|stayed|reached|reaches|sank|climbed"
    "|at|of|has",
    "ist|war|stieg|fiel|liegt|lag|betrug|beträgt|fue|subió|bajó|pasó|est|était|passe|atteint|era|scende|sale|foi"
    "|caiu|subiu",
    "steeg|daalde|wzrosł*|spadł*|wynosi|は|为|是|达到|降到|升到",
)
"""Before a number, after the name of what it measures."""

CHOSEN = Phrases(
    "chosen|selected|winner|best|final|released|gewählt|ausgewählt|bestes|elegido|seleccionado|retenu|choisi"
    "|scelto|escolhido",
    "gekozen|wybrany|採用|选定|选中",
)
"""In a row of a table: the one that was taken."""

WINDOW = Phrases(
    "day|days|week|weeks|month|months|hour|hours|quarter|period|window|daily|weekly|monthly|until|iteration"
    "|since release|since the release|since launch|since go-live|sprint|q1|q2|q3|q4|last 7|last 14|last 30|year"
    "|today|yesterday|january|february|march|april|june|july|august|september|october|november|december",
    "tag|tage|tagen|woche|wochen|monat|monate|monaten|stunden|zeitraum|quartal|bis|januar|februar|märz|juni|juli"
    "|oktober|dezember|kw",
    "día|días|semana|semanas|meses|horas|período|periodo|trimestre|enero|febrero|marzo|abril|mayo|junio|julio"
    "|agosto|septiembre|octubre|noviembre|diciembre",
    "jour|jours|semaine|semaines|mois|heures|période|janvier|février|mars|avril|juin|juillet|août|septembre"
    "|octobre|novembre|décembre",
    "giorno|giorni|settimana|settimane|mese|mesi|ore|periodo|gennaio|febbraio|aprile|maggio|giugno|luglio"
    "|settembre|ottobre",
    "dia|dias|mês|horas|janeiro|fevereiro|março|maio|junho|julho|setembro|outubro|novembro|dezembro",
    "dag|dagen|weken|maand|maanden|uur|periode|dzień|dni|tydzień|tygodni*|miesiąc*|okres*|godzin*|dnů|týden|týdn*"
    "|měsíc*|období|dagar|vecka|veckor|månad*|timmar",
    "日間|週間|ヶ月|か月|時間|期間|過去|直近|个月|期间|小时|季度|星期|过去|最近",
)

DROPPED = Phrases(
    "dropped|drop|cancelled|canceled|will not do|won't do|not pursued|not followed up|discarded|abandoned",
    "verworfen|gestrichen|fallen gelassen|fallengelassen|entfällt|wird nicht weiterverfolgt",
    "descartad*|cancelad*|se descarta|abandonné*|annulé*|supprimé*|scartat*|annullat*|abbandonat*|vervallen"
    "|geschrapt|niet doorgezet|porzucon*|odrzucon*|zaniechan*|zrušen*|zahozen*|struken|struket|avbruten",
    "中止|取りやめ|見送り|対応しない|放弃|放棄|取消|不做",
)

DATA_NOUN = Phrases(
    "dataset*|data set|data sets|table|tables|corpus|corpora|snapshot|dump|extract|export|feed|collection|split",
    "datensatz|datensätze|tabelle|datenbestand|conjunto de datos|conjuntos de datos|tabla|jeu de données"
    "|jeux de données|table|insieme di dati|tabella|conjunto de dados|tabela|gegevensset|tabel|zbiór|zbiór danych"
    "|zbiory|datová sada|datamängd|tabell|データセット|テーブル|コーパス|数据集|數據集|数据表|语料",
)

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
        "wurde wurden year yesterday zum zur",
    )
)
"""Words that name no dataset, folded."""
