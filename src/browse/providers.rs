//! Who sells: `GET /providers`.

use std::collections::HashMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::{
    Listing, Resource, Scope,
    fault::{Fault, Unknown},
    item::Item,
    lookup,
    order::{Hit, arrange, folded, sort_keys},
    query::{Said as _, query},
    search::{Search, rank_of},
};
use crate::catalog::{provider::Provider, rows::Versioned};

sort_keys! {
    /// What providers can be sorted by.
    ProviderKey, ProviderSort {
        Name = "name",
        Id = "id",
    }
}

query! {
    /// Which providers, and in which order.
    ProviderQuery {
        /// Search in ids and names: exact, by the start, by a word, with a letter or two wrong.
        #[param(example = "openai")]
        q: String,
        /// Whether it is a developer's own API for its own models.
        #[param(example = true)]
        own_api: bool,
        /// The provider that it is another name of.
        #[param(example = "")]
        same_vendor_as: String,
        /// The order; `-` puts the largest first. Default: the best matches first, then by name.
        #[param(inline)]
        sort: ProviderSort,
    }
}

/// Who sells calls of models or hours of accelerators, and how much of it is known.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ProviderItem)]
pub struct ProviderAdded {
    /// How many offerings of models it has.
    #[schema(example = 112)]
    pub offerings: u32,
    /// How many prices of rented accelerators are known of it, over all time.
    #[schema(example = 0)]
    pub gpu_rentals: u32,
    /// The revision of the catalog that introduced this row.
    #[schema(example = 1)]
    pub revision: u32,
}

/// What is told of a provider.
pub type ProviderItem<'s> = Item<'s, Provider, ProviderAdded>;

/// One page, as the document describes it: without `<..>`, which utoipa would take apart.
pub type ProviderList = Listing<ProviderItem<'static>>;

/// The list of providers.
#[derive(Debug)]
pub struct Providers;

impl Resource for Providers {
    type Query = ProviderQuery;
    type Item<'s> = ProviderItem<'s>;

    fn rows(scope: Scope<'_>, query: &ProviderQuery) -> Result<Vec<u32>, Fault> {
        let search = Search::new(query.q.said())?;
        let vendor = query.same_vendor_as.said();
        let vendor = vendor.map(|id| lookup::provider(scope.view, id)).transpose();
        let vendor = vendor.map_err(|unknown| Fault::unknown("same_vendor_as", unknown))?;
        let keep = |provider: &Provider| {
            query.own_api.is_none_or(|own| provider.own_api == own)
                && vendor.is_none_or(|vendor| provider.same_vendor_as.as_ref() == Some(&vendor.row.id))
        };
        let rows = scope.rows(&scope.view.snapshot().history().providers);
        let hits = rows.filter(|(_, row)| keep(&row.row)).filter_map(|(at, row)| {
            let names = [row.row.id.as_str(), &row.row.name];
            rank_of(search.as_ref(), names.into_iter()).map(|rank| Hit { at, row, rank })
        });
        let compare = |sort: ProviderSort, a: &Provider, b: &Provider| match sort.key {
            ProviderKey::Name => sort.directed(folded(&a.name, &b.name)),
            ProviderKey::Id => sort.by(&a.id, &b.id),
        };
        let ties = |a: &Provider, b: &Provider| folded(&a.name, &b.name).then_with(|| a.id.cmp(&b.id));
        Ok(arrange(hits.collect(), query.sort, compare, ties))
    }

    fn items<'s>(scope: Scope<'s>, rows: &[u32]) -> Vec<ProviderItem<'s>> {
        let providers = &scope.view.snapshot().history().providers;
        let counts = Counts::of(scope);
        rows.iter().map(|at| counts.item(&providers[*at as usize])).collect()
    }
}

/// How much is known of each provider.
struct Counts<'s> {
    offerings: HashMap<&'s str, u32>,
    gpu_rentals: HashMap<&'s str, u32>,
}

impl<'s> Counts<'s> {
    fn of(scope: Scope<'s>) -> Self {
        let history = scope.view.snapshot().history();
        Self {
            offerings: count(scope.view.known(&history.offerings).map(|row| row.row.provider.as_str())),
            gpu_rentals: count(scope.view.known(&history.gpu_rentals).map(|row| row.row.provider.as_str())),
        }
    }

    fn item(&self, known: &'s Versioned<Provider>) -> ProviderItem<'s> {
        let of = |counts: &HashMap<&str, u32>| counts.get(known.row.id.as_str()).copied().unwrap_or(0);
        let added = ProviderAdded {
            offerings: of(&self.offerings),
            gpu_rentals: of(&self.gpu_rentals),
            revision: known.introduced.0,
        };
        Item { row: &known.row, added }
    }
}

/// How often each name occurs.
pub(super) fn count<'n>(names: impl Iterator<Item = &'n str>) -> HashMap<&'n str, u32> {
    let mut counts = HashMap::new();
    names.for_each(|name| *counts.entry(name).or_insert(0) += 1);
    counts
}

/// One provider, by its id.
///
/// # Errors
/// When there is none of that name.
pub fn one<'s>(scope: Scope<'s>, id: &str) -> Result<ProviderItem<'s>, Unknown> {
    Ok(Counts::of(scope).item(lookup::provider(scope.view, id)?))
}
