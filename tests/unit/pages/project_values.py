"""Values of what a project's page is made of, and of the pages around it, with markup wherever people's words stand."""

from __future__ import annotations

from service.pages.burn_up import BurnUpPage, BurnUpPicture, BurnUpShown, DayBar, Level
from service.pages.moments import Moment

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
PAGES = {"burn-up.html": BurnUpPage("p", EVIL, EVIL, EVIL, BURN_UP, ((EVIL, EVIL),))}
