"""The citizens of a place, one row an address: who they are, what they need, what they get, how they are."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, IntFlag

import numpy as np

from carecommons.kernels.arrays import F32, I8, I16, I32, I64, U16, U32, Bool
from carecommons.place.columns import Columns, column

CARE_ACT_OUTCOMES = (
    "nutrition",
    "hygiene",
    "toilet",
    "clothing",
    "safe at home",
    "habitable home",
    "relationships",
    "work, training, volunteering",
    "community facilities",
    "caring for a child",
)  # SI 2015/313 reg. 2
RELATIONSHIPS = 6
ADL_BITS = 0b0000011110  # hygiene, toilet, clothing, safe at home
IADL_BITS = 0b0100100001  # nutrition, habitable home, community facilities


class Level(IntEnum):
    """How much help with daily living a person needs."""

    NONE = 0
    LOW = 1
    MODERATE = 2
    HIGH = 3


class Route(IntEnum):
    """How a person's care is paid for and by whom it is held; the routes partition the living."""

    NONE = 0
    INELIGIBLE = 1
    MANAGED = 2
    SERVICE_FUND = 3
    DIRECT_PAYMENT = 4
    MIXED = 5
    SELF_FUNDER = 6


class Sequel(IntEnum):
    """What a request led to, in the words of the national return."""

    NONE = 0
    SIGNPOSTED = 1
    NO_SERVICE = 2
    LOW_LEVEL = 3
    SHORT_TERM = 4
    LONG_TERM = 5


class Contact(IntEnum):
    """Perceived social contact, the four answers of the national surveys."""

    ENOUGH = 0
    ADEQUATE = 1
    NOT_ENOUGH = 2
    ISOLATED = 3


class Setting(IntEnum):
    """Where a person lives and is cared for."""

    HOME = 0
    CARE_HOME = 1


class Tenure(IntEnum):
    """How the home is held."""

    OUTRIGHT = 0
    MORTGAGE = 1
    SOCIAL = 2
    PRIVATE = 3


class Preference(IntEnum):
    """The kind of support a person would choose."""

    TRADITIONAL = 0
    ALTERNATIVE = 1
    MIXED = 2


class Status(IntFlag):
    """What is true of a person this month; outcomes are taken among people by these."""

    ALIVE = 1
    OLDER = 2
    WORKING_AGE = 4
    DISABLED = 8
    IN_NEED = 16
    ASKED = 32
    WAITING = 64
    ASSESSED = 128
    ELIGIBLE = 256
    FUNDED = 512
    DELIVERED = 1024
    USER = 2048
    CARER = 4096
    HEAVY_CARER = 8192
    SELF_FUNDER = 16384
    CARE_HOME = 32768
    STIGMA = 65536
    WITH_ADL = 131072
    WITH_HELP = 262144
    UNMET = 524288


@dataclass(slots=True)
class Citizens(Columns):
    """Adults, one row an address; a vacant row is an address between two people."""

    id: I64 = column(np.int64, "identity: month of arrival and address; never used twice", empty=-1)
    address: I32 = column(np.int32, "permanent number of the address")
    alive: Bool = column(np.bool_, "somebody lives at this address")
    arrived: I16 = column(np.int16, "month of arrival, 0 for founders", "month")
    neighbourhood: I32 = column(np.int32, "neighbourhood of the address")
    deprivation: I8 = column(np.int8, "deprivation quintile of the neighbourhood, 1 the most deprived", "quintile")
    household: I32 = column(np.int32, "household; below -1 a place in a care home", empty=-1)
    home_size: I16 = column(np.int16, "adults in the household", "people")
    partner: I32 = column(np.int32, "row of the partner, -1 for none", empty=-1)
    sex: I8 = column(np.int8, "0 woman, 1 man")
    age: I16 = column(np.int16, "age", "months")
    ethnicity: I8 = column(np.int8, "broad ethnic group: 0 white, 1 Asian, 2 Black, 3 mixed, 4 other")
    stigma: Bool = column(np.bool_, "belongs to a group that meets stigma here")
    disabled: Bool = column(np.bool_, "long-standing impairment (Equality Act)")
    tenure: I8 = column(np.int8, "how the home is held (Tenure)")
    home_value: I64 = column(np.int64, "value of an owned home", "pence")
    savings: I64 = column(np.int64, "capital other than the home", "pence")
    income: I32 = column(np.int32, "income after housing costs", "pence/week")
    works: Bool = column(np.bool_, "in paid work")
    prefers: I8 = column(np.int8, "support preferred (Preference)")
    sociability: F32 = column(np.float32, "how readily a person makes and keeps ties, 1 is typical", "multiple")
    desire: F32 = column(np.float32, "wish for contact against others of the same ties, standard normal", "z")
    frailty: F32 = column(np.float32, "need within a level against others, 1 is typical", "multiple")
    spare: I32 = column(np.int32, "time that could go to unpaid help", "minutes/month")
    level: I8 = column(np.int8, "need for help with daily living (Level)")
    deficits: U16 = column(np.uint16, "Care Act outcomes not achieved, one bit each", "outcomes")
    need: I32 = column(np.int32, "personal-care need", "minutes/month")
    relational: I8 = column(np.int8, "need for company and belonging: 0 none, 1 some, 2 much", "level")
    withdrawn: Bool = column(np.bool_, "keeps away from other people for now")
    reach: F32 = column(np.float32, "how far a person gets about and meets others", "share")
    network: I8 = column(np.int8, "structural ties, an LSNS-6-like score", "points 0-30")
    group_a: I32 = column(np.int32, "first community group, -1 for none", empty=-1)
    group_b: I32 = column(np.int32, "second community group, -1 for none", empty=-1)
    given: I32 = column(np.int32, "unpaid care given", "minutes/month")
    informal: I32 = column(np.int32, "unpaid care received", "minutes/month")
    strain: F32 = column(np.float32, "carer strain", "share")
    resting: Bool = column(np.bool_, "carer who broke down and cannot give for now")
    community: I32 = column(np.int32, "help received from groups", "minutes/month")
    asked: Bool = column(np.bool_, "has asked the council since the need began")
    requests: I8 = column(np.int8, "requests this month", "requests")
    last_request: I16 = column(np.int16, "month of the last request", "month", empty=-999)
    refusals: I8 = column(np.int8, "times turned away since the need began", "refusals")
    crisis: Bool = column(np.bool_, "a crisis this month")
    waiting_since: I16 = column(np.int16, "month of joining the waiting list, -1 when not waiting", "month", empty=-1)
    waited: I16 = column(np.int16, "months waited for the last assessment, -1 for none", "months", empty=-1)
    reviewed: I16 = column(np.int16, "month of the last assessment or review", "month", empty=-999)
    sequel: I8 = column(np.int8, "what a request led to this month (Sequel)")
    assessed: Bool = column(np.bool_, "has been assessed since the need began")
    eligible: Bool = column(np.bool_, "found eligible")
    entitled: I32 = column(np.int32, "care that the assessment allows", "minutes/month")
    short_term: I8 = column(np.int8, "months left of short-term support", "months")
    low_level: Bool = column(np.bool_, "gets equipment or other low-level support")
    setting: I8 = column(np.int8, "where the person is cared for (Setting)")
    moved_in: I16 = column(np.int16, "month of the move to a care home, -1 for none", "month", empty=-1)
    care_paid: I64 = column(np.int64, "own money paid for care since arriving", "pence")
    assessable: I32 = column(np.int32, "most the person can be charged", "pence/month")
    pays_all: Bool = column(np.bool_, "capital above the upper limit: pays the full cost at home")
    route: I8 = column(np.int8, "funding route (Route)")
    funded: I32 = column(np.int32, "care that the council arranged this month", "minutes/month")
    from_council: I32 = column(np.int32, "delivered care that the council paid for", "minutes/month")
    from_own: I32 = column(np.int32, "delivered care that the person paid for", "minutes/month")
    council_cost: I32 = column(np.int32, "council money for this person", "pence/month")
    own_cost: I32 = column(np.int32, "own money for care", "pence/month")
    enterprise: I32 = column(np.int32, "micro-enterprise that serves the person, -1 for none", empty=-1)
    unmet: I32 = column(np.int32, "need that nobody met", "minutes/month")
    spare_care: I32 = column(np.int32, "care beyond the need", "minutes/month")
    isolated: Bool = column(np.bool_, "structurally isolated: network score under the cut-off")
    contact: I8 = column(np.int8, "perceived contact (Contact)")
    ucla: I8 = column(np.int8, "loneliness, a UCLA-3-like score", "points 3-9")
    lonely: Bool = column(np.bool_, "feels lonely often or always")
    scrqol: I8 = column(np.int8, "social care related quality of life, an SCT4-like score", "points 0-24")
    satisfied: Bool = column(np.bool_, "very or extremely satisfied with the help there is")
    status: U32 = column(np.uint32, "what is true this month (Status)", "flags")

    @property
    def formal(self) -> I32:
        """Paid care delivered (n,), minutes a month."""
        return np.asarray(self.from_council + self.from_own)

    def need_vector(self) -> I8:
        """Severity of each Care Act outcome (n, 10): 0 achieved, else the level of need; source SI 2015/313."""
        bits = (self.deficits[:, None] >> np.arange(10, dtype=np.uint16)) & 1
        severity = (bits * np.maximum(self.level, 1)[:, None]).astype(np.int8)
        severity[:, RELATIONSHIPS] = np.maximum(severity[:, RELATIONSHIPS], self.relational)
        return severity
