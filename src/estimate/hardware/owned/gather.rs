//! The figures of owning, each from the request, the catalog, or a default of the arithmetic.

use std::borrow::Cow;

use super::{
    Asked, Terms,
    purchase::{self, Purchase},
};
use crate::{
    catalog::money::Currency,
    estimate::{
        desk::{Desk, Sourced},
        fault::FaultKind,
        figure::{Figure, Price},
        hardware::{
            energy,
            part::Part,
            request::{Amortization, Staff},
        },
        object::Object,
        quote::Origin,
        uncertain::{Range, Uncertain},
    },
};

/// Reads the figures, each from the request or its default.
pub(super) struct Gathering<'d, 'a, 'r, 'f> {
    desk: &'d mut Desk<'a, 'r>,
    asked: Asked<'a, 'f>,
    currency: Currency,
}

impl<'d, 'a, 'r, 'f> Gathering<'d, 'a, 'r, 'f> {
    pub(super) fn new(desk: &'d mut Desk<'a, 'r>, asked: Asked<'a, 'f>) -> Self {
        let field = format!("{}/currency", asked.price_field);
        let currency = desk.currency(&field, asked.owned.currency.as_deref());
        Self { desk, asked, currency }
    }

    /// Looks at what is given, and at nothing that is not.
    pub(super) fn check(mut self) {
        let owned = self.asked.owned;
        let pue = owned.power.as_ref().and_then(|power| power.pue);
        for (name, given) in [
            ("years", owned.years),
            ("utilization", owned.utilization),
            ("server_factor", owned.server_factor),
            ("network_share", owned.network_share),
            ("contracted_kw_per_gpu", owned.contracted_kw_per_gpu),
            ("load_factor", owned.load_factor),
            ("power/pue", pue),
            ("maintenance_fraction", owned.maintenance_fraction),
            ("cost_of_capital", owned.cost_of_capital),
            ("residual_fraction", owned.residual_fraction),
        ] {
            given.map(|figure| self.given(name, figure, ""));
        }
        if owned.power.as_ref().is_some_and(|power| power.region.is_some()) {
            self.price_per_kwh();
        }
    }

    pub(super) fn all(mut self, part: &Part<'a>) -> Option<(Price, Currency, Terms<'a>)> {
        let owned = self.asked.owned;
        let purchase = self.purchase(part);
        let server_share = purchase.as_ref().is_some_and(|purchase| purchase.is_server_share);
        let server_factor = self.server_factor(part, server_share, purchase.as_ref());
        let network_share =
            self.figure("network_share", owned.network_share, "ratio", "ownership.network_share");
        let years = self.figure("years", owned.years, "year", "ownership.life_years");
        let utilization = self.figure("utilization", owned.utilization, "ratio", "ownership.utilization");
        let contracted_kw = self.contracted_kw(part);
        let load_factor = self.load_factor(part);
        let pue =
            self.figure("power/pue", owned.power.as_ref().and_then(|it| it.pue), "ratio", "energy.pue.other");
        let price_per_kwh = self.price_per_kwh();
        let colocation = self.money_or(
            "colocation_per_kw_month",
            owned.colocation_per_kw_month,
            "ownership.colocation_per_kw_month",
        );
        let maintenance = self.figure(
            "maintenance_fraction",
            owned.maintenance_fraction,
            "1/year",
            "ownership.maintenance_fraction",
        );
        let cost_of_capital =
            self.figure("cost_of_capital", owned.cost_of_capital, "1/year", "ownership.cost_of_capital");
        let residual = self.residual();
        let staff = self.staff(years.as_ref());
        let purchase = purchase?;
        let terms = Terms {
            price_each: purchase.price_each,
            server_factor: server_factor?,
            network_share: within(network_share?, 0.0, MOST_NETWORK),
            years: years?,
            utilization: within(utilization?, 0.0, 1.0),
            contracted_kw: contracted_kw?,
            load_factor: within(load_factor?, 0.0, 1.0),
            pue: within(pue?, 1.0, f64::INFINITY),
            price_per_kwh: price_per_kwh?,
            colocation_per_kw_month: colocation?,
            maintenance_fraction: maintenance?,
            staff_per_year: staff?,
            cost_of_capital: cost_of_capital?,
            residual: residual?,
        };
        Some((purchase.price, self.currency, terms))
    }

    fn place(&self, name: &str) -> String {
        format!("{}/{name}", self.asked.field)
    }

    /// A figure of the request within its bounds, or else a default.
    fn figure(
        &mut self,
        name: &str,
        given: Option<Figure>,
        unit: &'static str,
        id: &str,
    ) -> Option<Sourced<'a>> {
        match given {
            Some(figure) => self.given(name, figure, unit),
            None => self.desk.assumption(id),
        }
    }

    fn given(&mut self, name: &str, figure: Figure, unit: &'static str) -> Option<Sourced<'a>> {
        let (field, Figure(range)) = (self.place(name), figure);
        let bound = Bound::of(name).filter(|bound| !bound.holds(range.low(), range.high()));
        if let Some(Bound { words, .. }) = bound {
            let detail = format!("must be {words}, got {}", shown(range));
            self.desk.fault(&field, FaultKind::OutOfRange { detail });
            return None;
        }
        Some(self.desk.given(&field, figure, unit))
    }

    fn load_factor(&mut self, part: &Part<'a>) -> Option<Sourced<'a>> {
        match self.asked.owned.load_factor {
            Some(figure) => self.given("load_factor", figure, "ratio"),
            None => energy::load_factor(self.desk, part),
        }
    }

    fn residual(&mut self) -> Option<Sourced<'a>> {
        let owned = self.asked.owned;
        if owned.amortization == Some(Amortization::Economic) {
            return self.desk.assumption("ownership.price_performance_decades_per_year");
        }
        let residual =
            self.figure("residual_fraction", owned.residual_fraction, "ratio", "ownership.residual_fraction");
        residual.map(|residual| within(residual, 0.0, 1.0))
    }

    fn purchase(&mut self, part: &Part<'a>) -> Option<Purchase<'a>> {
        if let Some(price) = self.asked.owned.price_each {
            let field = format!("{}/price_each", self.asked.price_field);
            let price_each = self.money_at(&field, price);
            return Some(Purchase { price, price_each, is_server_share: false });
        }
        purchase::find(self.desk, &format!("{}/price_each", self.asked.price_field), part, self.currency)
    }

    fn server_factor(
        &mut self,
        part: &Part<'a>,
        server_share: bool,
        purchase: Option<&Purchase<'a>>,
    ) -> Option<Sourced<'a>> {
        if let Some(figure) = self.asked.owned.server_factor {
            if server_share && (figure.0.low(), figure.0.high()) != (1.0, 1.0) {
                let detail = format!(
                    "the catalog's price of `{}` is a share of a whole server, which would be paid twice: give \
                     `price_each` with `server_factor`",
                    part.name
                );
                let field = self.place("server_factor");
                self.desk.fault(&field, FaultKind::Contradiction { detail });
                return None;
            }
            return self.given("server_factor", figure, "ratio");
        }
        if server_share {
            // The price is a share of a whole server already.
            let (origin, reference) = (Origin::Catalog, purchase.and_then(|it| it.price_each.reference));
            return Some(Sourced {
                value: Uncertain::exact(1.0),
                unit: Cow::Borrowed("ratio"),
                origin,
                reference,
            });
        }
        energy::of_family(self.desk, part, "ownership.server_factor")
    }

    /// Contracted power: the request's, what is known of the part's server, or its design power times that of a
    /// server around it.
    fn contracted_kw(&mut self, part: &Part<'a>) -> Option<Sourced<'a>> {
        if let Some(figure) = self.asked.owned.contracted_kw_per_gpu {
            return self.given("contracted_kw_per_gpu", figure, "kW");
        }
        if let Some(family) = part.family().filter(|_| !part.is_pcie()) {
            let id = format!("ownership.contracted_kw_per_gpu.{family}");
            if self.desk.view().assumption(&id, self.desk.instant()).is_some() {
                return self.desk.assumption(&id);
            }
        }
        if let (Some(server), Some(gpus)) = (part.server_max_power_kw, part.gpus_per_server) {
            return Some(part.figure(server / f64::from(gpus.max(1)), "kW"));
        }
        let Some(tdp_w) = part.tdp_w else {
            let name = "contracted_kw_per_gpu".to_owned();
            self.desk.fault(self.asked.field, FaultKind::MissingField { name });
            return None;
        };
        let factor = energy::server_power_factor(self.desk, part)?;
        Some(Sourced {
            value: factor.value.times(tdp_w / 1000.0),
            unit: Cow::Borrowed("kW"),
            origin: Origin::Derived,
            reference: factor.reference,
        })
    }

    fn price_per_kwh(&mut self) -> Option<Sourced<'a>> {
        let power = self.asked.owned.power.as_ref();
        if let Some(price) = power.and_then(|power| power.price_per_kwh) {
            return Some(self.given_money("power/price_per_kwh", price));
        }
        let before = self.desk.faults.len();
        let row = match power.and_then(|power| power.region.as_deref()) {
            Some(region) => {
                let field = self.place("power/region");
                energy::grid(self.desk, &field, Some(region))
            }
            None => energy::grid(self.desk, "/hardware/energy_region", self.asked.energy_region),
        };
        let Some(row) = row else {
            if self.desk.faults.len() == before {
                let field = self.place("power");
                self.desk.fault(&field, FaultKind::MissingField { name: "price_per_kwh".to_owned() });
            }
            return None;
        };
        let rate = purchase::rate(self.desk, row.row.currency, self.currency)?;
        let price = Price::exact(row.row.price_per_kwh).range().mid() * rate;
        Some(Sourced {
            unit: Cow::Owned(self.currency.to_string()),
            ..Sourced::listed(price, "", energy::reference(row))
        })
    }

    /// Money of the request in its own currency, drawn by its place.
    fn given_money(&mut self, name: &str, price: Price) -> Sourced<'a> {
        let field = self.place(name);
        self.money_at(&field, price)
    }

    fn money_at(&mut self, field: &str, price: Price) -> Sourced<'a> {
        let place = self.desk.place(field);
        let drawn = self.desk.sampler.draw(&place, price.range());
        self.money(drawn, Origin::Request)
    }

    fn money(&self, value: Uncertain, origin: Origin) -> Sourced<'a> {
        Sourced { value, unit: Cow::Owned(self.currency.to_string()), origin, reference: None }
    }

    /// Money of the request, or else a default in dollars.
    fn money_or(&mut self, name: &str, given: Option<Price>, id: &str) -> Option<Sourced<'a>> {
        match given {
            Some(price) => Some(self.given_money(name, price)),
            None => self.dollars(id),
        }
    }

    fn dollars(&mut self, id: &str) -> Option<Sourced<'a>> {
        let assumed = self.desk.assumption(id)?;
        let rate = purchase::rate(self.desk, Currency::USD, self.currency)?;
        let unit = Cow::Owned(self.currency.to_string());
        Some(Sourced { value: assumed.value.times(rate), unit, ..assumed })
    }

    /// People for one accelerator and a year: those of the request over all accelerators and years, or a default.
    fn staff(&mut self, years: Option<&Sourced<'a>>) -> Option<Sourced<'a>> {
        let Some(people) = self.asked.owned.staff.as_deref() else {
            return self.dollars("ownership.staff_per_gpu_year");
        };
        if people.is_empty() {
            return Some(self.money(Uncertain::exact(0.0), Origin::Request));
        }
        let Some(count) = self.asked.count.filter(|count| *count > 0) else {
            self.desk.fault("/hardware", FaultKind::MissingField { name: "count".to_owned() });
            return None;
        };
        let mut sum = Uncertain::exact(0.0);
        for (at, Object(staff)) in people.iter().enumerate() {
            sum = &sum + &self.team(at, staff, &years?.value)?;
        }
        #[expect(clippy::cast_precision_loss, reason = "counts of machines lie far below 2^53")]
        let each = sum.times(1.0 / count as f64);
        Some(self.money(each, Origin::Request))
    }

    /// What some people cost a year, spread over the life.
    fn team(&mut self, at: usize, staff: &Staff, years: &Uncertain) -> Option<Uncertain> {
        let field = self.place(&format!("staff/{at}"));
        let currency = self.desk.currency(&format!("{field}/currency"), staff.currency.as_deref());
        let rate = purchase::rate(self.desk, currency, self.currency)?;
        let people = self.desk.given(&format!("{field}/people"), staff.people, "person").value;
        let place = self.desk.place(&format!("{field}/monthly_cost"));
        let monthly = self.desk.sampler.draw(&place, staff.monthly_cost.range()).times(rate);
        let months_a_year = match staff.months {
            Some(months) => &self.desk.given(&format!("{field}/months"), months, "month").value / years,
            None => Uncertain::exact(12.0),
        };
        Some(&(&people * &monthly) * &months_a_year)
    }
}

/// Worlds in which the tail of a figure passes a bound that it cannot pass stay at the bound.
fn within(figure: Sourced<'_>, least: f64, most: f64) -> Sourced<'_> {
    Sourced { value: figure.value.map(|value| value.clamp(least, most)), ..figure }
}

fn shown(range: Range) -> String {
    let (low, high) = (range.low(), range.high());
    if range.is_exact() { low.to_string() } else { format!("{low} to {high}") }
}

/// The largest share of a purchase that a network may have: all of it would leave nothing to connect.
const MOST_NETWORK: f64 = 0.99;

/// Where a figure of a request may lie.
struct Bound {
    least: f64,
    least_is_in: bool,
    most: f64,
    words: &'static str,
}

impl Bound {
    fn of(name: &str) -> Option<Self> {
        let (least, least_is_in, most, words) = match name {
            "years" => (0.0, false, 100.0, "above 0 and at most 100"),
            "utilization" => (0.0, false, 1.0, "above 0 and at most 1"),
            "server_factor" => (1.0, true, 100.0, "from 1 to 100"),
            "network_share" => (0.0, true, MOST_NETWORK, "from 0 to 0.99"),
            "load_factor" | "residual_fraction" => (0.0, true, 1.0, "from 0 to 1"),
            "contracted_kw_per_gpu" => (0.0, true, 1e6, "at most 1e6"),
            "power/pue" => (1.0, true, 10.0, "from 1 to 10"),
            "maintenance_fraction" | "cost_of_capital" => (0.0, true, 10.0, "from 0 to 10"),
            _ => return None,
        };
        Some(Self { least, least_is_in, most, words })
    }

    fn holds(&self, low: f64, high: f64) -> bool {
        (low > self.least || self.least_is_in && low >= self.least) && high <= self.most
    }
}
