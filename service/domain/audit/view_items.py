"""The items of the views, by the numbering of their sources, each with what in the records can bear on it.

Titles are in our words, short. An item without sources is one that no record of an iteration is about. `beyond` says
what the item asks for besides; it is shown whatever the records hold, so that nobody takes a part for the whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from service.domain.audit.outcome import Check


class Also(StrEnum):
    """What bears on items besides checks that passed."""

    MEASURES = "measures"
    """Numbers with a name that were read from the record."""
    FIGURES = "figures"
    """What was planned, done and carried, by our own history."""


@dataclass(frozen=True, slots=True)
class Item:
    """One item: its number in the source, what it asks in short, what can bear on it, and what it asks besides."""

    number: str
    title: str
    sources: tuple[Check | Also, ...] = ()
    beyond: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """A law, a framework or a form with its items in its own order."""

    key: str
    title: str
    about: str
    items: tuple[Item, ...]


_JUDGE = (
    "What is listed bears on an item; whether it is enough is for people to judge. Only what passed its check is "
    "listed, nothing that was waived."
)

ANNEX_IV = Source(
    "eu-ai-act",
    "EU AI Act, Annex IV: technical documentation",
    "Regulation (EU) 2024/1689 of 13 June 2024, Annex IV (technical documentation referred to in Article 11(1)), by "
    f"its own numbering, titles shortened; binding is the text of the law. {_JUDGE}",
    (
        Item(
            "1(a)",
            "Intended purpose, provider, version and its relation to previous versions",
            (Check.GOAL,),
            "The records say what each iteration was for, not the intended purpose of the system, its provider and its "
            "version.",
        ),
        Item("1(b)", "How it interacts with hardware, software or other AI systems that are not part of it"),
        Item("1(c)", "Versions of relevant software or firmware, and what version updates require"),
        Item("1(d)", "The forms in which it is placed on the market or put into service"),
        Item("1(e)", "The hardware on which it is intended to run"),
        Item("1(f)", "For a component of products: photographs or illustrations of these"),
        Item("1(g)", "Basic description of the user interface provided to the deployer"),
        Item("1(h)", "Instructions for use for the deployer"),
        Item(
            "2(a)",
            "Methods and steps of development, and use of pre-trained systems or tools of third parties",
            (Check.EXPERIMENTS, Check.DONE_TICKETS, Also.FIGURES),
            "What was provided by third parties, unless a record says it.",
        ),
        Item(
            "2(b)",
            "Design specifications: general logic, key design choices with rationale and assumptions, trade-offs",
            (Check.DECISIONS,),
            "The design itself: general logic, classification choices, what is optimised for, the expected output.",
        ),
        Item("2(c)", "System architecture, and the computational resources used"),
        Item(
            "2(d)",
            "Data requirements: training methods and techniques, training data sets, their provenance and preparation",
            (Check.DATA,),
            "Provenance, scope and main characteristics of the data, how they were selected, labelled and cleaned.",
        ),
        Item("2(e)", "Assessment of the human oversight measures needed under Article 14"),
        Item("2(f)", "Pre-determined changes to the system and its performance"),
        Item(
            "2(g)",
            "Validation and testing: procedures, data, metrics, test logs and reports, dated and signed",
            (Check.EXPERIMENTS, Also.MEASURES, Check.SIGN_OFF),
            "The test logs and reports themselves, and tests of robustness and of potentially discriminatory impacts. "
            "What was signed is the record of the iteration.",
        ),
        Item("2(h)", "Cybersecurity measures"),
        Item(
            "3",
            "Monitoring, functioning and control: capabilities and limits, unintended outcomes, oversight, input data",
            (Check.PERFORMANCE, Check.RISKS),
            "Accuracy for specific persons or groups, human oversight measures, and what input data must be like.",
        ),
        Item(
            "4",
            "Appropriateness of the performance metrics",
            (Check.PERFORMANCE, Also.MEASURES),
            "Why these measures are the right ones for this system.",
        ),
        Item(
            "5",
            "The risk management system in accordance with Article 9",
            (Check.RISKS,),
            "The risk management system itself; the records name the risks that each iteration saw.",
        ),
        Item(
            "6",
            "Relevant changes made by the provider through the lifecycle",
            (Check.DECISIONS, Check.NEXT_STEPS, Also.FIGURES),
            "Changes that were made outside of the iterations.",
        ),
        Item("7", "Harmonised standards applied, or the solutions adopted instead"),
        Item("8", "Copy of the EU declaration of conformity referred to in Article 47"),
        Item(
            "9",
            "The system to evaluate performance in the post-market phase under Article 72, with the monitoring plan",
            (Check.PERFORMANCE,),
            "The post-market monitoring plan of Article 72(3).",
        ),
    ),
)

AI_RMF = Source(
    "nist-ai-rmf",
    "NIST AI RMF 1.0: functions and categories",
    "Artificial Intelligence Risk Management Framework (AI RMF 1.0), NIST AI 100-1, January 2023: the categories of "
    f"its four functions, titles shortened. The framework is voluntary and no checklist. {_JUDGE}",
    (
        Item(
            "GOVERN 1",
            "Policies, processes and practices for AI risks are in place and followed",
            (Check.ON_TIME, Check.SIGN_OFF),
            "The organisation's policies; the records show that documenting and signing was practised.",
        ),
        Item(
            "GOVERN 2",
            "Accountability: teams and people are responsible, empowered and trained",
            (Check.SIGN_OFF,),
            "Training, and the responsibility of the organisation's leadership.",
        ),
        Item("GOVERN 3", "Workforce diversity, equity, inclusion and accessibility"),
        Item(
            "GOVERN 4",
            "A culture that considers and communicates AI risk",
            (Check.RISKS, Check.RETROSPECTIVE),
            "The practice of the organisation around the team.",
        ),
        Item("GOVERN 5", "Engagement with relevant AI actors"),
        Item("GOVERN 6", "Risks and benefits of third-party software, data and supply chain"),
        Item(
            "MAP 1",
            "Context is established and understood",
            (Check.GOAL,),
            "Legal setting, users' expectations, and the risk tolerance of the organisation.",
        ),
        Item("MAP 2", "The AI system is categorised"),
        Item(
            "MAP 3",
            "Capabilities, usage, goals, expected benefits and costs against benchmarks",
            (Check.GOAL, Check.EXPERIMENTS),
            "Expected benefits and costs.",
        ),
        Item(
            "MAP 4",
            "Risks and benefits of all components, those of third parties included",
            (Check.RISKS,),
            "Components of third parties, unless a record names them.",
        ),
        Item(
            "MAP 5",
            "Impacts on individuals, groups, communities, organisations and society",
            (Check.RISKS,),
            "How likely and how great the impacts are.",
        ),
        Item(
            "MEASURE 1",
            "Appropriate methods and metrics are identified and applied",
            (Check.EXPERIMENTS, Also.MEASURES),
            "Why these measures were chosen, and which risks are not measured.",
        ),
        Item(
            "MEASURE 2",
            "The system is evaluated for trustworthy characteristics",
            (Check.EXPERIMENTS, Check.PERFORMANCE),
            "Safety, security, resilience, transparency, privacy and fairness, unless a record measures them.",
        ),
        Item(
            "MEASURE 3",
            "Identified risks are tracked over time",
            (Check.RISKS, Check.PERFORMANCE),
            "Risks that nobody wrote down.",
        ),
        Item(
            "MEASURE 4",
            "Feedback on how well measuring works is gathered and assessed",
            (Check.RETROSPECTIVE,),
            "Feedback of experts and of those who are affected.",
        ),
        Item(
            "MANAGE 1",
            "Risks are prioritised, responded to and managed",
            (Check.DECISIONS, Check.NEXT_STEPS),
            "The order of priority of the risks, and which remain.",
        ),
        Item(
            "MANAGE 2",
            "Strategies to maximise benefits and minimise negative impacts",
            (Check.DECISIONS,),
            "Resources, and the means to switch the system off.",
        ),
        Item("MANAGE 3", "Risks and benefits from third parties are managed"),
        Item(
            "MANAGE 4",
            "Risk treatments, response, recovery and communication are documented and monitored",
            (Check.PERFORMANCE, Check.NEXT_STEPS),
            "Plans for incidents, recovery and communication.",
        ),
    ),
)

MODEL_CARD = Source(
    "model-card",
    "Model card",
    "The sections of a model card after Mitchell et al., Model Cards for Model Reporting (FAT* 2019), section 4. A "
    f"record documents an iteration, not a model: this shows what a card can take from it. {_JUDGE}",
    (
        Item("1", "Model details: who made it, date, version, type, licence"),
        Item(
            "2",
            "Intended use: primary uses and users, uses out of scope",
            (Check.GOAL,),
            "Users, and uses that are out of scope.",
        ),
        Item("3", "Factors: groups, instruments and environments that matter to performance"),
        Item(
            "4",
            "Metrics: measures of performance, thresholds, how variation was handled",
            (Check.EXPERIMENTS, Also.MEASURES),
            "Decision thresholds, and how uncertain the numbers are.",
        ),
        Item(
            "5",
            "Evaluation data: data sets, motivation, preprocessing",
            (Check.DATA,),
            "Which of the data served evaluation, and why these.",
        ),
        Item("6", "Training data", (Check.DATA,), "Which of the data served training, and how they are distributed."),
        Item(
            "7",
            "Quantitative analyses: results by factor and by their intersections",
            (Check.EXPERIMENTS, Check.PERFORMANCE),
            "Results by group, unless a record gives them.",
        ),
        Item(
            "8",
            "Ethical considerations: sensitive data, human life, mitigations, harms, use cases",
            (Check.RISKS,),
            "Anything that the team did not see as a risk.",
        ),
        Item(
            "9",
            "Caveats and recommendations",
            (Check.RISKS, Check.NEXT_STEPS),
            "Recommendations to those who use the model.",
        ),
    ),
)

SOURCES = {source.key: source for source in (ANNEX_IV, AI_RMF, MODEL_CARD)}
