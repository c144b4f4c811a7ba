//! What is counted and charged: `GET /meters`.

use serde::Serialize;
use utoipa::ToSchema;

use super::{
    Listing, Resource, Scope,
    fault::{Fault, Unknown},
    item::Item,
    lookup,
    models::is,
    order::{Hit, arrange, folded, sort_keys},
    query::{Said as _, query},
    search::{Search, rank_of},
};
use crate::catalog::{meter::Meter, rows::Versioned};

sort_keys! {
    /// What meters can be sorted by.
    MeterKey, MeterSort {
        Name = "name",
        Id = "id",
        Unit = "unit",
    }
}

query! {
    /// Which meters, and in which order.
    MeterQuery {
        /// Search in ids and names: exact, by the start, by a word, with a letter or two wrong.
        #[param(example = "cache")]
        q: String,
        /// What one of it is.
        #[param(example = "token")]
        unit: String,
        /// A meter whose count already contains it.
        #[param(example = "input_tokens")]
        part_of: String,
        /// The order; `-` puts the largest first. Default: the best matches first, then the order in which
        /// quotes print their lines.
        #[param(inline)]
        sort: MeterSort,
    }
}

/// Something that is counted and charged.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MeterItem)]
pub struct MeterAdded {
    /// The revision of the catalog that introduced this row.
    #[schema(example = 1)]
    pub revision: u32,
}

/// What is told of a meter.
pub type MeterItem<'s> = Item<'s, Meter, MeterAdded>;

/// One page, as the document describes it: without `<..>`, which utoipa would take apart.
pub type MeterList = Listing<MeterItem<'static>>;

/// The list of meters.
#[derive(Debug)]
pub struct Meters;

impl Resource for Meters {
    type Query = MeterQuery;
    type Item<'s> = MeterItem<'s>;

    fn rows(scope: Scope<'_>, query: &MeterQuery) -> Result<Vec<u32>, Fault> {
        let search = Search::new(query.q.said())?;
        let whole = query.part_of.said().map(|id| lookup::meter(scope.view, id)).transpose();
        let whole = whole.map_err(|unknown| Fault::unknown("part_of", unknown))?;
        let keep = |meter: &Meter| {
            is(query.unit.said(), Some(&meter.unit))
                && whole.is_none_or(|whole| meter.part_of.contains(&whole.row.id))
        };
        let rows = scope.rows(&scope.view.snapshot().history().meters);
        let hits = rows.filter(|(_, row)| keep(&row.row)).filter_map(|(at, row)| {
            let names = [row.row.id.as_str(), &row.row.name].into_iter();
            rank_of(search.as_ref(), names).map(|rank| Hit { at, row, rank })
        });
        let compare = |sort: MeterSort, a: &Meter, b: &Meter| match sort.key {
            MeterKey::Name => sort.directed(folded(&a.name, &b.name)),
            MeterKey::Id => sort.by(&a.id, &b.id),
            MeterKey::Unit => sort.by(&a.unit, &b.unit),
        };
        let position = |meter: &Meter| scope.view.meters.find(meter.id.as_str());
        Ok(arrange(hits.collect(), query.sort, compare, |a, b| position(a).cmp(&position(b))))
    }

    fn items<'s>(scope: Scope<'s>, rows: &[u32]) -> Vec<MeterItem<'s>> {
        let meters = &scope.view.snapshot().history().meters;
        rows.iter().map(|at| item(&meters[*at as usize])).collect()
    }
}

fn item(known: &Versioned<Meter>) -> MeterItem<'_> {
    Item { row: &known.row, added: MeterAdded { revision: known.introduced.0 } }
}

/// One meter, by its id.
///
/// # Errors
/// When there is none of that name.
pub fn one<'s>(scope: Scope<'s>, id: &str) -> Result<MeterItem<'s>, Unknown> {
    lookup::meter(scope.view, id).map(item)
}
