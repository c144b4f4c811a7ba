//! Price tables of hosted models: `GET /prices` and `GET /prices/history`.

use std::{cmp::Ordering, collections::BTreeMap, collections::HashMap};

use jiff::{Timestamp, civil::Date};
use rust_decimal::Decimal;
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    Listing, Resource, Scope,
    fault::Fault,
    item::RowRef,
    lookup,
    offerings::{self, Asked as AskedOfOffering, Filter},
    order::{Hit, Sort, arrange, sort_keys},
    query::{Format, Said as _, query},
    search::{Search, rank_of},
};
use crate::catalog::{
    ids::{MeterId, ModelId, OfferingId, ProviderId, RevisionNumber},
    money::{Currency, Money, Quantity},
    offering::Offering,
    rate_card::{Conditions, ContextKey, Modifier, RateCard},
    rows::{Row as _, Versioned},
    time::{Span, start_of_day},
};

sort_keys! {
    /// What prices can be sorted by.
    PriceKey, PriceSort {
        Offering = "offering",
        Provider = "provider",
        EffectiveFrom = "effective_from",
        ObservedAt = "observed_at",
        Rate = "rate",
    }
}

sort_keys! {
    /// What a history of prices can be sorted by.
    HistoryKey, HistorySort {
        EffectiveFrom = "effective_from",
    }
}

/// A query for rate cards: its own parameters, those that all of them have, and a parameter for each context
/// key.
macro_rules! card_query {
    ($([$as_of:ident])? $(#[$doc:meta])* $name:ident { $($own:tt)* }) => {
        card_query! { @keys $([$as_of])? $(#[$doc])* $name { $($own)* } {
            /// Price of this service tier: `batch`, `flex`, `priority`, ...; `standard`: the card without.
            ServiceTier service_tier = "standard";
            /// Price of this speed, such as `fast`.
            Speed speed = "";
            /// Price of processing in this region, such as `us-east-1`.
            Region region = "";
            /// Price of keeping data there, such as `eu`.
            Residency residency = "";
            /// Price under this commitment, such as `1-month-commitment`.
            Commitment commitment = "";
            /// Price of this picture quality, such as `hd`.
            Quality quality = "";
            /// Price of this picture size, such as `1024x1024`.
            Size size = "";
            /// Price of this many diffusion steps, such as `50`.
            Steps steps = "";
            /// Price of this kind of search, such as `web`.
            SearchType search_type = "";
            /// Price of this route, such as `fastest`.
            Route route = "";
        } }
    };
    (@keys $([$as_of:ident])? $(#[$doc:meta])* $name:ident { $($own:tt)* } {
        $(#[doc = $key_doc:literal] $key:ident $field:ident = $example:literal;)+
    }) => {
        query! { $($as_of)? $(#[$doc])* $name { $($own)*
            /// The offering, as `provider/name`.
            #[param(example = "openai/gpt-4o")]
            offering: String,
            /// Who sells it, such as `openai`.
            #[param(example = "")]
            provider: String,
            /// The model that it is, or its name at the provider, such as `gpt-4o`.
            #[param(example = "")]
            model: String,
            /// The currency of the price list.
            #[param(example = "USD")]
            currency: String,
            /// A meter that has a price.
            #[param(example = "input_tokens")]
            meter: String,
            /// Only what later revisions than this one introduced or replaced.
            #[param(example = 0)]
            since_revision: u64,
            /// In place of the header `accept`, for a link or a spreadsheet.
            #[param(inline)]
            format: Format,
            $(#[doc = $key_doc]
            #[param(example = $example)]
            $field: String,)+
        } }

        impl $name {
            fn wanted(&self) -> Wanted<'_> {
                let context = [$((ContextKey::$key, self.$field.said()),)+];
                let context = context.into_iter().filter_map(|(key, value)| Some((key, value?))).collect();
                Wanted {
                    offering: self.offering.said(),
                    of_offering: AskedOfOffering {
                        provider: self.provider.said(),
                        model: self.model.said(),
                        ..AskedOfOffering::default()
                    },
                    search: None,
                    currency: self.currency.said(),
                    meter: self.meter.said(),
                    context,
                }
            }
        }
    };
}

card_query! {
    [as_of]
    /// Which rate cards in force at an instant, and in which order.
    PriceQuery {
        /// Search in ids, names and aliases of offerings: exact, by the start, by a word, with a letter or two
        /// wrong.
        #[param(example = "gpt-4o")]
        q: String,
        /// Who made the model, in any case, such as `OpenAI`.
        #[param(example = "")]
        developer: String,
        /// What sort of model it is: `general`, `reasoning`, `embedding`, ...
        #[param(example = "")]
        class: String,
        /// What it does, where it is not a chat model: `embedding`, `image_generation`, ...
        #[param(example = "")]
        kind: String,
        /// The order; `-` puts the largest first. Default: the best matches first, then by offering. `rate`
        /// sorts by the price of one unit, and asks for `meter` and `currency`.
        #[param(inline)]
        sort: PriceSort,
    }
}

card_query! {
    /// Which rate cards of which offerings, in the order of time. One of `offering`, `provider`, `model` and
    /// `since_revision` has to be given.
    HistoryQuery {
        /// The first day (UTC) on which a card was in force.
        #[param(value_type = Option<String>, format = Date, example = "2024-01-01")]
        from: Date,
        /// The last day (UTC) on which a card was in force.
        #[param(value_type = Option<String>, format = Date, example = "2027-01-01")]
        to: Date,
        /// The order; `-` puts the newest first. Default: the oldest first.
        #[param(inline)]
        sort: HistorySort,
    }
}

/// What may be asked of a rate card.
struct Wanted<'q> {
    offering: Option<&'q str>,
    of_offering: AskedOfOffering<'q>,
    search: Option<Search>,
    currency: Option<&'q str>,
    meter: Option<&'q str>,
    context: Vec<(ContextKey, &'q str)>,
}

impl Wanted<'_> {
    /// The cards that fit, those that pass `keep`, with the rank of their offering.
    fn hits<'s>(
        &self,
        scope: Scope<'s>,
        keep: impl Fn(&Versioned<RateCard>) -> bool,
    ) -> Result<Vec<Hit<'s, RateCard>>, Fault> {
        let view = scope.view;
        let currency = self.currency.map(|code| lookup::currency(view, code)).transpose();
        let currency = currency.map_err(|unknown| Fault::unknown("currency", unknown))?;
        let meter = self.meter.map(|id| lookup::meter(view, id)).transpose();
        let meter = meter.map_err(|unknown| Fault::unknown("meter", unknown))?;
        let ranks = self.offerings(scope)?;
        let fits = |card: &RateCard| {
            currency.is_none_or(|currency| card.currency == currency)
                && meter.is_none_or(|meter| card.rates.contains_key(&meter.row.id))
                && self.context.iter().all(|(key, value)| says(&card.conditions, *key, value))
        };
        let cards = (0..).zip(&view.snapshot().history().rate_cards);
        let hits = cards.filter(|(_, card)| keep(card) && fits(&card.row)).filter_map(|(at, row)| {
            let rank = match &ranks {
                Some(ranks) => *ranks.get(row.row.offering.as_str())?,
                None => 0,
            };
            Some(Hit { at, row, rank })
        });
        Ok(hits.collect())
    }

    /// The offerings asked for with their ranks; none: all of them, equally.
    fn offerings<'s>(&self, scope: Scope<'s>) -> Result<Option<HashMap<&'s str, u32>>, Fault> {
        let one = self.offering.map(|id| lookup::offering(scope.view, id)).transpose();
        let one = one.map_err(|unknown| Fault::unknown("offering", unknown))?;
        let AskedOfOffering { provider, model, developer, class, kind } = self.of_offering;
        let filtered = provider.or(model).or(developer).or(class).or(kind).is_some();
        if one.is_none() && !filtered && self.search.is_none() {
            return Ok(None);
        }
        let filter = Filter::new(scope, self.of_offering)?;
        let known = scope.view.known(&scope.view.snapshot().history().offerings).map(|row| &row.row);
        let wanted = |offering: &&Offering| {
            one.is_none_or(|one| one.offering.id == offering.id) && filter.admits(offering)
        };
        let ranked = known.filter(wanted).filter_map(|offering| {
            let rank = rank_of(self.search.as_ref(), offerings::names(offering))?;
            Some((offering.id.as_str(), rank))
        });
        Ok(Some(ranked.collect()))
    }
}

/// Whether a card's conditions say a value of a context key; the standard value is said by saying nothing.
fn says(conditions: &Conditions, key: ContextKey, value: &str) -> bool {
    match conditions.context.get(key) {
        Some(said) => said.eq_ignore_ascii_case(value),
        None => key.is_standard(value),
    }
}

/// One page, as the document describes it: without `<..>`, which utoipa would take apart.
pub type PriceList = Listing<Price<'static>>;

/// Prices in force at an instant.
#[derive(Debug)]
pub struct Prices;

impl Resource for Prices {
    type Query = PriceQuery;
    type Item<'s> = Price<'s>;

    fn rows(scope: Scope<'_>, query: &PriceQuery) -> Result<Vec<u32>, Fault> {
        let mut wanted = query.wanted();
        wanted.search = Search::new(query.q.said())?;
        wanted.of_offering.developer = query.developer.said();
        wanted.of_offering.class = query.class.said();
        wanted.of_offering.kind = query.kind.said();
        let revision = scope.view.revision;
        let hits = wanted.hits(scope, |card| {
            card.known_at(revision)
                && card.row.span().contains(scope.as_of)
                && query.since_revision.is_none_or(|since| u64::from(card.introduced.0) > since)
        })?;
        let rate = by_rate(query)?.map(|meter| move |card: &RateCard| per_unit(scope, card, meter));
        let compare = |sort: PriceSort, a: &RateCard, b: &RateCard| match sort.key {
            PriceKey::Offering | PriceKey::Provider => sort.by(&a.offering, &b.offering),
            PriceKey::EffectiveFrom => sort.directed(starts(a, b)),
            PriceKey::ObservedAt => sort.by(&a.observed_at, &b.observed_at),
            PriceKey::Rate => rate.as_ref().map_or(Ordering::Equal, |rate| sort.by_some(rate(a), rate(b))),
        };
        Ok(arrange(hits, query.sort, compare, ties))
    }

    fn items<'s>(scope: Scope<'s>, rows: &[u32]) -> Vec<Price<'s>> {
        let cards = &scope.view.snapshot().history().rate_cards;
        of_cards(scope, rows.iter().map(|at| &cards[*at as usize]))
    }
}

/// The meter to sort by the rate of, where that is asked for.
fn by_rate(query: &PriceQuery) -> Result<Option<&str>, Fault> {
    if query.sort.is_none_or(|sort| sort.key != PriceKey::Rate) {
        return Ok(None);
    }
    if query.currency.said().is_none() {
        return Err(Fault::missing(&["currency"])); // rates are only compared within one
    }
    query.meter.said().map(Some).ok_or(Fault::missing(&["meter"]))
}

/// Money for one unit.
fn per_unit(scope: Scope<'_>, card: &RateCard, meter: &str) -> Option<Decimal> {
    let rate = card.rates.get(meter)?;
    let per = rate.per.or_else(|| scope.view.meter(meter).map(|meter| meter.per))?;
    rate.amount.checked_div(per)
}

/// The order of time, cards without a start first.
fn starts(a: &RateCard, b: &RateCard) -> Ordering {
    a.effective_from.cmp(&b.effective_from)
}

/// By offering, then plain cards before those with more conditions.
fn ties(a: &RateCard, b: &RateCard) -> Ordering {
    let by_offering = a.offering.cmp(&b.offering).then_with(|| a.currency.cmp(&b.currency));
    let (a_says, b_says) = (&a.conditions, &b.conditions);
    by_offering
        .then_with(|| a_says.context.iter().cmp(b_says.context.iter()))
        .then_with(|| a_says.input_tokens_above.cmp(&b_says.input_tokens_above))
        .then_with(|| a_says.window.is_some().cmp(&b_says.window.is_some()))
        .then_with(|| starts(a, b))
}

/// Every price there was, and those already announced.
#[derive(Debug)]
pub struct PriceHistory;

impl Resource for PriceHistory {
    type Query = HistoryQuery;
    type Item<'s> = Price<'s>;

    fn rows(scope: Scope<'_>, query: &HistoryQuery) -> Result<Vec<u32>, Fault> {
        let HistoryQuery { offering, provider, model, since_revision, .. } = query;
        let names = [offering.said(), provider.said(), model.said()];
        if names.iter().all(Option::is_none) && since_revision.is_none() {
            return Err(Fault::missing(&["offering", "provider", "model", "since_revision"]));
        }
        let days = Span::new(
            query.from.and_then(start_of_day),
            query.to.and_then(|day| start_of_day(day.tomorrow().ok()?)),
        );
        let revision = scope.view.revision;
        let hits = query.wanted().hits(scope, |card| {
            let told = match since_revision {
                None => card.known_at(revision),
                Some(since) => is_news(card, *since, revision),
            };
            told && card.row.span().overlaps(days)
        })?;
        let compare = |sort: HistorySort, a: &RateCard, b: &RateCard| sort.directed(starts(a, b));
        let oldest_first = Sort { key: HistoryKey::EffectiveFrom, descending: false };
        Ok(arrange(hits, Some(query.sort.unwrap_or(oldest_first)), compare, ties))
    }

    fn items<'s>(scope: Scope<'s>, rows: &[u32]) -> Vec<Price<'s>> {
        Prices::items(scope, rows)
    }
}

/// Whether a row was introduced or superseded after one revision and not after another.
pub(super) fn is_news<T>(row: &Versioned<T>, since: u64, until: RevisionNumber) -> bool {
    let news = |revision: RevisionNumber| since < u64::from(revision.0) && revision <= until;
    news(row.introduced) || row.superseded.is_some_and(news)
}

/// One row of a price table: what an offering costs, over a span, under conditions.
#[derive(Debug, Serialize, ToSchema)]
pub struct Price<'s> {
    /// The rate card's name in quotes.
    #[schema(value_type = String, example = "rate_card:812")]
    pub id: RowRef,
    /// What it prices.
    #[schema(value_type = String, example = "openai/gpt-4o")]
    pub offering: &'s OfferingId,
    /// Who sells that; null: the offering is not known at this revision.
    #[schema(value_type = Option<String>, example = "openai")]
    pub provider: Option<&'s ProviderId>,
    /// The model that it is; null: nobody has said.
    #[schema(value_type = Option<String>, example = "gpt-4o")]
    pub model: Option<&'s ModelId>,
    /// The name of that model.
    #[schema(example = "GPT-4o")]
    pub model_name: Option<&'s str>,
    /// The vendor's own currency.
    #[schema(value_type = String, example = "USD")]
    pub currency: Currency,
    /// First instant in force; null: as far back as known.
    #[schema(value_type = Option<String>, format = DateTime, example = "2025-02-08T16:00:00Z")]
    pub effective_from: Option<Timestamp>,
    /// First instant no longer in force; null: still in force.
    #[schema(value_type = Option<String>, format = DateTime, example = "2025-09-05T16:00:00Z")]
    pub effective_to: Option<Timestamp>,
    /// When it applies within that span; empty: always.
    pub conditions: &'s Conditions,
    /// What is charged, by meter. Empty: the vendor lists it without any price.
    #[schema(value_type = BTreeMap<String, PriceRate>)]
    pub rates: BTreeMap<&'s MeterId, PriceRate<'s>>,
    /// Meters that the vendor does not price under these conditions; the standard rate stands in.
    #[schema(value_type = Vec<String>, example = json!([]))]
    pub inherited: &'s [MeterId],
    /// Factors that may act on it at the instant asked about; `/offerings/{id}` tells them.
    #[schema(value_type = Vec<String>, example = json!(["modifier:12"]))]
    pub modifiers: Vec<RowRef>,
    /// A doubt or remark; null: none.
    #[schema(example = "list price; the promotion ended")]
    pub note: Option<&'s str>,
    /// URL or citation; null: none is known.
    #[schema(example = "https://openai.com/api/pricing/")]
    pub source: Option<&'s str>,
    /// The day somebody looked.
    #[schema(value_type = String, format = Date, example = "2026-11-10")]
    pub observed_at: Date,
    /// Days between that day and the instant asked about; 0 when somebody looked later.
    #[schema(example = 14)]
    pub age_days: u32,
    /// The revision of the catalog that introduced it.
    #[schema(example = 1)]
    pub revision: u32,
    /// The revision that replaced or withdrew it; null: none has.
    #[schema(example = 2)]
    pub superseded: Option<u32>,
}

/// Money for a quantity of a meter.
#[derive(Debug, Serialize, ToSchema)]
pub struct PriceRate<'s> {
    /// Money, in the card's currency.
    pub amount: Money,
    /// For how many units.
    pub per: Quantity,
    /// What one unit is.
    #[schema(example = "token")]
    pub unit: &'s str,
    /// The smallest quantity charged once there is any; null: none.
    #[schema(example = 10)]
    pub min_quantity: Option<u64>,
}

/// What is told of rate cards.
pub(super) fn of_cards<'s>(
    scope: Scope<'s>,
    cards: impl Iterator<Item = &'s Versioned<RateCard>>,
) -> Vec<Price<'s>> {
    cards.map(|card| price(scope, card)).collect()
}

fn price<'s>(scope: Scope<'s>, known: &'s Versioned<RateCard>) -> Price<'s> {
    let (view, card) = (scope.view, &known.row);
    let found = lookup::find_offering(view, card.offering.as_str());
    let offering = found.map(|found| found.offering);
    let model = offering.and_then(|offering| view.model(offering.model.as_ref()?.as_str()));
    let modifiers = found.into_iter().flat_map(|found| view.modifiers(found));
    let modifiers = modifiers.filter(|modifier| modifier.in_force(scope.as_of));
    Price {
        id: RowRef { table: RateCard::TABLE, id: known.id },
        offering: &card.offering,
        provider: offering.map(|offering| &offering.provider),
        model: model.map(|model| &model.row.id),
        model_name: model.map(|model| model.row.name.as_str()),
        currency: card.currency,
        effective_from: card.effective_from,
        effective_to: card.effective_to,
        conditions: &card.conditions,
        rates: rates(scope, card),
        inherited: &card.inherited,
        modifiers: modifiers.map(|it| RowRef { table: Modifier::TABLE, id: it.row.id }).collect(),
        note: card.note.as_deref(),
        source: card.source.as_deref(),
        observed_at: card.observed_at,
        age_days: scope.age_days(card.observed_at),
        revision: known.introduced.0,
        superseded: known.superseded.filter(|end| *end <= view.revision).map(|end| end.0),
    }
}

fn rates<'s>(scope: Scope<'s>, card: &'s RateCard) -> BTreeMap<&'s MeterId, PriceRate<'s>> {
    let rate = |(id, rate): (&'s MeterId, &crate::catalog::rate_card::Rate)| {
        let meter = scope.view.meter(id.as_str());
        let per = rate.per.or(meter.map(|meter| meter.per)).unwrap_or(Decimal::ONE);
        let rate = PriceRate {
            amount: rate.amount.into(),
            per: per.into(),
            unit: meter.map_or("", |meter| &meter.unit), // a snapshot has no rate without its meter
            min_quantity: rate.min_quantity,
        };
        (id, rate)
    };
    card.rates.iter().map(rate).collect()
}
