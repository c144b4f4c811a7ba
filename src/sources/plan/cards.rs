//! Prices of offerings: names first, then each group of cards against the catalog's.

use super::{
    Action, Change, Difference, Import, Kept, Plan,
    author::author_of,
    compare::Differing,
    gates::{Gate, Pending, are_many_withdrawn},
    group::{Group, Mark, Step},
};
use crate::{
    catalog::{
        hash::Map,
        ids::{MeterId, OfferingId},
        money::Currency,
        offering::Offering,
        provider::Provider,
        rate_card::{Context, RateCard},
        rows::{Row as _, Versioned},
        snapshot::View,
        text::to_line,
        time::{Span, utc_day},
    },
    sources::{
        Format, Reason, names,
        observation::{OfferedCard, OfferedPrices},
        row::Edits,
    },
};

/// A group of cards: offering, currency, context.
type Key = (OfferingId, Currency, Context);

/// What a feed says of a group.
#[derive(Debug)]
struct Said {
    place: String,
    /// Whether the feed calls the offering by its own name.
    exact: bool,
    source: Option<String>,
    cards: Vec<OfferedCard>,
}

/// An offering that the catalog does not have.
#[derive(Debug)]
struct Fresh {
    row: Offering,
    groups: Vec<Key>,
}

struct Cards<'s> {
    view: View<'s>,
    import: &'s Import,
    feed: &'s str,
    /// Offerings by provider and any exact name.
    offerings: Map<(&'s str, &'s str), &'s Offering>,
    known: Map<Key, Vec<&'s Versioned<RateCard>>>,
    said: Map<Key, Said>,
    fresh: Map<OfferingId, Fresh>,
}

/// Plans what prices of offerings change.
pub(super) fn plan(prices: Vec<OfferedPrices>, view: View<'_>, import: &Import, plan: &mut Plan) {
    let feed = import.source.feed().or(import.format.feed()).unwrap_or("curated");
    let mut cards = Cards {
        view,
        import,
        feed,
        offerings: offerings(view),
        known: known_cards(view),
        said: Map::default(),
        fresh: Map::default(),
    };
    let unread: Vec<String> = plan.refused.iter().map(|refusal| refusal.place.clone()).collect();
    for offered in prices {
        cards.take(offered, plan);
    }
    let mut keys: Vec<Key> = cards.said.keys().cloned().collect();
    keys.sort_by_cached_key(subject);
    for key in keys.iter().filter(|key| !cards.fresh.contains_key(&key.0)) {
        cards.plan_group(key, plan);
    }
    let mut fresh: Vec<Fresh> = std::mem::take(&mut cards.fresh).into_values().collect();
    fresh.sort_by(|one, other| one.row.id.cmp(&other.row.id));
    for offering in fresh {
        cards.plan_offering(offering, plan);
    }
    if import.whole {
        cards.withdraw(&unread, plan);
    }
}

fn offerings(view: View<'_>) -> Map<(&str, &str), &Offering> {
    let rows = || view.known(&view.snapshot().history().offerings).map(|row| &row.row);
    let mut index = Map::default();
    for row in rows() {
        for alias in &row.aliases {
            index.insert((row.provider.as_str(), alias.as_str()), row);
        }
    }
    // After the aliases: an offering's own name goes before another's alias.
    index.extend(rows().map(|row| ((row.provider.as_str(), row.name.as_str()), row)));
    index
}

fn known_cards(view: View<'_>) -> Map<Key, Vec<&Versioned<RateCard>>> {
    let mut known: Map<Key, Vec<_>> = Map::default();
    for card in view.known(&view.snapshot().history().rate_cards) {
        let RateCard { offering, currency, conditions, .. } = &card.row;
        known.entry((offering.clone(), *currency, conditions.context.clone())).or_default().push(card);
    }
    known
}

/// A group in a line.
fn subject((offering, currency, context): &Key) -> String {
    format!("{offering} {currency} {}", to_line(context).unwrap_or_default()) // a map of texts always serialises
}

impl<'s> Cards<'s> {
    /// Finds the offering that a feed's entry is of, and files its cards.
    fn take(&mut self, offered: OfferedPrices, plan: &mut Plan) {
        let id = names::provider(self.import.format, &offered.seller);
        let Some(provider) = id.and_then(|id| self.view.provider(id).filter(|row| row.id.as_str() == id))
        else {
            let detail = format!("its seller `{}` is no provider of the catalog", offered.seller);
            return plan.refuse(&offered.place, Reason::UnknownSeller, detail);
        };
        if let Some(unknown) = self.unknown_meter(&offered) {
            return plan.refuse(
                &offered.place,
                Reason::UnknownName,
                format!("the catalog has no meter `{unknown}`"),
            );
        }
        let mut looked_up = std::iter::once(&offered.name).chain(&offered.aliases);
        let found =
            looked_up.find_map(|name| self.offerings.get(&(provider.id.as_str(), name.as_str())).copied());
        let id = found.map_or_else(|| self.add_offering(provider, &offered), |row| row.id.clone());
        let exact = found.is_none_or(|row| row.name == offered.name);
        let mut groups: Map<Key, Vec<OfferedCard>> = Map::default();
        for card in offered.cards {
            let ended = card.effective_to.is_some_and(|to| to <= self.import.observed_at);
            if ended {
                plan.past += 1;
                continue;
            }
            groups
                .entry((id.clone(), card.currency, card.conditions.context.clone()))
                .or_default()
                .push(card);
        }
        let mut groups: Vec<_> = groups.into_iter().collect();
        groups.sort_by_cached_key(|(key, _)| subject(key));
        for (key, cards) in groups {
            let said = Said { place: offered.place.clone(), exact, source: offered.source.clone(), cards };
            self.file(key, said, plan);
        }
    }

    fn unknown_meter<'o>(&self, offered: &'o OfferedPrices) -> Option<&'o str> {
        let mut meters = offered.cards.iter().flat_map(|card| card.rates.keys());
        meters.find(|meter| self.view.meter(meter.as_str()).is_none()).map(MeterId::as_str)
    }

    /// Files what a feed says of a group; of two entries that do not agree, the one under the offering's own name counts.
    fn file(&mut self, key: Key, said: Said, plan: &mut Plan) {
        let Some(first) = self.said.get_mut(&key) else {
            if let Some(fresh) = self.fresh.get_mut(&key.0) {
                fresh.groups.push(key.clone());
            }
            self.said.insert(key, said);
            return;
        };
        if first.cards == said.cards {
            first.exact |= said.exact;
            return;
        }
        let (keeps, gives_way) = if said.exact && !first.exact {
            let before = std::mem::replace(first, said);
            (first.place.clone(), before.place)
        } else {
            (first.place.clone(), said.place)
        };
        let detail = format!("prices {} otherwise than `{keeps}` does", subject(&key));
        plan.refuse(&gives_way, Reason::Contradicted, detail);
    }

    /// The offering that an unknown name becomes.
    fn add_offering(&mut self, provider: &'s Provider, offered: &OfferedPrices) -> OfferingId {
        let id = OfferingId::from(format!("{}/{}", provider.id, offered.name).as_str());
        let untaken = |alias: &&String| {
            let taken = self.offerings.contains_key(&(provider.id.as_str(), alias.as_str()));
            self.import.format == Format::GenaiPrices && **alias != offered.name && !taken
        };
        let mut aliases: Vec<String> = offered.aliases.iter().filter(untaken).cloned().collect();
        aliases.sort_unstable();
        aliases.dedup();
        let last =
            offered.name.rsplit_once('/').map_or(offered.name.as_str(), |(_, last)| last).to_lowercase();
        let model = self.view.model(&last).map(|row| &row.row);
        let row = Offering {
            id: id.clone(),
            provider: provider.id.clone(),
            name: offered.name.clone(),
            aliases,
            model: model.map(|model| model.id.clone()),
            first_party: provider.own_api
                && provider.also_resells.is_empty()
                && provider.same_vendor_as.is_none(),
            kind: offered.kind.map(str::to_owned),
            context_window: offered.context_window,
            deprecated: offered.deprecated,
            source: offered.source.clone(),
            observed_at: utc_day(self.import.observed_at),
        };
        self.fresh.entry(id.clone()).or_insert(Fresh { row, groups: Vec::new() });
        id
    }

    /// The group of a key as the catalog has it.
    fn group<'g>(&'g self, key: &'g Key, said: &'g Said) -> Group<'g> {
        let cards = |key: &Key| self.known.get(key).into_iter().flatten().map(|card| &card.row);
        let standard = (key.0.clone(), key.1, Context::default());
        Group {
            meters: self.view.meters,
            mark: Mark {
                offering: &key.0,
                origin: self.feed,
                source: said.source.as_deref(),
                at: self.import.observed_at,
            },
            cards: cards(key).cloned().collect(),
            standard: cards(&standard).collect(),
        }
    }

    fn plan_group(&self, key: &Key, plan: &mut Plan) {
        let Some(said) = self.said.get(key) else { return };
        let steps = self.group(key, said).steps(&said.cards);
        if steps.is_empty() {
            plan.unchanged += 1;
            return;
        }
        if let Some(because) = self.untouchable(key) {
            let differences = steps.iter().flat_map(differences).collect();
            return plan.kept.push(Kept { subject: subject(key), because, differences });
        }
        let last = steps.len() - 1;
        let mut waits = Vec::new();
        for (at, step) in steps.into_iter().enumerate() {
            // What follows on a step that waits cannot go in before it.
            let mut pending = step.pending.clone();
            if pending.is_empty() {
                pending.clone_from(&waits);
            }
            waits.clone_from(&pending);
            let action = if step.is_new { Action::Added } else { Action::Changed };
            let subject = if last == 0 { subject(key) } else { format!("{} #{}", subject(key), at + 1) };
            let differences = differences(&step).collect();
            plan.changes.push(Change {
                action,
                table: RateCard::TABLE,
                subject,
                differences,
                pending,
                edits: step.edits,
            });
        }
    }

    /// Why a group may not be touched: who wrote one of its cards, or when somebody looked at it.
    fn untouchable(&self, key: &Key) -> Option<String> {
        let revisions = self.view.snapshot().revisions();
        let day = utc_day(self.import.observed_at);
        let ahead = Span::new(Some(self.import.observed_at), None);
        let mut cards = self.known.get(key)?.iter().filter(|card| card.row.span().overlaps(ahead));
        cards.find_map(|card| {
            let author = author_of(revisions, card.introduced);
            if !author.gives_way_to(&self.import.source) {
                return Some(format!("written by `{author}`"));
            }
            let later = card.row.observed_at > day;
            later.then(|| format!("looked at on {}, later than this table", card.row.observed_at))
        })
    }

    /// An offering that comes in whole, with all its cards.
    fn plan_offering(&self, fresh: Fresh, plan: &mut Plan) {
        let mut change = Change {
            action: Action::Added,
            table: Offering::TABLE,
            subject: fresh.row.id.to_string(),
            differences: Vec::new(),
            pending: Vec::new(),
            edits: Edits { put: vec![fresh.row.into()], remove: Vec::new() },
        };
        for key in &fresh.groups {
            let Some(said) = self.said.get(key) else { continue };
            for step in self.group(key, said).steps(&said.cards) {
                change.differences.extend(differences(&step));
                change.pending.extend(step.pending);
                // A later step may close what an earlier one opened.
                for row in &step.edits.put {
                    change.edits.put.retain(|before| before.key() != row.key());
                }
                change.edits.put.extend(step.edits.put);
            }
        }
        if change.edits.put.len() > 1 {
            plan.changes.push(change);
        }
    }

    /// Closes what the feed brought before and no longer has.
    fn withdraw(&self, unread: &[String], plan: &mut Plan) {
        if self.import.source.feed().is_none() {
            return;
        }
        let revisions = self.view.snapshot().revisions();
        let at = self.import.observed_at;
        let (mut held, mut gone) = (0_u64, Vec::new());
        for (key, cards) in &self.known {
            let own = cards.iter().filter(|card| {
                let author = author_of(revisions, card.introduced);
                let own =
                    author == super::Author::Feed(self.feed) && card.row.origin.as_deref() == Some(self.feed);
                own && card.row.span().contains(at)
            });
            let own: Vec<_> = own.collect();
            held += own.len() as u64;
            if own.is_empty() || self.said.contains_key(key) {
                continue;
            }
            let could_not_be_read = unread.iter().any(|place| place.ends_with(offering_name(&key.0)));
            if !could_not_be_read {
                gone.extend(own.into_iter().map(|card| (key, card)));
            }
        }
        let many = are_many_withdrawn(gone.len() as u64, held);
        let detail = format!("{} of the {held} prices of the source are gone", gone.len());
        for (key, card) in gone {
            let closes_nothing = card.row.effective_from.is_some_and(|from| from >= at);
            let closed = RateCard { effective_to: Some(at), ..card.row.clone() };
            let edits = if closes_nothing {
                Edits { put: Vec::new(), remove: vec![(RateCard::TABLE, card.row.key())] }
            } else {
                Edits { put: vec![closed.into()], remove: Vec::new() }
            };
            let pending = many.then(|| Pending { gate: Gate::ManyWithdrawn, detail: detail.clone() });
            plan.changes.push(Change {
                action: Action::Withdrawn,
                table: RateCard::TABLE,
                subject: format!("{} {}", subject(key), to_line(&card.row.conditions).unwrap_or_default()),
                differences: Vec::new(),
                pending: pending.into_iter().collect(),
                edits,
            });
        }
    }
}

/// An offering's name at its provider.
fn offering_name(id: &OfferingId) -> &str {
    id.as_str().split_once('/').map_or(id.as_str(), |(_, name)| name)
}

fn differences(step: &Step) -> impl Iterator<Item = Difference> {
    step.differing.iter().map(|(above, Differing { meter, old, new })| Difference {
        input_tokens_above: *above,
        ..Difference::between(meter.as_str(), *old, Some(*new))
    })
}
