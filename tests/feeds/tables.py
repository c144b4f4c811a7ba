"""Writes the price tables of two packages, and random calls with what the packages' own calculators say they cost.

Usage: tables.py DIRECTORY (with LITELLM_LOCAL_MODEL_COST_MAP=True, so that nothing is fetched)
"""

import dataclasses
import datetime
import json
import pathlib
import random
import sys
from decimal import Decimal

import genai_prices
import litellm
from genai_prices.data import providers
from genai_prices.types import ClauseEquals, ClauseOr, ModelPrice, TieredPrices
from litellm.types.utils import PromptTokensDetailsWrapper, Usage

CALLS = 6000  # of each package; not every one is of a model that Farthing knows
AT = datetime.datetime(2026, 11, 24, 12, tzinfo=datetime.timezone.utc)


def number(value):
    """A decimal as JSON writes it, digit for digit, by way of a mark that is taken out afterwards."""
    return f"\0{value}\0"


def price_set(prices):
    def price(value):
        if isinstance(value, TieredPrices):
            tiers = [{"start": tier.start, "price": number(tier.price)} for tier in value.tiers]
            return {"base": number(value.base), "tiers": tiers}
        return number(value)

    return {key: price(value) for key, value in prices.__dict__.items() if value is not None}


def constraint(value):
    if value is None:
        return {}
    fields = dataclasses.asdict(value)
    return {"constraint": {key: f"{at.isoformat()}Z" if isinstance(at, datetime.time) and at.tzinfo is None
                           else at.isoformat() for key, at in fields.items()}}


def clause(match):
    if isinstance(match, ClauseOr):
        return {"or": [clause(one) for one in match.or_]}
    if isinstance(match, ClauseEquals):
        return {"equals": match.equals}
    return {"other": type(match).__name__}


def model(info):
    if isinstance(info.prices, ModelPrice):
        prices = price_set(info.prices)
    else:
        prices = [{**constraint(one.constraint), "prices": price_set(one.prices)} for one in info.prices]
    variants = [{"when": one.when, **constraint(one.constraint), "prices": price_set(one.prices)}
                for one in info.price_variants or []]
    return {"id": info.id, "name": info.name, "match": clause(info.match), "context_window": info.context_window,
            "deprecated": info.deprecated, "prices": prices, "price_variants": variants or None}


def genai_table():
    sellers = [{"id": seller.id, "name": seller.name, "pricing_urls": seller.pricing_urls,
                "models": [model(info) for info in seller.models]} for seller in providers]
    return json.dumps(sellers, indent=1).replace('"\\u0000', "").replace('\\u0000"', "")


def usage(chance, can_cache, can_write):
    """Counts of one call in Farthing's meters; a third of the calls are long enough for the higher tiers."""
    most = chance.choice([2_000, 120_000, 900_000])
    counts = {"input_tokens": chance.randint(1, most), "output_tokens": chance.randint(0, 20_000)}
    if can_cache and chance.random() < 0.5:
        counts["cache_read_tokens"] = chance.randint(0, counts["input_tokens"])
    if can_write and chance.random() < 0.5:
        counts["cache_write_tokens"] = chance.randint(0, counts["input_tokens"] - counts.get("cache_read_tokens", 0))
    return counts


def litellm_calls(chance):
    table = litellm.model_cost
    keys = sorted(key for key, row in table.items() if row.get("mode") in ("chat", "responses", "completion", "embedding")
                  and row.get("input_cost_per_token") is not None)
    for _ in range(CALLS):
        key = chance.choice(keys)
        row = table[key]
        counts = usage(chance, "cache_read_input_token_cost" in row, "cache_creation_input_token_cost" in row)
        if row["mode"] == "embedding":
            counts["output_tokens"] = 0
        tier = chance.choice([None] + [tier for tier in ("priority", "flex") if f"input_cost_per_token_{tier}" in row])
        told = Usage(prompt_tokens=counts["input_tokens"], completion_tokens=counts["output_tokens"],
                     total_tokens=counts["input_tokens"] + counts["output_tokens"],
                     prompt_tokens_details=PromptTokensDetailsWrapper(cached_tokens=counts.get("cache_read_tokens", 0)),
                     cache_creation_input_tokens=counts.get("cache_write_tokens", 0),
                     cache_read_input_tokens=counts.get("cache_read_tokens", 0))
        try:
            cost = sum(litellm.cost_per_token(model=key, custom_llm_provider=row["litellm_provider"],
                                              usage_object=told, service_tier=tier,
                                              call_type="aembedding" if row["mode"] == "embedding" else "completion"))
        except Exception as error:  # its own calculator does not know what its own table prices
            yield {"place": key, "error": f"{type(error).__name__}: {error}"[:200]}
            continue
        yield {"place": key, "tier": tier, "usage": counts, "cost": repr(cost)}


def genai_calls(chance):
    models = [(seller, info) for seller in providers for info in seller.models]
    for _ in range(CALLS):
        seller, info = chance.choice(models)
        prices = info.get_prices(AT)
        counts = usage(chance, prices.cache_read_mtok is not None, prices.cache_write_mtok is not None)
        contexts = [{}] + [dict(one.when) for one in info.price_variants or []]
        context = chance.choice(contexts)
        try:
            cost = info.calc_price(genai_prices.Usage(**counts), seller, genai_request_timestamp=AT,
                                   price_context=context).total_price
        except Exception as error:
            yield {"place": f"{seller.id}/{info.id}", "error": f"{type(error).__name__}: {error}"[:200]}
            continue
        yield {"place": f"{seller.id}/{info.id}", "context": context, "usage": counts, "cost": f"{Decimal(cost):f}"}


def main(directory):
    directory.mkdir(parents=True, exist_ok=True)
    table = pathlib.Path(litellm.__file__).parent / "model_prices_and_context_window_backup.json"
    (directory / "litellm.json").write_bytes(table.read_bytes())
    (directory / "genai-prices.json").write_text(genai_table())
    for name, calls in (("litellm", litellm_calls), ("genai-prices", genai_calls)):
        lines = (json.dumps(call) + "\n" for call in calls(random.Random(20261124)))
        (directory / f"{name}.calls.jsonl").write_text("".join(lines))


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
