"""stack-placement: any cheapest placement passes; the least cost comes from a search with pruning."""

from autograder.checks import case, expect

PARTS = {"rules": 0.4, "cost": 0.4, "refuse": 0.2}
HINTS = (
    "Sort out first which sites a workload may use at all; one without any means None.",
    "itertools.product over these lists; then capacity of every site, then cost.",
    "An empty product has one element: no workloads give {}.",
)
REGIONS = ("north", "south", "east")


def _site(name, region, gpus, cents, **latency_ms):
    return {
        "name": name,
        "region": region,
        "gpus": gpus,
        "cents_per_gpu_h": cents,
        "latency_ms": latency_ms,
    }


def _work(name, gpus=2, users="north", limit=50, stays=None, data="north", gb=0):
    return {"name": name, "gpus": gpus, "users": users, "max_latency_ms": limit, "stays_in": stays,
            "data_region": data, "gb_per_h": gb}  # fmt: skip


OWN = _site("own", "north", 8, 100, north=5, south=45)
NEAR = _site("near", "north", 64, 420, north=9, south=40)
FAR = _site("far", "south", 64, 250, north=42, south=7)
SITES = [OWN, NEAR, FAR]
EGRESS = {"north": 2, "south": 9, "east": 5}


def cases(rng):
    part = "rules"
    for label, workloads, sites in (
        ("no workloads", [], SITES),
        ("neither workloads nor sites", [], []),
        ("no sites", [_work("a")], []),
        ("one workload", [_work("a")], SITES),
        ("data must stay", [_work("a", 12, stays=["north"])], SITES),
        ("two regions allowed", [_work("a", 12, stays=["east", "south"])], SITES),
        ("no region allowed", [_work("a", stays=[])], SITES),
        ("latency exactly at its limit", [_work("a", 12, limit=42)], SITES),
        ("latency one above", [_work("a", 12, limit=41)], SITES),
        ("latency is that to users, not to data", [_work("a", 12, users="south", limit=10,
            data="north")], SITES),
        ("no latency known", [_work("a", users="east", limit=10_000)], SITES),
        ("capacity exactly used", [_work("a", 5), _work("b", 3)], SITES),
        ("capacity of one site shared", [_work("a", 5), _work("b", 4)], [OWN, NEAR]),
        ("no room", [_work("a", 5), _work("b", 4)], [OWN]),
        ("one alone is too large", [_work("a", 65)], SITES),
        ("a full house", [_work(x, 2, stays=["north"], limit=8) for x in "abcd"], SITES),
        ("one too many", [_work(x, 2, stays=["north"], limit=8) for x in "abcde"], SITES),
        ("residency of the site's region, not of its name", [_work("a", stays=["own", "far"])], SITES),
    ):  # fmt: skip
        yield case(label, part, workloads=workloads, sites=sites, egress=EGRESS)
    part = "cost"
    for label, workloads in (
        ("egress changes the choice", [_work("a", 9, gb=900), _work("b", 9, gb=700)]),
        ("a little egress does not", [_work("a", 9, gb=10)]),
        ("data elsewhere", [_work("a", 2, data="south", gb=500, users="north")]),
        ("who gets the cheap site", [_work("a", 6, gb=900), _work("b", 6), _work("c", 2, gb=50)]),
        (
            "largest first is not best",
            [_work("a", 6, gb=100), _work("b", 4, gb=800), _work("c", 4, gb=800)],
        ),
        ("greedy in the given order is not best", [_work("a", 8), _work("b", 8, stays=["north"])]),
        ("equal costs", [_work("a", 8), _work("b", 8)]),
        ("data in a third region", [_work("a", 3, data="east", gb=40), _work("b", 7)]),
    ):
        yield case(label, part, workloads=workloads, sites=SITES, egress=EGRESS)
        yield case(
            f"{label}, sites turned round",
            part,
            workloads=workloads,
            sites=SITES[::-1],
            egress=EGRESS,
        )
    for k in range(6):
        yield _drawn(rng, k)
    for label, workloads, sites in (
        ("two workloads of one name", [_work("a"), _work("a", 3)], SITES),
        ("two sites of one name", [_work("a")], [OWN, FAR | {"name": "own"}]),
        ("two sites of one name, no workloads", [], [OWN, OWN]),
    ):
        yield case(label, "refuse", workloads=workloads, sites=sites, egress=EGRESS, refuse=True)


def _drawn(rng, k):
    def pick(low, high):
        return int(rng.integers(low, high))

    sites = [_site(f"s{i}", REGIONS[pick(0, 3)], pick(3, 14), pick(50, 500), **{r: pick(3,
        60) for r in REGIONS})
             for i in range(3 + k % 2)]  # fmt: skip
    workloads = [
        _work(f"w{i}", pick(1, 6), REGIONS[pick(0, 3)], pick(25, 90),
              None if pick(0, 3) else [REGIONS[pick(0, 3)], REGIONS[pick(0, 3)]], REGIONS[pick(0,
                  3)], pick(0, 200))
        for i in range(3 + k % 3)
    ]  # fmt: skip
    return case(f"drawn, {k + 1}", "cost", workloads=workloads, sites=sites, egress=EGRESS)


def probe(solution, workloads, sites, egress, refuse=False):
    if refuse:
        return refusal(lambda: solution(workloads, sites, egress))  # noqa: F821
    return solution(workloads, sites, egress)


def cents(work, site, egress):
    moved = (
        0
        if site["region"] == work["data_region"]
        else work["gb_per_h"] * egress[work["data_region"]]
    )
    return work["gpus"] * site["cents_per_gpu_h"] + moved


def broken(work, site):
    """Which rule forbids this site, or None."""
    if work["stays_in"] is not None and site["region"] not in work["stays_in"]:
        return "its region is not allowed"
    if work["users"] not in site["latency_ms"]:
        return "its latency to the users is not known"
    late = site["latency_ms"][work["users"]] > work["max_latency_ms"]
    return "its latency to the users is too high" if late else None


def least(workloads, sites, egress):
    """The least sum of costs, workload by workload with the room that is left; None if none is possible."""
    best = [None]

    def go(i, room, spent):
        if best[0] is not None and spent >= best[0]:
            return
        if i == len(workloads):
            best[0] = spent
            return
        for j, site in enumerate(sites):
            if room[j] >= workloads[i]["gpus"] and broken(workloads[i], site) is None:
                left = list(room)
                left[j] -= workloads[i]["gpus"]
                go(i + 1, left, spent + cents(workloads[i], site, egress))

    go(0, [site["gpus"] for site in sites], 0)
    return best[0]


def judge(case, answer):
    if case.part == "refuse":
        return expect.raised(answer, "ValueError", f"Raise ValueError for {case.label}.")
    best = least(case.workloads, case.sites, case.egress)
    if best is None:
        expect.that(
            answer is None, "No placement keeps the rules: return None.", yours=answer, right="None"
        )
        return None
    expect.that(
        answer is not None, "There is a placement.", yours="None", right=f"one of {best} cents"
    )
    answer = expect.mapping(answer, tuple(w["name"] for w in case.workloads), only=True)
    known, used, spent = {s["name"]: s for s in case.sites}, {}, 0
    for work in case.workloads:
        name = answer[work["name"]]
        expect.that(isinstance(name, str) and name in known, "A value is a site's name.", stage="type",
                    yours=name, right=list(known))  # fmt: skip
        why = broken(work, known[name])
        expect.that(why is None, f"{work['name']} may not run on {name}: {why}.", yours=name)
        used[name] = used.get(name, 0) + work["gpus"]
        spent += cents(work, known[name], case.egress)
    for name, gpus in used.items():
        expect.that(gpus <= known[name]["gpus"], f"Site {name} has too few GPUs.", yours=f"{gpus} GPUs",
                    right=f"at most {known[name]['gpus']}")  # fmt: skip
    expect.that(
        spent == best,
        "There is a cheaper placement.",
        yours=f"{spent} cents",
        right=f"{best} cents",
    )
    return None
