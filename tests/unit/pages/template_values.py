"""Values of the pages of templates, with markup wherever people's words stand."""

from __future__ import annotations

from service.pages.graph import Node, picture
from service.pages.moments import Moment
from service.pages.signs import Sign
from service.pages.template import (
    ParameterRow,
    PhaseShown,
    RoleRow,
    TemplateCard,
    TemplatePage,
    TemplatesPage,
    TicketRow,
    VersionLine,
)
from service.pages.template_difference import FieldLine, PartGroup, PartLine, TemplateDifferencePage
from service.pages.template_graph import GraphRow, GraphShown

EVIL = "<script>alert('1')</script>"
AT = Moment("2027-01-21T13:57:00+01:00", "13:57 +01:00", "in 4 days")

GRAPH = GraphShown(
    title=EVIL,
    said=EVIL,
    picture=picture([Node("a", EVIL, EVIL, "/x"), Node("b", EVIL, EVIL, "", outside=True)], {"b": ["a"], "a": ["b"]}),
    rows=(GraphRow(EVIL, "/x", EVIL, EVIL, (EVIL,)), GraphRow(EVIL, "", EVIL, EVIL, ())),
    epics=(("a", EVIL, True),),
    whole="/x",
)
TEMPLATE = TemplatePage(
    name="own",
    title=EVIL,
    version="1.0.0",
    description=EVIL,
    source=EVIL,
    figures=((EVIL, EVIL),),
    phases=(PhaseShown(1, EVIL, EVIL, EVIL, EVIL, (TicketRow(EVIL, EVIL, 3, EVIL, EVIL, ends=True),)),),
    roles=(RoleRow(EVIL, "ml", False, EVIL, EVIL),),
    record=((EVIL, EVIL),),
    parameters=(ParameterRow(EVIL, EVIL, EVIL),),
    origin=EVIL,
    ref="1.0.0",
    graph=GRAPH,
    versions=(
        VersionLine("1.1.0", "/x", EVIL, AT, EVIL, "/y", "1.0.0", shown=True),
        VersionLine("1.0.0", "/x", EVIL, None, "", "", "", shown=False),
    ),
    fresh="/projects/new",
)
_TEXT = ((EVIL, True), (EVIL, False))
_ADDED = Sign("ok", "plus", EVIL)
PAGES = {
    "templates.html": TemplatesPage((TemplateCard("own", EVIL, "1.0.0", EVIL, EVIL),), ((EVIL, EVIL),), may_start=True),
    "template.html": TEMPLATE,
    "template-difference.html": TemplateDifferencePage(
        name="own",
        before=EVIL,
        after="1.1.0",
        refs=(EVIL, "1.1.0"),
        lead=EVIL,
        empty="",
        groups=(
            PartGroup(
                "ticket",
                EVIL,
                EVIL,
                (
                    PartLine(_ADDED, EVIL, "a", EVIL, (FieldLine(EVIL, (), _TEXT),), folded=True, added=True),
                    PartLine(_ADDED, EVIL, "b", EVIL, (FieldLine(EVIL, _TEXT, _TEXT),), folded=False, added=False),
                ),
            ),
        ),
        turned="/x",
    ),
}
