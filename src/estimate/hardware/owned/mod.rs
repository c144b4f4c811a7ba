//! What an accelerator costs its owner: purchase, power, place, upkeep, people and the money bound in it.
//!
//! Symbols, of one accelerator: `P` its price, `m` server factor, `f` share of the network in the whole, installed
//! cost `K = P m / (1 - f)`; `L` years, `r` cost of capital a year, `R` what is left at the end; `w` contracted kW,
//! `u` load factor, `c_e` price of a kWh, `c_c` rent of a contracted kW and month, `q` maintenance a year as a share
//! of `K`, `s` people a year. A year has 8760 hours.
//!
//! - Energy, colocation, maintenance a year: `E = w u PUE 8760 c_e`, `C = 12 w c_c`, `M = q K`; `O = E + C + M + s`.
//! - Straight line: `D = (K - R) / L`. Annuity: `A = (K - R (1+r)^-L) r / (1 - (1+r)^-L)`, `R = rho K`.
//! - Economic: what newer machines leave of its worth, `R = K 10^(-g L)` with `g` decades a year (Epoch AI, "The
//!   rising costs of training frontier AI models", arXiv:2405.21015: `g = 0.14`); loss `(K - R) / L`.
//! - Price of a used hour: `(A + O) / (8760 U)`, `U` used hours over all.
//!
//! All lines are of the whole life, so that they add up: `capital = L A - (K - R)`, and residual `-R`.

mod gather;
pub(crate) mod payback;
mod purchase;
#[cfg(test)]
mod tests;

use self::gather::Gathering;
use super::{
    part::Part,
    request::{Amortization, Owned},
};
use crate::{
    catalog::money::Currency,
    estimate::{
        desk::{Desk, Sourced},
        figure::Price,
        uncertain::Uncertain,
    },
};

/// Hours of a year.
pub(crate) const HOURS_PER_YEAR: f64 = 8_760.0;

/// What one accelerator costs its owner over its life: money of one currency.
#[derive(Debug, Clone)]
pub(crate) struct Owning<'a> {
    pub(crate) currency: Currency,
    /// What one accelerator costs, as `terms.price_each` to the digit.
    pub(crate) price: Price,
    #[cfg_attr(not(test), expect(dead_code, reason = "only tests look at it"))]
    pub(crate) amortization: Amortization,
    pub(crate) terms: Terms<'a>,
    /// What each sort of cost comes to, in order.
    pub(crate) lines: Vec<OwningLine<'a>>,
    /// The sum of the lines.
    pub(crate) total: Uncertain,
    /// `total / (8760 * years * utilization)`.
    pub(crate) price_per_used_gpu_hour: Uncertain,
}

impl Owning<'_> {
    /// What was bought, servers and network with it: `K`.
    pub(crate) fn installed(&self) -> Uncertain {
        self.terms.installed()
    }

    /// Power, place, upkeep and people of a year: `O`.
    pub(crate) fn operating_per_year(&self) -> Uncertain {
        let running = self.lines.iter().filter(|line| RUNNING.contains(&line.code));
        &Uncertain::sum(running.map(|line| &line.amount)) / &self.terms.years.value
    }

    /// Everything, spread evenly over the years: `A + O`, or `D + O`.
    pub(crate) fn cost_per_year(&self) -> Uncertain {
        &self.total / &self.terms.years.value
    }
}

/// Codes of what is paid while the machines run.
const RUNNING: [&str; 4] = ["energy", "colocation", "maintenance", "staff"];

/// One sort of cost of one accelerator over its life.
#[derive(Debug, Clone)]
pub(crate) struct OwningLine<'a> {
    /// `hardware.chips`.
    pub(crate) code: &'static str,
    pub(crate) charge: Charge,
    /// What the charge comes to.
    pub(crate) amount: Uncertain,
    /// Of the amount.
    pub(crate) formula: &'static str,
    /// The figures of the formula, by name.
    pub(crate) inputs: Vec<(&'static str, Sourced<'a>)>,
}

impl<'a> OwningLine<'a> {
    fn of(
        code: &'static str,
        charge: Charge,
        formula: &'static str,
        inputs: &[(&'static str, &Sourced<'a>)],
    ) -> Self {
        let inputs = inputs.iter().map(|(name, input)| (*name, (*input).clone())).collect();
        let amount = &charge.quantity * &charge.unit_price;
        Self { code, charge, amount, formula, inputs }
    }
}

/// So much of something at such a price for one.
#[derive(Debug, Clone)]
pub(crate) struct Charge {
    pub(crate) quantity: Uncertain,
    pub(crate) unit: &'static str,
    pub(crate) unit_price: Uncertain,
}

impl Charge {
    /// Once for the accelerator.
    fn once(unit_price: Uncertain) -> Self {
        Self { quantity: Uncertain::exact(1.0), unit: "gpu", unit_price }
    }
}

/// The figures of the formulas.
#[derive(Debug, Clone)]
pub(crate) struct Terms<'a> {
    pub(crate) price_each: Sourced<'a>,
    pub(crate) server_factor: Sourced<'a>,
    pub(crate) network_share: Sourced<'a>,
    pub(crate) years: Sourced<'a>,
    pub(crate) utilization: Sourced<'a>,
    pub(crate) contracted_kw: Sourced<'a>,
    pub(crate) load_factor: Sourced<'a>,
    pub(crate) pue: Sourced<'a>,
    pub(crate) price_per_kwh: Sourced<'a>,
    pub(crate) colocation_per_kw_month: Sourced<'a>,
    pub(crate) maintenance_fraction: Sourced<'a>,
    pub(crate) staff_per_year: Sourced<'a>,
    pub(crate) cost_of_capital: Sourced<'a>,
    /// Or, for `economic`, decades a year by which newer machines are better.
    pub(crate) residual: Sourced<'a>,
}

/// What a request says about owning.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a, 'f> {
    pub(crate) owned: &'f Owned,
    /// Where that stands in the item: `/hardware/owned`.
    pub(crate) field: &'f str,
    /// Where the price and its currency stand: there, too, or with the hardware.
    pub(crate) price_field: &'f str,
    pub(crate) count: Option<u64>,
    /// Region of the electricity, where `power` names none, and where it stands.
    pub(crate) energy_region: Option<&'a str>,
}

/// What owning costs; none, and faults, where a figure makes no sense or is not known.
pub(crate) fn owning<'a>(
    desk: &mut Desk<'a, '_>,
    asked: Asked<'a, '_>,
    part: &Part<'a>,
) -> Option<Owning<'a>> {
    let before = desk.faults.len();
    let gathered = Gathering::new(desk, asked).all(part);
    let (price, currency, terms) = gathered.filter(|_| desk.faults.len() == before)?;
    let amortization = asked.owned.amortization.unwrap_or_default();
    let lines = terms.lines(amortization);
    let total = Uncertain::sum(lines.iter().map(|line| &line.amount));
    let used_hours = (&terms.years.value * &terms.utilization.value).times(HOURS_PER_YEAR);
    let price_per_used_gpu_hour = &total / &used_hours;
    Some(Owning { currency, price, amortization, terms, lines, total, price_per_used_gpu_hour })
}

/// Finds fault with what is said of owning a part that nobody knows.
pub(crate) fn check<'a>(desk: &mut Desk<'a, '_>, asked: Asked<'a, '_>) {
    Gathering::new(desk, asked).check();
}

impl<'a> Terms<'a> {
    /// `K = P m / (1 - f)`.
    fn installed(&self) -> Uncertain {
        let servers = &self.price_each.value * &self.server_factor.value;
        servers.with(&self.network_share.value, |servers, share| servers / (1.0 - share))
    }

    /// What is left of the purchase at the end.
    fn left(&self, installed: &Uncertain, amortization: Amortization) -> Uncertain {
        let share = match amortization {
            Amortization::StraightLine | Amortization::Annuity => self.residual.value.clone(),
            Amortization::Economic => {
                self.residual.value.with(&self.years.value, |decades, years| 10_f64.powf(-decades * years))
            }
        };
        installed * &share
    }

    /// `L A - (K - R)`: what the money costs that is bound in the machines.
    fn capital(&self, installed: &Uncertain, left: &Uncertain) -> Uncertain {
        let (rate, years) = (&self.cost_of_capital.value, &self.years.value);
        let on_all = rate.with(years, |rate, years| payments(rate, years) - 1.0);
        let off_left = rate.with(years, |rate, years| payments(rate, years) * discount(rate, years) - 1.0);
        &(installed * &on_all) - &(left * &off_left)
    }

    /// What each sort of cost comes to over the life, in order.
    fn lines(&self, amortization: Amortization) -> Vec<OwningLine<'a>> {
        let installed = self.installed();
        let left = self.left(&installed, amortization);
        let unit = self.price_each.unit.clone();
        let bought = Sourced { unit, ..Sourced::derived(installed.clone(), "") };
        let (installed_input, residual) = (("installed", &bought), self.residual_input(amortization));
        let mut lines = Vec::from(self.bought(&installed));
        lines.extend(self.running(&bought));
        if amortization == Amortization::Annuity {
            let inputs = [installed_input, self.life(), ("cost_of_capital", &self.cost_of_capital), residual];
            let capital = Charge::once(self.capital(&installed, &left));
            lines.push(OwningLine::of("capital", capital, CAPITAL, &inputs));
        }
        let inputs = [installed_input, residual, self.life()];
        let (formula, inputs) = match amortization {
            Amortization::Economic => (WORTH, &inputs[..]),
            Amortization::StraightLine | Amortization::Annuity => (RESIDUAL, &inputs[..2]),
        };
        lines.push(OwningLine::of("residual", Charge::once(left.times(-1.0)), formula, inputs));
        lines
    }

    fn bought(&self, installed: &Uncertain) -> [OwningLine<'a>; 3] {
        let price = &self.price_each.value;
        let servers = price * &self.server_factor.value;
        let inputs = [
            ("price_each", &self.price_each),
            ("server_factor", &self.server_factor),
            ("network_share", &self.network_share),
        ];
        [
            OwningLine::of("hardware.chips", Charge::once(price.clone()), "price_each", &inputs[..1]),
            OwningLine::of("hardware.servers", Charge::once(&servers - price), SERVERS, &inputs[..2]),
            OwningLine::of("hardware.network", Charge::once(installed - &servers), NETWORK, &inputs),
        ]
    }

    fn running(&self, installed: &Sourced<'a>) -> [OwningLine<'a>; 4] {
        let years = &self.years.value;
        let power = &self.contracted_kw.value * years;
        let drawn = &(&power * &self.load_factor.value) * &self.pue.value;
        let energy = charge(drawn.times(HOURS_PER_YEAR), "kWh", &self.price_per_kwh.value);
        let rent = charge(power.times(12.0), "kW_month", &self.colocation_per_kw_month.value);
        let each_year = |price: &Uncertain| charge(years.clone(), "gpu_year", price);
        let upkeep = each_year(&(&installed.value * &self.maintenance_fraction.value));
        let (kw, life) = (("contracted_kw", &self.contracted_kw), self.life());
        [
            OwningLine::of(
                "energy",
                energy,
                "contracted_kw * load_factor * pue * 8760 * years * price_per_kwh",
                &[
                    kw,
                    ("load_factor", &self.load_factor),
                    ("pue", &self.pue),
                    life,
                    ("price_per_kwh", &self.price_per_kwh),
                ],
            ),
            OwningLine::of(
                "colocation",
                rent,
                "contracted_kw * 12 * years * colocation_per_kw_month",
                &[kw, life, ("colocation_per_kw_month", &self.colocation_per_kw_month)],
            ),
            OwningLine::of(
                "maintenance",
                upkeep,
                "installed * maintenance_fraction * years",
                &[("installed", installed), ("maintenance_fraction", &self.maintenance_fraction), life],
            ),
            OwningLine::of(
                "staff",
                each_year(&self.staff_per_year.value),
                "staff_per_gpu_year * years",
                &[("staff_per_gpu_year", &self.staff_per_year), life],
            ),
        ]
    }

    fn life(&self) -> (&'static str, &Sourced<'a>) {
        ("years", &self.years)
    }

    fn residual_input(&self, amortization: Amortization) -> (&'static str, &Sourced<'a>) {
        let name = match amortization {
            Amortization::Economic => "decades_per_year",
            Amortization::StraightLine | Amortization::Annuity => "residual_fraction",
        };
        (name, &self.residual)
    }
}

const SERVERS: &str = "price_each * (server_factor - 1)";
const NETWORK: &str = "price_each * server_factor * network_share / (1 - network_share)";
const CAPITAL: &str = "installed * (years * (1 - residual_fraction * (1 + cost_of_capital)^-years) \
                       * cost_of_capital / (1 - (1 + cost_of_capital)^-years) - (1 - residual_fraction))";
const WORTH: &str = "-installed * 10^(-decades_per_year * years)";
const RESIDUAL: &str = "-installed * residual_fraction";

fn charge(quantity: Uncertain, unit: &'static str, unit_price: &Uncertain) -> Charge {
    Charge { quantity, unit, unit_price: unit_price.clone() }
}

/// All payments for one unit of money over some years: `L r / (1 - (1+r)^-L)`; 1 without interest.
fn payments(rate: f64, years: f64) -> f64 {
    if rate < 1e-9 {
        return 1.0;
    }
    years * rate / -(-years * rate.ln_1p()).exp_m1()
}

/// What one unit of money after some years is worth today: `(1+r)^-L`.
fn discount(rate: f64, years: f64) -> f64 {
    (-years * rate.ln_1p()).exp()
}
