//! Prices of accelerators by the hour, machine by machine.

use std::collections::BTreeMap;

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::{
    Action, Author, Change, Difference, Import, Kept, Plan,
    author::author_of,
    gates::{Gate, Pending, are_many_withdrawn, hour_moves, is_bid_floor, is_node_total, spot_above},
};
use crate::{
    catalog::{
        gpu::{Commitment, GpuRental},
        hash::Map,
        ids::{GpuId, ProviderId},
        money::Currency,
        rows::{Row as _, Versioned},
        snapshot::View,
        time::{Span, utc_day},
    },
    sources::{Reason, names, observation::OfferedRental, row::Edits},
};

/// A price that goes on is written down again when nobody has for this long, well before it counts as stale.
const SEEN_AGAIN_AFTER_DAYS: i32 = 30;

/// Rows with this note are of a cheaper tier under the same names, and succeed only one another.
const OTHER_TIER: &str = "community cloud tier";

/// A machine in a place under a commitment.
type Key = (ProviderId, String, String, GpuId, u32, Commitment);

struct Rentals<'s> {
    view: View<'s>,
    import: &'s Import,
    day: Date,
    spellings: BTreeMap<String, Vec<&'s GpuId>>,
    known: Map<Key, Vec<&'s Versioned<GpuRental>>>,
    market: Market,
    kinds: Map<&'s ProviderId, &'s str>,
}

/// Plans what rental prices change.
pub(super) fn plan(rentals: Vec<OfferedRental>, view: View<'_>, import: &Import, plan: &mut Plan) {
    let day = utc_day(import.observed_at);
    let known = known(view, day);
    let rows = view.known(&view.snapshot().history().gpu_rentals).map(|row| &row.row);
    let kinds = rows.filter_map(|row| Some((&row.provider, row.provider_kind.as_deref()?))).collect();
    let planner = Rentals {
        view,
        import,
        day,
        spellings: spellings(view),
        market: Market::of(view, day),
        known,
        kinds,
    };
    let mut said: BTreeMap<Key, OfferedRental> = BTreeMap::new();
    for rental in rentals {
        match planner.key(&rental) {
            Ok(key) => {
                if let Some(other) = said.insert(key, rental) {
                    plan.refuse(&other.place, Reason::Contradicted, "is there twice");
                }
            }
            Err((reason, detail)) => plan.refuse(&rental.place, reason, detail),
        }
    }
    for (key, rental) in &said {
        planner.plan_machine(key, rental, &said, plan);
    }
    if import.whole {
        planner.withdraw(&said, plan);
    }
}

fn known(view: View<'_>, day: Date) -> Map<Key, Vec<&Versioned<GpuRental>>> {
    let mut known: Map<Key, Vec<_>> = Map::default();
    for rental in view.known(&view.snapshot().history().gpu_rentals) {
        let GpuRental { provider, region, instance, gpu, gpu_count, commitment, .. } = &rental.row;
        let holds = rental.row.effective_from <= day && rental.row.effective_to.is_none_or(|to| day < to);
        let other_tier = rental.row.note.as_deref() == Some(OTHER_TIER);
        if holds && !other_tier && rental.row.currency == Currency::USD {
            let place = (region.clone().unwrap_or_default(), instance.clone().unwrap_or_default());
            let key = (provider.clone(), place.0, place.1, gpu.clone(), *gpu_count, *commitment);
            known.entry(key).or_default().push(rental);
        }
    }
    known
}

fn spellings(view: View<'_>) -> BTreeMap<String, Vec<&GpuId>> {
    let mut spellings: BTreeMap<String, Vec<&GpuId>> = BTreeMap::new();
    for gpu in view.known(&view.snapshot().history().gpus) {
        for name in gpu.row.aliases.iter().map(String::as_str).chain([gpu.row.id.as_str()]) {
            let ids = spellings.entry(names::gpu_spelling(name)).or_default();
            if !ids.contains(&&gpu.row.id) {
                ids.push(&gpu.row.id);
            }
        }
    }
    spellings
}

/// The median on-demand price of each accelerator on a day.
#[derive(Debug)]
struct Market(BTreeMap<GpuId, Decimal>);

impl Market {
    fn of(view: View<'_>, day: Date) -> Self {
        const RECENT_DAYS: i32 = 365;
        let mut prices: BTreeMap<GpuId, Vec<Decimal>> = BTreeMap::new();
        for row in view.known(&view.snapshot().history().gpu_rentals).map(|row| &row.row) {
            let age = day.since(row.last_seen).map_or(i32::MAX, |span| span.get_days());
            if row.commitment == Commitment::OnDemand && row.currency == Currency::USD && age <= RECENT_DAYS {
                prices.entry(row.gpu.clone()).or_default().push(row.price_per_gpu_hour);
            }
        }
        let median = |mut prices: Vec<Decimal>| {
            prices.sort_unstable();
            prices[(prices.len() - 1) / 2]
        };
        Self(prices.into_iter().map(|(gpu, prices)| (gpu, median(prices))).collect())
    }

    /// Whether a price is a node's, as far as the market tells.
    fn node_total(&self, gpu: &GpuId, price: Decimal, count: u32) -> Option<Pending> {
        let median = *self.0.get(gpu)?;
        let detail =
            || format!("{price} for one {gpu} looks like the price of a node: the median is {median}");
        is_node_total(price, count, median).then(|| Pending { gate: Gate::NodeTotal, detail: detail() })
    }
}

/// Why a rental row that an operator hands in should wait; judged by the market and the row it replaces.
pub(super) fn judge_row(row: &GpuRental, old: Option<Decimal>, view: View<'_>, day: Date) -> Vec<Pending> {
    let moved = old.and_then(|old| moved(old, row.price_per_gpu_hour));
    let node = Market::of(view, day).node_total(&row.gpu, row.price_per_gpu_hour, row.gpu_count);
    moved.into_iter().chain(node).collect()
}

fn moved(old: Decimal, new: Decimal) -> Option<Pending> {
    let gate = hour_moves(old, new)?;
    Some(Pending { gate, detail: format!("an hour goes from {} to {}", old.normalize(), new.normalize()) })
}

fn subject(key: &Key) -> String {
    let (provider, region, instance, gpu, count, commitment) = key;
    format!("{provider} {instance} {region} {gpu}x{count} {}", word(*commitment))
}

fn word(commitment: Commitment) -> String {
    let text = serde_json::to_string(&commitment).unwrap_or_default(); // a word always serialises
    text.trim_matches('"').to_owned()
}

impl Rentals<'_> {
    fn key(&self, rental: &OfferedRental) -> Result<Key, (Reason, String)> {
        let id = names::provider(self.import.format, &rental.seller);
        let provider = id.and_then(|id| self.view.provider(id).filter(|row| row.id.as_str() == id));
        let unknown =
            || (Reason::UnknownSeller, format!("`{}` is no provider of the catalog", rental.seller));
        let provider = provider.ok_or_else(unknown)?.id.clone();
        let gpu = self.gpu(&rental.gpu)?;
        let OfferedRental { region, instance, gpu_count, commitment, .. } = rental;
        Ok((provider, region.clone(), instance.clone(), gpu, *gpu_count, *commitment))
    }

    fn gpu(&self, word: &str) -> Result<GpuId, (Reason, String)> {
        let spelling = names::gpu_spelling(word);
        if let Some(id) = names::gpu(&spelling) {
            return Ok(id.into());
        }
        match self.spellings.get(&spelling).map(Vec::as_slice) {
            Some([id]) => Ok((*id).clone()),
            Some([]) | None => {
                Err((Reason::UnknownGpu, format!("`{word}` is no accelerator of the catalog")))
            }
            Some(_) => Err((Reason::UnknownGpu, format!("`{word}` is more than one accelerator"))),
        }
    }

    fn plan_machine(
        &self,
        key: &Key,
        rental: &OfferedRental,
        said: &BTreeMap<Key, OfferedRental>,
        plan: &mut Plan,
    ) {
        let price = rental.price_per_gpu_hour;
        let known = self.known.get(key).map_or(&[] as &[_], Vec::as_slice);
        if let Some(same) = known.iter().find(|row| row.row.price_per_gpu_hour == price) {
            return self.seen(key, same, plan);
        }
        let old = known.last().map(|row| row.row.price_per_gpu_hour);
        let differences = vec![Difference::between("price_per_gpu_hour", old, Some(price))];
        if let Some(because) = known.iter().find_map(|row| self.untouchable(row)) {
            return plan.kept.push(Kept { subject: subject(key), because, differences });
        }
        let mut edits = Edits::default();
        for row in known {
            if row.row.effective_from >= self.day {
                edits.remove.push((GpuRental::TABLE, row.row.key()));
            } else {
                edits.put.push(GpuRental { effective_to: Some(self.day), ..row.row.clone() }.into());
            }
        }
        edits.put.push(self.row(key, price).into());
        plan.changes.push(Change {
            action: if known.is_empty() { Action::Added } else { Action::Changed },
            table: GpuRental::TABLE,
            subject: subject(key),
            differences,
            pending: self.judge(key, price, old, said),
            edits,
        });
    }

    fn untouchable(&self, row: &Versioned<GpuRental>) -> Option<String> {
        let author = author_of(self.view.snapshot().revisions(), row.introduced);
        if !author.gives_way_to(&self.import.source) {
            return Some(format!("written by `{author}`"));
        }
        let later = row.row.last_seen > self.day;
        later.then(|| format!("seen on {}, later than this table", row.row.last_seen))
    }

    /// Writes down that a price goes on, when that was last done a while ago.
    fn seen(&self, key: &Key, row: &Versioned<GpuRental>, plan: &mut Plan) {
        let age = self.day.since(row.row.last_seen).map_or(0, |span| span.get_days());
        if age < SEEN_AGAIN_AFTER_DAYS || self.untouchable(row).is_some() {
            plan.unchanged += 1;
            return;
        }
        let again = GpuRental { last_seen: self.day, observed_at: self.day, ..row.row.clone() };
        plan.changes.push(Change {
            action: Action::Seen,
            table: GpuRental::TABLE,
            subject: subject(key),
            differences: Vec::new(),
            pending: Vec::new(),
            edits: Edits { put: vec![again.into()], remove: Vec::new() },
        });
    }

    fn row(&self, key: &Key, price: Decimal) -> GpuRental {
        let (provider, region, instance, gpu, gpu_count, commitment) = key;
        let some = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
        let feed = self.import.source.feed().unwrap_or("operator");
        GpuRental {
            id: format!(
                "{feed}/{provider}/{instance}/{region}/{gpu}x{gpu_count}/{}/{}",
                word(*commitment),
                self.day
            ),
            provider: provider.clone(),
            provider_kind: self.kinds.get(provider).map(|kind| (*kind).to_owned()),
            region: some(region),
            instance: some(instance),
            gpu: gpu.clone(),
            gpu_count: *gpu_count,
            price_per_gpu_hour: price,
            currency: Currency::USD,
            commitment: *commitment,
            effective_from: self.day,
            effective_to: None,
            last_seen: self.day,
            confidence: None,
            note: None,
            source: Some(format!("{feed} catalog")),
            observed_at: self.day,
        }
    }

    fn judge(
        &self,
        key: &Key,
        price: Decimal,
        old: Option<Decimal>,
        said: &BTreeMap<Key, OfferedRental>,
    ) -> Vec<Pending> {
        let mut pending: Vec<Pending> = old.and_then(|old| moved(old, price)).into_iter().collect();
        pending.extend(self.market.node_total(&key.3, price, key.4));
        if key.5 == Commitment::Spot
            && let Some(on_demand) = self.on_demand(key, said)
        {
            let detail = format!("spot at {price} beside {on_demand} on demand");
            if spot_above(price, on_demand) {
                pending.push(Pending { gate: Gate::SpotAboveOnDemand, detail });
            } else if is_bid_floor(price, on_demand) {
                pending.push(Pending { gate: Gate::BidFloor, detail });
            }
        }
        pending
    }

    /// The on-demand price of the same machine: of this table, else of the catalog.
    fn on_demand(&self, key: &Key, said: &BTreeMap<Key, OfferedRental>) -> Option<Decimal> {
        let mut key = key.clone();
        key.5 = Commitment::OnDemand;
        let known = || self.known.get(&key)?.last().map(|row| row.row.price_per_gpu_hour);
        said.get(&key).map(|rental| rental.price_per_gpu_hour).or_else(known)
    }

    /// Ends what the feed brought before and no longer has.
    fn withdraw(&self, said: &BTreeMap<Key, OfferedRental>, plan: &mut Plan) {
        let Some(feed) = self.import.source.feed() else { return };
        let revisions = self.view.snapshot().revisions();
        let (mut held, mut gone) = (0_u64, Vec::new());
        for (key, rows) in &self.known {
            for row in rows.iter().filter(|row| author_of(revisions, row.introduced) == Author::Feed(feed)) {
                held += 1;
                if !said.contains_key(key) {
                    gone.push((key, row));
                }
            }
        }
        let many = are_many_withdrawn(gone.len() as u64, held);
        let detail = format!("{} of the {held} prices of the source are gone", gone.len());
        for (key, row) in gone {
            let has_held = !Span::of_days(Some(row.row.effective_from), Some(self.day)).is_empty();
            let edits = if has_held {
                let ended = GpuRental { effective_to: Some(self.day), ..row.row.clone() };
                Edits { put: vec![ended.into()], remove: Vec::new() }
            } else {
                Edits { put: Vec::new(), remove: vec![(GpuRental::TABLE, row.row.key())] }
            };
            let pending = many.then(|| Pending { gate: Gate::ManyWithdrawn, detail: detail.clone() });
            plan.changes.push(Change {
                action: Action::Withdrawn,
                table: GpuRental::TABLE,
                subject: subject(key),
                differences: Vec::new(),
                pending: pending.into_iter().collect(),
                edits,
            });
        }
    }
}
