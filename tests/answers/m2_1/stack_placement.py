"""Answers to stack-placement."""

import itertools

from autograder.checks.bank import right, wrong


def _cost(w, s, egress):
    price = w["gpus"] * s["cents_per_gpu_h"]
    return price + (
        w["gb_per_h"] * egress[w["data_region"]] if s["region"] != w["data_region"] else 0
    )


def _stays(w, s):
    return w["stays_in"] is None or s["region"] in w["stays_in"]


def _near(w, s):
    at = s["latency_ms"].get(w["users"])
    return at is not None and at <= w["max_latency_ms"]


def _model(workloads, sites, egress, *, cost=_cost, stays=_stays, near=_near, room=lambda a, b: a <= b,
           skip="", pick=min, capacity=True, nothing=None):  # fmt: skip
    if "w" not in skip and len({w["name"] for w in workloads}) < len(workloads):
        raise ValueError("workloads")
    if "s" not in skip and len({s["name"] for s in sites}) < len(sites):
        raise ValueError("sites")
    found = []
    for chosen in itertools.product(range(len(sites)), repeat=len(workloads)):
        pairs = [(w, sites[j]) for w, j in zip(workloads, chosen, strict=True)]
        if not all(stays(w, s) and near(w, s) for w, s in pairs):
            continue
        used = [
            sum(w["gpus"] for w, j in zip(workloads, chosen, strict=True) if j == i)
            for i in range(len(sites))
        ]
        if capacity and not all(room(u, s["gpus"]) for u, s in zip(used, sites, strict=True)):
            continue
        found.append((sum(cost(w, s, egress) for w, s in pairs), chosen))
    if not found:
        return nothing
    _, chosen = pick(found)
    return {w["name"]: sites[j]["name"] for w, j in zip(workloads, chosen, strict=True)}


@right("all combinations")
def by_product(workloads, sites, egress_cents):
    return _model(workloads, sites, egress_cents)


@right("search, last of equals")
def by_search(workloads, sites, egress_cents):
    for group in (workloads, sites):
        names = [x["name"] for x in group]
        if len(names) != len(set(names)):
            raise ValueError("names")
    left = {s["name"]: s["gpus"] for s in sites}
    best = [float("inf"), None]

    def go(i, spent, chosen):
        if i == len(workloads):
            if spent <= best[0]:
                best[:] = spent, dict(chosen)
            return
        w = workloads[i]
        for s in sites:
            if w["stays_in"] is not None and s["region"] not in w["stays_in"]:
                continue
            if s["latency_ms"].get(w["users"], float("inf")) > w["max_latency_ms"]:
                continue
            if left[s["name"]] < w["gpus"]:
                continue
            left[s["name"]] -= w["gpus"]
            go(i + 1, spent + _cost(w, s, egress_cents), chosen | {w["name"]: s["name"]})
            left[s["name"]] += w["gpus"]

    go(0, 0, {})
    return best[1]


def _greedy(workloads, sites, egress, order):
    if len({w["name"] for w in workloads}) < len(workloads) or len(
        {s["name"] for s in sites}
    ) < len(sites):
        raise ValueError("names")
    left, chosen = [s["gpus"] for s in sites], {}
    for w in order(workloads):
        able = [
            j for j, s in enumerate(sites) if _stays(w, s) and _near(w, s) and left[j] >= w["gpus"]
        ]
        if not able:
            return None
        j = min(able, key=lambda j: _cost(w, sites[j], egress))
        left[j] -= w["gpus"]
        chosen[w["name"]] = sites[j]["name"]
    return chosen


@wrong(
    "greedy",
    "The cheapest site for each workload in turn may leave a dearer one for the next: try all.",
)
def greedy(workloads, sites, egress_cents):
    return _greedy(workloads, sites, egress_cents, list)


@wrong("greedy-largest-first", "Largest first is a rule of thumb: compare all placements.")
def largest_first(workloads, sites, egress_cents):
    return _greedy(workloads, sites, egress_cents, lambda ws: sorted(ws, key=lambda w: -w["gpus"]))


@wrong("first-that-fits", "Any placement is not enough: the cheapest is asked for.")
def any_that_fits(workloads, sites, egress_cents):
    return _model(workloads, sites, egress_cents, pick=lambda found: found[0])


@wrong("dearest", "The cheapest is asked for.")
def dearest(workloads, sites, egress_cents):
    return _model(workloads, sites, egress_cents, pick=max)


@wrong("capacity-ignored", "The GPUs of a site limit what runs there.")
def no_capacity(workloads, sites, egress_cents):
    return _model(workloads, sites, egress_cents, capacity=False)


@wrong("capacity-each-alone", "Workloads on one site share its GPUs.")
def each_alone(workloads, sites, egress_cents):
    return _model(workloads, sites, egress_cents, capacity=False,
                  near=lambda w, s: _near(w, s) and w["gpus"] <= s["gpus"])  # fmt: skip


@wrong("capacity-strict", "A site may be used up to its last GPU.")
def strict(workloads, sites, egress_cents):
    return _model(workloads, sites, egress_cents, room=lambda a, b: a < b or a == 0)


@wrong("residency-ignored", "Data that must stay restricts the regions.")
def no_residency(workloads, sites, egress_cents):
    return _model(workloads, sites, egress_cents, stays=lambda w, s: True)


@wrong(
    "residency-is-data-region",
    "The regions allowed are those of stays_in, not the data's own alone.",
)
def own_region(workloads, sites, egress_cents):
    return _model(workloads, sites, egress_cents,
                  stays=lambda w, s: w["stays_in"] is None or s["region"] == w["data_region"])  # fmt: skip


@wrong("empty-list-allows-all", "An empty stays_in allows no region; None allows all.")
def empty_list(workloads, sites, egress_cents):
    return _model(workloads, sites, egress_cents,
                  stays=lambda w, s: not w["stays_in"] or s["region"] in w["stays_in"])  # fmt: skip


@wrong("residency-by-name", "stays_in holds regions, not names of sites.")
def by_site_name(workloads, sites, egress_cents):
    return _model(workloads, sites, egress_cents,
                  stays=lambda w, s: _stays(w, s) or s["name"] in w["stays_in"])  # fmt: skip


@wrong("latency-ignored", "A site must be near enough to the users.")
def no_latency(workloads, sites, egress_cents):
    return _model(workloads, sites, egress_cents, near=lambda w, s: True)


@wrong("latency-strict", "A latency that equals the limit is allowed.")
def strict_latency(workloads, sites, egress_cents):
    return _model(workloads, sites, egress_cents,
                  near=lambda w, s: s["latency_ms"].get(w["users"], 10**9) < w["max_latency_ms"])  # fmt: skip


@wrong("latency-to-data", "Latency is measured to the users' region, not to the data's.")
def to_data(workloads, sites, egress_cents):
    return _model(workloads, sites, egress_cents,
                  near=lambda w, s: s["latency_ms"].get(w["data_region"], 10**9) <= w["max_latency_ms"])  # fmt: skip


@wrong("unknown-latency-is-zero", "A latency that is not known is no 0: the site is not allowed.")
def unknown_zero(workloads, sites, egress_cents):
    return _model(workloads, sites, egress_cents,
                  near=lambda w, s: s["latency_ms"].get(w["users"], 0) <= w["max_latency_ms"])  # fmt: skip


@wrong("egress-ignored", "Data that leaves its region costs.")
def no_egress(workloads, sites, egress_cents):
    return _model(
        workloads, sites, egress_cents, cost=lambda w, s, e: w["gpus"] * s["cents_per_gpu_h"]
    )


@wrong("egress-always", "Egress is paid only if the site lies in another region than the data.")
def egress_always(workloads, sites, egress_cents):
    return _model(workloads, sites, egress_cents,
                  cost=lambda w, s, e: w["gpus"] * s["cents_per_gpu_h"] + w["gb_per_h"] * e[s["region"]])  # fmt: skip


@wrong("egress-of-the-site", "The price is that of the region that the data leaves.")
def of_site(workloads, sites, egress_cents):
    return _model(workloads, sites, egress_cents, cost=lambda w, s, e: w["gpus"] * s["cents_per_gpu_h"]
                  + (w["gb_per_h"] * e[s["region"]] if s["region"] != w["data_region"] else 0))  # fmt: skip


@wrong("egress-by-users", "Egress depends on where the data lies, not on where the users are.")
def by_users(workloads, sites, egress_cents):
    return _model(workloads, sites, egress_cents, cost=lambda w, s, e: w["gpus"] * s["cents_per_gpu_h"]
                  + (w["gb_per_h"] * e[w["users"]] if s["region"] != w["users"] else 0))  # fmt: skip


@wrong("price-per-workload", "A site's price is for each GPU.")
def per_workload(workloads, sites, egress_cents):
    return _model(workloads, sites, egress_cents,
                  cost=lambda w, s, e: _cost(w, s, e) - (w["gpus"] - 1) * s["cents_per_gpu_h"])  # fmt: skip


@wrong(
    "empty-for-impossible",
    "None means that no placement is possible; {} that there is nothing to place.",
)
def empty_dict(workloads, sites, egress_cents):
    return _model(workloads, sites, egress_cents, nothing={})


@wrong("none-for-nothing", "Without workloads return an empty dict.")
def none_for_nothing(workloads, sites, egress_cents):
    return _model(workloads, sites, egress_cents) or None


@wrong("workload-names-not-checked", "Two workloads of one name must raise ValueError.")
def any_workloads(workloads, sites, egress_cents):
    return _model(workloads, sites, egress_cents, skip="w")


@wrong("site-names-not-checked", "Two sites of one name must raise ValueError.")
def any_sites(workloads, sites, egress_cents):
    return _model(workloads, sites, egress_cents, skip="s")
