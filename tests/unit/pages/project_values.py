"""Values of what a project's page is made of, and of the pages around it, with markup wherever people's words stand."""

from __future__ import annotations

from service.pages.burn_up import BurnUpPage, BurnUpPicture, BurnUpShown, DayBar, Level
from service.pages.drift import ChoiceShown, DriftPage, DriftRow
from service.pages.kept_form import KeptFormPage
from service.pages.moments import Moment
from service.pages.plan import Told
from service.pages.signs import Sign

EVIL = "<script>alert('1')</script>"
AT = Moment("2027-01-21T13:57:00+01:00", "13:57 +01:00", "in 4 days")

BURN_UP = BurnUpShown(
    number=3,
    said=EVIL,
    notes=(EVIL,),
    until=AT,
    picture=BurnUpPicture(
        levels=(Level(10, "5"),),
        bars=(DayBar(8, 10, 20, 30),),
        labels=((8, EVIL),),
        planned=40,
        present=30,
        until=18,
        unit=EVIL,
    ),
    rows=((EVIL, EVIL),),
)
BAD = Sign("bad", "bad", EVIL)
TOLD = Told(BAD, EVIL, EVIL, EVIL)
DRIFT = DriftPage(
    id="p",
    key=EVIL,
    name=EVIL,
    tracker=EVIL,
    looked=AT,
    lead=EVIL,
    rows=(
        DriftRow(
            number=1,
            key=EVIL,
            title=EVIL,
            kind="",
            remote_key="ML-1",
            url="https://jira.example.com/browse/ML-1",
            said=(EVIL,),
            choices=(ChoiceShown("keep", EVIL, EVIL, False), ChoiceShown("restore", EVIL, EVIL, True)),
            adopts=True,
            other=EVIL,
            error=EVIL,
        ),
        DriftRow(2, "b", EVIL, EVIL, EVIL, "", (EVIL,), (ChoiceShown("keep", EVIL, EVIL, True),), False, "", ""),
    ),
    more=EVIL,
    deleted=2,
    findings=(TOLD,),
    trouble=TOLD,
    note=EVIL,
    errors=(EVIL,),
    may=True,
)
PAGES = {
    "burn-up.html": BurnUpPage("p", EVIL, EVIL, EVIL, BURN_UP, ((EVIL, EVIL),)),
    "drift.html": DRIFT,
    "kept-form.html": KeptFormPage(
        id="frm_1",
        action=EVIL,
        page=EVIL,
        fields=((EVIL, EVIL),),
        shown=((EVIL, EVIL),),
        lacking=(("c_jira_secret", EVIL),),
        sent=AT,
        until=AT,
    ),
}
