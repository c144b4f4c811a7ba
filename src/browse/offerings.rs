//! Models as providers sell them: `GET /offerings`.

use std::collections::{BTreeMap, HashSet};

use jiff::{Timestamp, civil::Date};
use rust_decimal::Decimal;
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    Listing, Resource, Scope,
    fault::{Fault, Thing, Unknown},
    item::{Item, RowRef},
    lookup,
    models::is,
    order::{Hit, arrange, folded, sort_keys},
    prices::{self, Price},
    query::{Said as _, query},
    search::{Search, rank_of},
};
use crate::catalog::{
    ids::MeterId,
    model::Model,
    money::decimal_text,
    offering::Offering,
    rate_card::{ContextKey, Test},
    rows::{Row as _, Versioned},
    snapshot::ModifierView,
};

sort_keys! {
    /// What offerings can be sorted by.
    OfferingKey, OfferingSort {
        Name = "name",
        Id = "id",
        Provider = "provider",
        ContextWindow = "context_window",
    }
}

query! {
    as_of
    /// Which offerings, and in which order.
    OfferingQuery {
        /// Search in ids, names and aliases: exact, by the start, by a word, with a letter or two wrong.
        #[param(example = "gpt-4o")]
        q: String,
        /// Who sells it.
        #[param(example = "openai")]
        provider: String,
        /// The model that it is, by any of its names.
        #[param(example = "gpt-4o")]
        model: String,
        /// Who made the model, in any case, such as `OpenAI`.
        #[param(example = "")]
        developer: String,
        /// What sort of model it is: `general`, `reasoning`, `embedding`, ...
        #[param(example = "")]
        class: String,
        /// What it does, where it is not a chat model: `embedding`, `image_generation`, ...
        #[param(example = "")]
        kind: String,
        /// A meter that it has a price for, at the instant asked about.
        #[param(example = "input_tokens")]
        meter: String,
        /// Whether the seller is the model's own developer.
        #[param(example = true)]
        first_party: bool,
        /// Whether the provider has announced its end.
        #[param(example = false)]
        deprecated: bool,
        /// The order; `-` puts the largest first. Default: the best matches first, then by name.
        #[param(inline)]
        sort: OfferingSort,
    }
}

/// A model as one provider sells it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OfferingItem)]
pub struct OfferingAdded {
    /// The revision of the catalog that introduced this row.
    #[schema(example = 1)]
    pub revision: u32,
}

/// What is told of an offering in a list.
pub type OfferingItem<'s> = Item<'s, Offering, OfferingAdded>;

/// A model as one provider sells it, at its prices.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OfferingDetail)]
pub struct OfferingDetailAdded<'s> {
    /// The rate cards in force at the instant asked about.
    pub prices: Vec<Price<'s>>,
    /// The factors in force at that instant.
    pub modifiers: Vec<ModifierItem<'s>>,
    /// The revision of the catalog that introduced this row.
    #[schema(example = 1)]
    pub revision: u32,
}

/// What is told of one offering.
pub type OfferingDetail<'s> = Item<'s, Offering, OfferingDetailAdded<'s>>;

/// A factor on prices, under a condition.
#[derive(Debug, Serialize, ToSchema)]
pub struct ModifierItem<'s> {
    /// Its name in quotes.
    #[schema(value_type = String, example = "modifier:12")]
    pub id: RowRef,
    /// What people call it.
    #[schema(example = "US residency")]
    pub label: &'s str,
    /// When it applies; `{"not": value}` means any other value.
    #[schema(value_type = BTreeMap<String, ValueTest>, example = json!({"residency": "us"}))]
    pub context: &'s BTreeMap<ContextKey, Test>,
    /// What the affected lines are multiplied by.
    #[serde(with = "decimal_text")]
    #[schema(value_type = String, example = "1.1")]
    pub factor: Decimal,
    /// The meters that it acts on.
    #[schema(value_type = Vec<String>, example = json!(["input_tokens", "output_tokens"]))]
    pub meters: &'s [MeterId],
    /// First instant in force; null: as far back as known.
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-02-05T00:00:00Z")]
    pub effective_from: Option<Timestamp>,
    /// First instant no longer in force; null: still in force.
    #[schema(value_type = Option<String>, format = DateTime, example = "2027-01-01T00:00:00Z")]
    pub effective_to: Option<Timestamp>,
    /// URL or citation; null: none is known.
    #[schema(example = "https://platform.claude.com/docs/en/about-claude/pricing")]
    pub source: Option<&'s str>,
    /// The day somebody looked.
    #[schema(value_type = String, format = Date, example = "2026-11-23")]
    pub observed_at: Date,
    /// The revision of the catalog that introduced it.
    #[schema(example = 1)]
    pub revision: u32,
}

/// What is asked of one context key.
#[derive(ToSchema)]
#[serde(untagged)]
pub enum ValueTest {
    /// This value.
    #[schema(example = "batch")]
    Is(String),
    /// Any value but this one.
    Not {
        /// The value left out.
        #[schema(example = "global")]
        not: String,
    },
}

impl<'s> ModifierItem<'s> {
    fn new(view: ModifierView<'s>) -> Self {
        let modifier = &view.row.row;
        Self {
            id: RowRef { table: crate::catalog::rate_card::Modifier::TABLE, id: view.row.id },
            label: &modifier.label,
            context: &modifier.context,
            factor: modifier.factor,
            meters: &modifier.meters,
            effective_from: modifier.effective_from,
            effective_to: modifier.effective_to,
            source: modifier.source.as_deref(),
            observed_at: modifier.observed_at,
            revision: view.row.introduced.0,
        }
    }
}

/// One page, as the document describes it: without `<..>`, which utoipa would take apart.
pub type OfferingList = Listing<OfferingItem<'static>>;

/// The list of offerings.
#[derive(Debug)]
pub struct Offerings;

impl Resource for Offerings {
    type Query = OfferingQuery;
    type Item<'s> = OfferingItem<'s>;

    fn rows(scope: Scope<'_>, query: &OfferingQuery) -> Result<Vec<u32>, Fault> {
        let search = Search::new(query.q.said())?;
        let filter = Filter::new(
            scope,
            Asked {
                provider: query.provider.said(),
                model: query.model.said(),
                developer: query.developer.said(),
                class: query.class.said(),
                kind: query.kind.said(),
            },
        )?;
        let priced = query.meter.said().map(|meter| priced_by(scope, meter)).transpose()?;
        let keep = |offering: &Offering| {
            query.first_party.is_none_or(|first| offering.first_party == first)
                && query.deprecated.is_none_or(|deprecated| offering.deprecated == deprecated)
                && priced.as_ref().is_none_or(|priced| priced.contains(offering.id.as_str()))
                && filter.admits(offering)
        };
        let rows = scope.rows(&scope.view.snapshot().history().offerings);
        let hits = rows.filter(|(_, row)| keep(&row.row)).filter_map(|(at, row)| {
            rank_of(search.as_ref(), names(&row.row)).map(|rank| Hit { at, row, rank })
        });
        let compare = |sort: OfferingSort, a: &Offering, b: &Offering| match sort.key {
            OfferingKey::Name => sort.directed(folded(&a.name, &b.name)),
            OfferingKey::Id => sort.by(&a.id, &b.id),
            OfferingKey::Provider => sort.by(&a.provider, &b.provider),
            OfferingKey::ContextWindow => sort.by_some(a.context_window, b.context_window),
        };
        let ties = |a: &Offering, b: &Offering| folded(&a.name, &b.name).then_with(|| a.id.cmp(&b.id));
        Ok(arrange(hits.collect(), query.sort, compare, ties))
    }

    fn items<'s>(scope: Scope<'s>, rows: &[u32]) -> Vec<OfferingItem<'s>> {
        let offerings = &scope.view.snapshot().history().offerings;
        let item = |at: &u32| {
            let known = &offerings[*at as usize];
            Item { row: &known.row, added: OfferingAdded { revision: known.introduced.0 } }
        };
        rows.iter().map(item).collect()
    }
}

/// What an offering is called.
pub(super) fn names(offering: &Offering) -> impl Iterator<Item = &str> {
    let own = [offering.name.as_str(), offering.id.as_str()].into_iter();
    own.chain(offering.aliases.iter().map(String::as_str))
}

/// The offerings with a price for a meter at the instant asked about.
fn priced_by<'s>(scope: Scope<'s>, meter: &str) -> Result<HashSet<&'s str>, Fault> {
    let meter = lookup::meter(scope.view, meter).map_err(|unknown| Fault::unknown("meter", unknown))?;
    let cards = scope.view.known(&scope.view.snapshot().history().rate_cards).map(|row| &row.row);
    let priced = cards.filter(|card| card.rates.contains_key(&meter.row.id));
    let in_force = priced.filter(|card| card.span().contains(scope.as_of));
    Ok(in_force.map(|card| card.offering.as_str()).collect())
}

/// What may be asked of an offering and of the model that it is.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Asked<'q> {
    pub(super) provider: Option<&'q str>,
    pub(super) model: Option<&'q str>,
    pub(super) developer: Option<&'q str>,
    pub(super) class: Option<&'q str>,
    pub(super) kind: Option<&'q str>,
}

/// The same with its names looked up.
pub(super) struct Filter<'q, 's> {
    asked: Asked<'q>,
    scope: Scope<'s>,
    provider: Option<&'s str>,
    model: Option<&'s Versioned<Model>>,
}

impl<'q, 's> Filter<'q, 's> {
    /// Looks the names up.
    pub(super) fn new(scope: Scope<'s>, asked: Asked<'q>) -> Result<Self, Fault> {
        let view = scope.view;
        let provider = asked.provider.map(|name| lookup::provider(view, name)).transpose();
        let provider = provider.map_err(|unknown| Fault::unknown("provider", unknown))?;
        let model = match asked.model.map(|name| (name, lookup::model(view, name))) {
            Some((_, Ok(model))) => Some(model),
            // A provider's own name for something that nobody has said which model it is.
            Some((name, Err(unknown))) if view.sellers(name).is_empty() => {
                return Err(Fault::unknown("model", unknown));
            }
            _ => None,
        };
        Ok(Self { asked, scope, provider: provider.map(|row| row.row.id.as_str()), model })
    }

    /// Whether an offering is asked for.
    pub(super) fn admits(&self, offering: &Offering) -> bool {
        self.provider.is_none_or(|id| offering.provider.as_str() == id)
            && self.is_model(offering)
            && is(self.asked.kind, offering.kind.as_deref())
            && self.model_fits(offering)
    }

    fn is_model(&self, offering: &Offering) -> bool {
        let Some(name) = self.asked.model else {
            return true;
        };
        let same_model = self.model.is_some_and(|model| offering.model.as_ref() == Some(&model.row.id));
        let called = std::iter::once(&offering.name).chain(&offering.aliases);
        same_model || called.into_iter().any(|known| known.eq_ignore_ascii_case(name))
    }

    fn model_fits(&self, offering: &Offering) -> bool {
        if self.asked.developer.is_none() && self.asked.class.is_none() {
            return true;
        }
        let model = offering.model.as_ref().and_then(|id| self.scope.view.model(id.as_str()));
        model.is_some_and(|model| {
            is(self.asked.developer, model.row.developer.as_deref())
                && is(self.asked.class, model.row.class.as_deref())
        })
    }
}

/// One offering, by `provider/name`, with its prices at the instant asked about.
///
/// # Errors
/// When there is none of that name.
pub fn one<'s>(scope: Scope<'s>, id: &str) -> Result<OfferingDetail<'s>, Unknown> {
    let found = lookup::offering(scope.view, id)?;
    let offerings = &scope.view.snapshot().history().offerings;
    let row = scope.view.known(offerings).find(|row| row.row.id == found.offering.id);
    let nothing = || Unknown { thing: Thing::Offering, name: id.to_owned(), near: Vec::new() };
    let known = row.ok_or_else(nothing)?;
    let cards = scope.view.cards(found).filter(|card| card.in_force(scope.as_of));
    let modifiers = scope.view.modifiers(found).filter(|modifier| modifier.in_force(scope.as_of));
    let added = OfferingDetailAdded {
        prices: prices::of_cards(scope, cards.map(|card| card.row)),
        modifiers: modifiers.map(ModifierItem::new).collect(),
        revision: known.introduced.0,
    };
    Ok(Item { row: &known.row, added })
}
