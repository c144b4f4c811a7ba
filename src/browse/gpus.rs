//! Accelerators: `GET /gpus`.

use std::collections::HashMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::{
    Listing, Resource, Scope,
    fault::{Fault, Unknown},
    item::Item,
    lookup,
    models::is,
    order::{Hit, arrange, folded, sort_keys},
    providers::count,
    query::{Said as _, query},
    search::{Search, rank_of},
};
use crate::catalog::{gpu::Gpu, rows::Versioned};

sort_keys! {
    /// What accelerators can be sorted by.
    GpuKey, GpuSort {
        Name = "name",
        Id = "id",
        Memory = "memory_gb",
        Bandwidth = "memory_bandwidth_gbs",
        Launched = "launch_date",
    }
}

query! {
    /// Which accelerators, and in which order.
    GpuQuery {
        /// Search in ids, names and aliases: exact, by the start, by a word, with a letter or two wrong.
        #[param(example = "h100")]
        q: String,
        /// Who makes it, in any case.
        #[param(example = "NVIDIA")]
        vendor: String,
        /// Its generation, in any case.
        #[param(example = "Hopper")]
        architecture: String,
        /// How it is mounted, in any case, such as `SXM5`.
        #[param(example = "")]
        form_factor: String,
        /// The least memory, in decimal GB.
        #[param(minimum = 0, example = 80)]
        min_memory_gb: f64,
        /// The order; `-` puts the largest first. Default: the best matches first, then by name.
        #[param(inline)]
        sort: GpuSort,
    }
}

/// An accelerator's data sheet, with peaks without sparsity, and how many prices of it are known.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = GpuItem)]
pub struct GpuAdded {
    /// How many rental prices are known of it, over all time.
    #[schema(example = 214)]
    pub rental_prices: u32,
    /// How many purchase prices are known of it, over all time.
    #[schema(example = 9)]
    pub purchase_prices: u32,
    /// The revision of the catalog that introduced this row.
    #[schema(example = 1)]
    pub revision: u32,
}

/// What is told of an accelerator.
pub type GpuItem<'s> = Item<'s, Gpu, GpuAdded>;

/// One page, as the document describes it: without `<..>`, which utoipa would take apart.
pub type GpuList = Listing<GpuItem<'static>>;

/// The list of accelerators.
#[derive(Debug)]
pub struct Gpus;

impl Resource for Gpus {
    type Query = GpuQuery;
    type Item<'s> = GpuItem<'s>;

    fn rows(scope: Scope<'_>, query: &GpuQuery) -> Result<Vec<u32>, Fault> {
        let search = Search::new(query.q.said())?;
        let keep = |gpu: &Gpu| {
            is(query.vendor.said(), Some(&gpu.vendor))
                && is(query.architecture.said(), gpu.architecture.as_deref())
                && is(query.form_factor.said(), gpu.form_factor.as_deref())
                && query.min_memory_gb.is_none_or(|least| gpu.memory_gb >= least)
        };
        let rows = scope.rows(&scope.view.snapshot().history().gpus);
        let hits = rows.filter(|(_, row)| keep(&row.row)).filter_map(|(at, row)| {
            let names = [row.row.id.as_str(), &row.row.name].into_iter();
            let names = names.chain(row.row.aliases.iter().map(String::as_str));
            rank_of(search.as_ref(), names).map(|rank| Hit { at, row, rank })
        });
        let compare = |sort: GpuSort, a: &Gpu, b: &Gpu| match sort.key {
            GpuKey::Name => sort.directed(folded(&a.name, &b.name)),
            GpuKey::Id => sort.by(&a.id, &b.id),
            GpuKey::Memory => sort.directed(a.memory_gb.total_cmp(&b.memory_gb)),
            GpuKey::Bandwidth => sort.directed(a.memory_bandwidth_gbs.total_cmp(&b.memory_bandwidth_gbs)),
            GpuKey::Launched => sort.by_some(a.launch_date, b.launch_date),
        };
        let ties = |a: &Gpu, b: &Gpu| folded(&a.name, &b.name).then_with(|| a.id.cmp(&b.id));
        Ok(arrange(hits.collect(), query.sort, compare, ties))
    }

    fn items<'s>(scope: Scope<'s>, rows: &[u32]) -> Vec<GpuItem<'s>> {
        let gpus = &scope.view.snapshot().history().gpus;
        let counts = Counts::of(scope);
        rows.iter().map(|at| counts.item(&gpus[*at as usize])).collect()
    }
}

/// How many prices are known of each accelerator.
struct Counts<'s> {
    rentals: HashMap<&'s str, u32>,
    purchases: HashMap<&'s str, u32>,
}

impl<'s> Counts<'s> {
    fn of(scope: Scope<'s>) -> Self {
        let history = scope.view.snapshot().history();
        Self {
            rentals: count(scope.view.known(&history.gpu_rentals).map(|row| row.row.gpu.as_str())),
            purchases: count(scope.view.known(&history.gpu_purchases).map(|row| row.row.gpu.as_str())),
        }
    }

    fn item(&self, known: &'s Versioned<Gpu>) -> GpuItem<'s> {
        let of = |counts: &HashMap<&str, u32>| counts.get(known.row.id.as_str()).copied().unwrap_or(0);
        let added = GpuAdded {
            rental_prices: of(&self.rentals),
            purchase_prices: of(&self.purchases),
            revision: known.introduced.0,
        };
        Item { row: &known.row, added }
    }
}

/// One accelerator, by its id or another of its names.
///
/// # Errors
/// When there is none of that name.
pub fn one<'s>(scope: Scope<'s>, name: &str) -> Result<GpuItem<'s>, Unknown> {
    Ok(Counts::of(scope).item(lookup::gpu(scope.view, name)?))
}
