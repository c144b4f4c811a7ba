//! Where a group of calls meets a card: which card, and for what share of the time.

use jiff::Timestamp;

use super::{
    super::{
        Pricer,
        period::Piece,
        select::{known_spans, select},
    },
    load::Load,
};
use crate::{
    catalog::snapshot::CardView,
    estimate::fault::{Fault, FaultKind},
};

/// A card with the modifiers that act on it, and the time for which both hold.
#[derive(Debug, Clone)]
pub(super) struct Pane<'a> {
    /// None: the caller's own prices cover everything.
    pub(super) card: Option<CardView<'a>>,
    modifiers: Vec<i64>,
    /// Its share of the time, in the unit of the pieces.
    pub(super) weight: u128,
    /// The first instant of its first piece, and the end of its last.
    pub(super) first: Timestamp,
    pub(super) end: Timestamp,
    /// How its weight falls on months, by their places.
    pub(super) months: Vec<(usize, u128)>,
}

impl Pane<'_> {
    fn is_of(&self, card: Option<CardView<'_>>, modifiers: &[i64]) -> bool {
        self.card.map(|card| card.row.id) == card.map(|card| card.row.id) && self.modifiers == modifiers
    }

    /// Whether another pane is the same, of other calls.
    pub(super) fn is(&self, other: &Self) -> bool {
        self.is_of(other.card, &other.modifiers) && self.weight == other.weight && self.first == other.first
    }

    fn add(&mut self, piece: Piece) {
        self.weight += piece.weight;
        self.end = piece.to;
        match self.months.last_mut() {
            Some((month, weight)) if *month == piece.month => *weight += piece.weight,
            _ => self.months.push((piece.month, piece.weight)),
        }
    }

    /// The instant halfway between its ends, whose day's exchange rate it takes.
    pub(super) fn middle(&self) -> Timestamp {
        let middle = self.first.as_millisecond().midpoint(self.end.as_millisecond());
        Timestamp::from_millisecond(middle).unwrap_or(self.first)
    }
}

/// Stretches of time without a price, and other faults, each kind once.
#[derive(Default)]
struct Trouble {
    gaps: Vec<(Timestamp, Timestamp)>,
    others: Vec<FaultKind>,
}

impl Trouble {
    fn add(&mut self, piece: Piece, kind: FaultKind) {
        if !matches!(kind, FaultKind::NotInForce { .. }) {
            let is_known = |known: &FaultKind| std::mem::discriminant(known) == std::mem::discriminant(&kind);
            if !self.others.iter().any(is_known) {
                self.others.push(kind);
            }
            return;
        }
        match self.gaps.last_mut() {
            Some((_, end)) if *end == piece.from => *end = piece.to,
            _ => self.gaps.push((piece.from, piece.to)),
        }
    }
}

impl<'a> Pricer<'a, '_> {
    /// Makes a load the usage that is asked about.
    pub(super) fn take(&mut self, load: &Load) {
        self.asked.counts.clone_from(&load.counts);
        self.asked.of_calls = load.of_calls;
        self.asked.times = load.times;
        self.asked.input = load.input;
    }

    /// The panes of a load, in the order of their first pieces.
    ///
    /// # Errors
    /// Each stretch of time without a price, and the first of every other fault.
    pub(super) fn panes(&mut self, load: &Load, pieces: &[Piece]) -> Result<Vec<Pane<'a>>, Vec<Fault>> {
        self.take(load);
        let covered = self.contracts_cover_usage();
        let (mut panes, mut trouble): (Vec<Pane<'a>>, _) = (Vec::new(), Trouble::default());
        for piece in pieces {
            let card = match select(self.scope.view, self.asked.found, self.question(piece.from)) {
                Ok(card) => Some(card),
                Err(_) if covered => None,
                Err(kind) => {
                    trouble.add(*piece, kind);
                    continue;
                }
            };
            let modifiers = card.map_or_else(Vec::new, |card| self.modifiers_at(card, piece.from));
            match panes.iter_mut().find(|pane| pane.is_of(card, &modifiers)) {
                Some(pane) => pane.add(*piece),
                None => panes.push(Pane {
                    card,
                    modifiers,
                    weight: piece.weight,
                    first: piece.from,
                    end: piece.to,
                    months: vec![(piece.month, piece.weight)],
                }),
            }
        }
        let faults = self.told(trouble);
        if faults.is_empty() { Ok(panes) } else { Err(faults) }
    }

    fn modifiers_at(&self, card: CardView<'a>, at: Timestamp) -> Vec<i64> {
        let modifiers = self.scope.view.modifiers(self.asked.found);
        let applied = modifiers.filter(|modifier| modifier.in_force(at) && self.applies(*modifier, card));
        applied.map(|modifier| modifier.row.id).collect()
    }

    fn told(&self, Trouble { gaps, others }: Trouble) -> Vec<Fault> {
        let (view, found) = (self.scope.view, self.asked.found);
        let offering = || found.offering.id.to_string();
        let known = || known_spans(view, found);
        let gaps = gaps.into_iter().map(|(from, to)| {
            if from == to {
                FaultKind::NotInForce { offering: offering(), as_of: from, known: known() }
            } else {
                FaultKind::PriceGap { offering: offering(), from, to, known: known() }
            }
        });
        gaps.chain(others).flat_map(|kind| self.no_card(kind)).collect()
    }
}
