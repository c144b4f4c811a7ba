//! Choosing the card, and the doubts about it.

use jiff::Timestamp;

use super::{
    Pricer, pointer,
    select::{Question, Unmet, select, unmet_context},
    split::split,
};
use crate::{
    catalog::{meter_table::MeterSet, rate_card::ContextKey, snapshot::CardView},
    estimate::{
        fault::{Fault, FaultKind},
        quote::WarningCode,
    },
};

impl<'a> Pricer<'a, '_> {
    /// Finds the rate card; none is needed where own contract prices cover all that is used.
    pub(super) fn choose_card(&mut self) -> Result<(), Vec<Fault>> {
        match select(self.scope.view, self.asked.found, self.question(self.at())) {
            Ok(card) => self.accept(card),
            Err(_) if self.contracts_cover_usage() => Ok(()),
            Err(kind) => Err(self.no_card(kind)),
        }
    }

    /// What decides between cards at an instant.
    pub(super) fn question(&self, at: Timestamp) -> Question<'_> {
        Question { at, currency: self.scope.currency, input: self.asked.input, context: &self.asked.context }
    }

    /// Takes a card, unless it leaves out something that the request says.
    pub(super) fn accept(&mut self, card: CardView<'a>) -> Result<(), Vec<Fault>> {
        let unmet = unmet_context(self.scope.view, self.asked.found, card, self.question(self.at()));
        self.settle_unmet(unmet)?;
        self.card = Some(card);
        self.doubt_the_card(card);
        Ok(())
    }

    pub(super) fn no_card(&self, kind: FaultKind) -> Vec<Fault> {
        let field = match kind {
            FaultKind::NotInForce { .. } | FaultKind::PriceGap { .. } => "/as_of",
            FaultKind::NoPriceWithout { .. } | FaultKind::AmbiguousPrice { .. } => "/context",
            _ => "/model",
        };
        self.fault(field, kind)
    }

    pub(super) fn contracts_cover_usage(&self) -> bool {
        let own: MeterSet = self.asked.contracts.iter().map(|contract| contract.meter).collect();
        let covered = split(&self.asked.counts, own, self.scope.view.meters);
        !own.is_empty() && covered.is_ok_and(|charges| charges.unpriced.is_empty())
    }

    /// What the request says and no price takes into account: a fault, or a warning where that is allowed.
    pub(super) fn settle_unmet(&mut self, unmet: Vec<Unmet>) -> Result<(), Vec<Fault>> {
        let mut faults = Vec::new();
        for Unmet { key, kind } in unmet {
            let only_reported = self.asked.reported_keys.contains(&key);
            let unknown = matches!(kind, FaultKind::UnknownContextKey { .. });
            let field = match (only_reported, self.said_as(key)) {
                (false, Some(word)) => pointer("/context", word),
                _ => "/usage_from".to_owned(),
            };
            if only_reported && unknown && key != ContextKey::ServiceTier {
                self.warn(
                    WarningCode::ContextIgnored,
                    &field,
                    format!("the response says `{}`, on which no price of this model depends", key.as_str()),
                );
            } else if self.item.allow_fallback {
                self.warn(
                    WarningCode::FallbackPrice,
                    &field,
                    format!("{kind}; the standard price stands in"),
                );
            } else {
                faults.push(Fault::new(format!("{}{field}", self.base), kind));
            }
        }
        if faults.is_empty() { Ok(()) } else { Err(faults) }
    }

    /// The word that the request uses for a context key.
    pub(super) fn said_as(&self, key: ContextKey) -> Option<&'a str> {
        self.item.context.iter().map(|(name, _)| name).find(|name| ContextKey::parse(name) == Some(key))
    }

    pub(super) fn doubt_the_card(&mut self, card: CardView<'a>) {
        let (view, found, at) = (self.scope.view, self.asked.found, self.at());
        if found.offering.deprecated {
            self.warn(
                WarningCode::ModelDeprecated,
                "/model",
                format!("`{}` is deprecated", found.offering.id),
            );
        }
        if self.asked.mean_input
            && view.cards(found).any(|card| card.row.row.conditions.has_threshold() && card.in_force(at))
        {
            self.warn(WarningCode::TierFromMean, "/usage_scope", "the price depends on one call's input, and the mean was taken; `input_tokens_per_call` says better".to_owned());
        }
        if self.asked.at.date_only && view.cards(found).any(|card| card.is_windowed() && card.in_force(at)) {
            self.warn(
                WarningCode::WindowedPrice,
                "/as_of",
                "the price depends on the hour, and only a date is given: midnight UTC was taken".to_owned(),
            );
        }
        if card.is_undated_at(at) {
            let seen = card.row.row.observed_at;
            let message = format!("nobody knows since when this price holds; it was seen on {seen}");
            self.warn(WarningCode::UndatedPrice, "/as_of", message);
        }
        if card.start_is_approximate(at) {
            self.warn(
                WarningCode::StartIsApproximate,
                "/as_of",
                "of the price in force only the day on which it began is known".to_owned(),
            );
        }
        self.doubt_the_calendar(at);
    }

    pub(super) fn doubt_the_calendar(&mut self, at: Timestamp) {
        let cards = self.scope.view.cards(self.asked.found).filter(|card| card.in_force(at));
        let uncovered = { cards }.find_map(|card| card.calendar_not_covering(at));
        if let Some(calendar) = uncovered {
            self.warn(
                WarningCode::CalendarNotCovering,
                "/as_of",
                format!(
                    "the price depends on holidays, and `{}` knows them only from {} to {}",
                    calendar.id, calendar.covers_from, calendar.covers_to
                ),
            );
        }
    }
}
