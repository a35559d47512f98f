"""Values of the pages of receivers and messages, with markup wherever people's words stand."""

from __future__ import annotations

from connectors.messages import Line, Part
from service.pages.deliveries import DeliveriesPage, DeliveryLine
from service.pages.moments import Moment
from service.pages.new_project import Choice, Field
from service.pages.receivers import (
    AddReceiverPage,
    NoticeBox,
    PreviewPage,
    ReceiverKindShown,
    ReceiverLine,
    ReceiverPage,
    ReceiversPage,
    SubscriptionLine,
    TriedShown,
    Wanted,
)
from service.pages.signs import Sign

EVIL = "<script>alert('1')</script>"
AT = Moment("2027-01-21T13:57:00+01:00", "13:57 +01:00", "in 4 days")
BAD = Sign("bad", "bad", EVIL)
CHOICE = Choice(EVIL, EVIL, True)
WANTED = Wanted(
    Field("channel", EVIL, EVIL, help=EVIL, error=EVIL),
    Field("projects", EVIL, EVIL),
    (NoticeBox("notice.finding", EVIL, EVIL, True),),
    EVIL,
)
SECRET = Field("secret", EVIL, kind="password", error=EVIL)
PAGES = {
    "receivers.html": ReceiversPage(
        said=EVIL,
        late=True,
        rows=(ReceiverLine("rcv_1", EVIL, EVIL, (EVIL,), BAD, EVIL, EVIL),),
        projects=(CHOICE,),
        notices=(CHOICE,),
        kinds=EVIL,
        may_add=True,
    ),
    "new-receiver.html": AddReceiverPage(
        kinds=(ReceiverKindShown("k", EVIL, True, Field("r_k_secret", EVIL), (Field("r_k_url", EVIL, EVIL),), True),),
        name=Field("name", EVIL, EVIL),
        wanted=WANTED,
        errors=(EVIL,),
    ),
    "receiver.html": ReceiverPage(
        id="rcv_1",
        name=EVIL,
        kind=EVIL,
        sign=BAD,
        trouble=EVIL,
        facts=((EVIL, EVIL),),
        added=AT,
        told=(SubscriptionLine(EVIL, EVIL, EVIL, EVIL, EVIL),),
        counts=((EVIL, EVIL, "/deliveries"),),
        wanted=WANTED,
        secret=SECRET,
        tried=TriedShown(BAD, EVIL, (EVIL,), (EVIL,)),
        errors=(EVIL,),
        may_try=True,
        may_change=True,
    ),
    "preview.html": PreviewPage(
        project=EVIL,
        kind=EVIL,
        title=EVIL,
        when=EVIL,
        real=False,
        parts=(Part(EVIL, EVIL, (Line(EVIL, "https://jira.example.com", EVIL), Line(EVIL))),),
        url="https://jira.example.com",
        link=EVIL,
        foot=EVIL,
        form=EVIL,
        body=EVIL,
    ),
    "deliveries.html": DeliveriesPage(
        states=(CHOICE,),
        receivers=(CHOICE,),
        project=EVIL,
        rows=(DeliveryLine("dlv_1", EVIL, EVIL, EVIL, BAD, EVIL, AT, True, EVIL),),
        older="/deliveries",
        narrowed=True,
        state="failed",
        receiver=EVIL,
        all_again=EVIL,
        may_replay=True,
    ),
}
