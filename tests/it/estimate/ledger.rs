//! A second opinion on every quote: lines multiply out, sums add up, references lead somewhere.
//!
//! It works on the printed texts with 256-bit integers, and shares no code with the engine.

use std::collections::BTreeSet;

use ethnum::I256;
use serde_json::Value;

/// A decimal as it is printed: `mantissa / 10^scale`.
#[derive(Debug, Clone, Copy)]
pub struct Printed {
    mantissa: I256,
    scale: u32,
}

impl Printed {
    /// Reads one; panics on any other spelling than Farthing's own.
    pub fn read(text: &str) -> Self {
        let digits = text.strip_prefix('-').unwrap_or(text);
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        assert!(whole == "0" || !whole.starts_with('0'), "`{text}` has needless zeros");
        assert!(!whole.is_empty() && !digits.ends_with('.'), "`{text}` is cut off");
        let mantissa: I256 = format!("{whole}{fraction}").parse().unwrap_or_else(|_| panic!("`{text}`"));
        assert!(text != "-0" && !(text.starts_with('-') && mantissa == 0), "`{text}` is a negative zero");
        let mantissa = if text.starts_with('-') { -mantissa } else { mantissa };
        Self { mantissa, scale: u32::try_from(fraction.len()).unwrap() }
    }

    /// The mantissa at a larger scale.
    fn at(self, scale: u32) -> I256 {
        self.mantissa * ten_to(scale - self.scale)
    }

    pub fn plus(self, other: Self) -> Self {
        let scale = self.scale.max(other.scale);
        Self { mantissa: self.at(scale) + other.at(scale), scale }
    }

    pub fn times(self, other: Self) -> Self {
        Self { mantissa: self.mantissa * other.mantissa, scale: self.scale + other.scale }
    }

    pub fn is(self, other: Self) -> bool {
        let scale = self.scale.max(other.scale);
        self.at(scale) == other.at(scale)
    }

    pub fn is_at_least(self, other: Self) -> bool {
        let scale = self.scale.max(other.scale);
        self.at(scale) >= other.at(scale)
    }

    /// Whether two differ by no more than a tolerance.
    pub fn is_within(self, other: Self, tolerance: Self) -> bool {
        let difference = self.plus(Self { mantissa: -other.mantissa, ..other });
        tolerance.is_at_least(difference.abs())
    }

    pub fn abs(self) -> Self {
        Self { mantissa: self.mantissa.abs(), ..self }
    }
}

fn ten_to(exponent: u32) -> I256 {
    I256::new(10).pow(exponent)
}

fn field(object: &Value, name: &str) -> Printed {
    Printed::read(object[name].as_str().unwrap_or_else(|| panic!("{name} in {object}")))
}

/// The sum of amounts.
pub fn sum<'v>(totals: impl Iterator<Item = &'v Value>) -> Printed {
    totals.fold(Printed::read("0"), |sum, total| sum.plus(field(total, "amount")))
}

/// Panics unless a quote adds up in itself.
pub fn audit(quote: &Value) {
    let Some(items) = quote["items"].as_array() else {
        return; // only totals were asked for
    };
    for item in items {
        let lines = item["lines"].as_array().unwrap();
        let rounded = item["warnings"].as_array().unwrap().iter().any(|warning| warning["code"] == "rounded");
        for line in lines {
            check_line(line, rounded);
        }
        let total = field(&item["total"], "amount");
        assert!(sum(lines.iter()).is(total), "the lines do not add up to the item: {item:#}");
        let codes: BTreeSet<&str> = lines.iter().map(|line| line["code"].as_str().unwrap()).collect();
        assert_eq!(codes.len(), lines.len(), "a code comes twice: {item:#}");
        if let Some(months) = item["by_month"].as_array() {
            let months = sum(months.iter().map(|month| &month["total"]));
            assert!(months.is(total), "the months do not add up to the item: {item:#}");
        }
        lines.iter().chain([&item["total"]]).for_each(check_range);
    }
    let total = field(&quote["total"], "amount");
    assert!(sum(items.iter().map(|item| &item["total"])).is(total), "the items do not add up: {quote:#}");
    check_range(&quote["total"]);
    check_bounds(quote, items);
    if let Some(groups) = quote["groups"].as_object() {
        assert!(sum(groups.values()).is(total), "the groups do not add up: {quote:#}");
    }
    check_references(quote, items);
}

/// An amount lies in its range.
fn check_range(total: &Value) {
    let end = |name: &str| total[name].is_string().then(|| field(total, name));
    let amount = field(total, "amount");
    assert!(end("low").is_none_or(|low| amount.is_at_least(low)), "{total:#}");
    assert!(end("high").is_none_or(|high| high.is_at_least(amount)), "{total:#}");
}

/// The whole has a bound where every item has one, and it is their sum.
fn check_bounds(quote: &Value, items: &[Value]) {
    let all = items.iter().all(|item| item["upper_bound"].is_string());
    assert_eq!(quote["upper_bound"].is_string(), all, "{quote:#}");
    if all {
        let bounds = items.iter().fold(Printed::read("0"), |sum, item| sum.plus(field(item, "upper_bound")));
        assert!(bounds.is(field(quote, "upper_bound")), "the bounds do not add up: {quote:#}");
    }
}

/// `amount = quantity * unit_price / per`, times `fx.rate` where there is one.
fn check_line(line: &Value, rounded: bool) {
    let (amount, per) = (field(line, "amount"), field(line, "per"));
    let exact = field(line, "quantity").times(field(line, "unit_price"));
    let (charged, precise) = match line["fx"].as_object() {
        None => (amount.times(per), !rounded),
        Some(fx) => {
            let rate = Printed::read(fx["rate"].as_str().unwrap());
            // The rate is printed to 12 places, and the amount rounded to as many.
            let tolerance = exact.abs().plus(per).times(Printed { mantissa: I256::ONE, scale: 12 });
            assert!(amount.times(per).is_within(exact.times(rate), tolerance), "{line:#}");
            check_basis(line);
            return;
        }
    };
    let agrees = if precise {
        charged.is(exact)
    } else {
        charged.is_within(exact, exact.abs().times(Printed { mantissa: I256::ONE, scale: 27 }))
    };
    assert!(agrees, "the line does not multiply out: {line:#}");
    check_basis(line);
}

/// The inputs of a line of a meter lead to its figures.
fn check_basis(line: &Value) {
    let Some(inputs) = line["basis"]["inputs"].as_array() else {
        return;
    };
    let input = |name: &str| {
        let found = inputs.iter().find(|input| input["name"] == name);
        found.map(|input| field(input, "value"))
    };
    if let (Some(quantity), Some(rate), Some(per)) = (input("quantity"), input("rate"), input("per")) {
        assert!(quantity.is(field(line, "quantity")), "{line:#}");
        assert!(rate.is(field(line, "unit_price")) && per.is(field(line, "per")), "{line:#}");
        check_counts(line, inputs);
    } else {
        let factors = ["list_amount", "total_so_far"].into_iter().find_map(input);
        assert!(factors.is_some_and(|base| base.is(field(line, "unit_price"))), "{line:#}");
    }
    let rootless = inputs.iter().find(|input| input["origin"] == "catalog" && !input["ref"].is_string());
    assert!(rootless.is_none(), "a figure of the catalog without its row: {line:#}");
}

/// What was used less what is charged elsewhere is what is charged here; times the calls and the share of the period,
/// it is the quantity, unless the vendor charges for more.
fn check_counts(line: &Value, inputs: &[Value]) {
    let value = |input: &Value| field(input, "value");
    let named = |input: &&Value, start: &str| input["name"].as_str().unwrap().starts_with(start);
    let used = value(&inputs[0]);
    let elsewhere = inputs.iter().filter(|input| named(input, "charged_as_"));
    let elsewhere = elsewhere.fold(Printed::read("0"), |sum, input| sum.plus(value(input)));
    let here = inputs.iter().find(|input| {
        ["charged_per_call", "charged_per_conversation", "charged_over_all_calls"]
            .contains(&input["name"].as_str().unwrap())
    });
    let here = here.unwrap_or_else(|| panic!("{line:#}"));
    assert!(elsewhere.plus(value(here)).is(used), "{line:#}");
    let calls = value(inputs.iter().find(|input| input["name"] == "calls").unwrap());
    let is_sum = here["name"] == "charged_over_all_calls";
    let charged = if is_sum { value(here) } else { value(here).times(calls) };
    let quantity = field(line, "quantity");
    let has_minimum = line["unit"] == "second";
    let part =
        inputs.iter().find(|input| named(input, "milliseconds") || named(input, "weighted_milliseconds"));
    if let Some(part) = part {
        let whole = |input: &&Value| input["name"].as_str().unwrap().ends_with("period_milliseconds");
        let whole = value(inputs.iter().find(whole).unwrap());
        assert!(whole.is_at_least(value(part)), "{line:#}");
        // Sums are rounded to 9 places, and a quantity is the difference of two.
        let tolerance = whole.times(Printed { mantissa: I256::ONE, scale: 9 });
        let exact = charged.times(value(part));
        assert!(has_minimum || quantity.times(whole).is_within(exact, tolerance), "{line:#}");
        return;
    }
    assert!(quantity.is(charged) || has_minimum && quantity.is_at_least(charged), "{line:#}");
}

/// Every reference is named by some line, and every line's name leads to one.
fn check_references(quote: &Value, items: &[Value]) {
    let lines = items.iter().flat_map(|item| item["lines"].as_array().unwrap());
    let named: BTreeSet<&str> =
        lines.flat_map(|line| line["refs"].as_array().unwrap()).map(|name| name.as_str().unwrap()).collect();
    let listed: BTreeSet<&str> =
        quote["references"].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(named, listed, "{quote:#}");
}
