//! Changing a price's currency into the answer's.

use std::borrow::Cow;

use jiff::Timestamp;
use rust_decimal::{Decimal, prelude::ToPrimitive as _};

use super::{
    fault::FaultKind,
    quote::{Fx, Input, Origin, Ref, Reference, References, RowConditions, Warning, WarningCode},
};
use crate::catalog::{
    money::{Currency, Money, Overflow},
    snapshot::View,
    time::{start_of_day, utc_day},
};

/// A change of currency, looked up once.
#[derive(Debug, Clone, Copy)]
pub(super) struct Conversion {
    /// As it stands on a line.
    pub(super) shown: Fx,
    from_usd: Decimal,
    to_usd: Decimal,
    rows: [Option<i64>; 2],
}

impl Conversion {
    /// The reference rate of the day of an instant, or the last one before it.
    pub(super) fn find(
        view: View<'_>,
        from: Currency,
        to: Currency,
        at: Timestamp,
    ) -> Result<Self, FaultKind> {
        let rate_of = |currency: Currency| {
            view.usd_per_unit(currency, at).ok_or(FaultKind::NoFxRate { currency, as_of: at })
        };
        let (from_usd, to_usd) = (rate_of(from)?, rate_of(to)?);
        let one = Money::from(Decimal::ONE);
        let rate = one
            .convert(from_usd.rate, to_usd.rate)
            .map_err(|Overflow| FaultKind::out_of_range("the exchange rate has more than 76 digits"))?;
        let date = from_usd.day.min(to_usd.day);
        let age_days = utc_day(at).since(date).map_or(0, |age| age.get_days());
        Ok(Self {
            shown: Fx { from, to, rate: rate.into(), date, age_days },
            from_usd: from_usd.rate,
            to_usd: to_usd.rate,
            rows: [from_usd.row, to_usd.row],
        })
    }

    /// An amount in the answer's currency, rounded once, half to even, to 12 places.
    pub(super) fn convert(&self, amount: Money) -> Result<Money, Overflow> {
        amount.convert(self.from_usd, self.to_usd)
    }

    /// Units of the answer's currency for one of the price's, for what is modelled.
    pub(super) fn factor(&self) -> f64 {
        let number = |rate: Decimal| rate.to_f64().unwrap_or(f64::NAN);
        number(self.from_usd) / number(self.to_usd)
    }

    /// The rows it rests on.
    pub(super) fn refs<'a>(&self) -> impl Iterator<Item = Ref<'a>> + use<'a> {
        self.rows.into_iter().flatten().map(Ref::FxRate)
    }

    /// Notes the rows it rests on.
    pub(super) fn cite<'a>(&self, view: View<'a>, references: &mut References<'a>) {
        for row in self.rows.into_iter().flatten() {
            if let Some(reference) = reference(view, row) {
                references.add(Ref::FxRate(row), || reference);
            }
        }
    }

    /// As an input of a formula.
    pub(super) fn input<'a>(&self) -> Input<'a> {
        let Fx { from, to, rate, .. } = self.shown;
        Input {
            name: Cow::Borrowed("fx"),
            value: rate,
            low: None,
            high: None,
            unit: Cow::Owned(format!("{to} per {from}")),
            origin: Origin::Catalog,
            reference: self.refs().next(),
        }
    }

    /// What the asker should know of it.
    pub(super) fn warning(&self, pointer: String) -> Warning {
        let Fx { from, date, age_days, .. } = self.shown;
        let message = format!(
            "the price is in {from}; converted at the reference rate of {date}, {age_days} days before the day asked about"
        );
        Warning { code: WarningCode::FxConverted, message, pointer }
    }
}

fn reference(view: View<'_>, id: i64) -> Option<Reference<'_>> {
    let row = view.snapshot().fx_row(id)?;
    Some(Reference {
        source: row.row.source.as_deref(),
        observed_at: row.row.observed_at,
        effective_from: start_of_day(row.row.date),
        effective_to: None,
        conditions: RowConditions::Always {},
        value: None,
        note: None,
        revision: row.introduced.0,
    })
}
