//! A quote of a serving: its lines, what is not money, and what it runs on.

use std::borrow::Cow;

use super::{
    answer::{Deployment, Prefill, ServingMetrics},
    asked::{Arrivals, Asked, Known},
    candidates::{Fixed, Server},
    idle::Sized,
    metrics::{Bands, Told, Work},
    physics::{Constants, Layout, Model, Replica},
    request::{Parallelism, Serving},
    search::{Choice, Offer, Search},
};
use crate::{
    catalog::money::Overflow,
    estimate::{
        desk::{Desk, Scope, Sourced},
        draft::{self, Draft, Priced, number_repeats},
        exchange::Conversion,
        fault::{Fault, FaultKind},
        hardware::{
            energy::energy,
            hour::{Hour, Machines},
            part::Part,
            rental::Rent,
        },
        metric::Metric,
        quote::{ItemMetrics, ItemQuote, Origin, Ref, References, WarningCode},
        subject::Subject,
        uncertain::{Sampler, Uncertain},
    },
};

const HOURS_PER_DAY: f64 = 24.0;

/// Prices one workload. `base` is its place in the request.
///
/// # Errors
/// Every fault of meaning that can be seen.
pub fn quote<'a>(
    item: &'a Serving,
    base: &str,
    scope: Scope<'a>,
    references: &mut References<'a>,
    sampler: &mut Sampler,
) -> Result<ItemQuote<'a>, Vec<Fault>> {
    let mut desk = Desk::new(scope, base, item.as_of, references, sampler);
    let quoted = desk.serving(item);
    match quoted {
        Some(quoted) if desk.faults.is_empty() => Ok(quoted),
        _ => Err(desk.faults),
    }
}

/// All that is known before machines are chosen.
struct Ground<'a, 's> {
    item: &'a Serving,
    subject: &'s Subject<'a>,
    asked: &'s Asked,
    model: &'s Model,
    constants: &'s Constants,
}

impl<'a> Desk<'a, '_> {
    fn serving(&mut self, item: &'a Serving) -> Option<ItemQuote<'a>> {
        let subject = self.subject(item.named());
        let Some(subject) = subject else {
            if self.faults.is_empty() {
                self.fault("/model", FaultKind::MissingField { name: "model".to_owned() });
            }
            return None;
        };
        self.check_parallelism(item, &subject);
        let asked = self.asked(item, &subject);
        let constants = self.constants();
        let (asked, constants) = (asked?, constants?);
        if !self.faults.is_empty() {
            return None;
        }
        let model = Model::of(&subject.shape);
        let ground = Ground { item, subject: &subject, asked: &asked, model: &model, constants: &constants };
        let offers = self.offers(&ground)?;
        let choice = match &asked.known {
            Some(Known::Apart { .. }) => Choice::default(),
            _ => self.search(&ground, &offers)?,
        };
        let quoted = self.chosen(&ground, &offers[choice.offer], choice);
        quoted.unwrap_or_else(|Overflow| {
            let detail = "the sum of the lines has too many digits to be written";
            self.fault("", FaultKind::out_of_range(detail));
            None
        })
    }

    /// The cheapest machines and layout that do; none, and a fault, where nothing does.
    fn search(&mut self, ground: &Ground<'a, '_>, offers: &[Offer<'a>]) -> Option<Choice<'a>> {
        let Ground { item, subject, asked, model, constants } = *ground;
        let shape = &subject.shape;
        let fixed = Fixed { gpus: item.hardware.gpus_per_replica, parallelism: item.parallelism.0 };
        match (Search { asked, model, shape, fixed, constants, offers }).run() {
            Ok(choice) => Some(choice),
            Err(kind) => {
                let slow = matches!(kind, FaultKind::SloUnreachable { .. });
                self.fault(if slow { "/slo" } else { "/hardware" }, kind);
                None
            }
        }
    }

    /// The part that is named, or all that have a price and a sheet that says enough.
    fn offers(&mut self, ground: &Ground<'a, '_>) -> Option<Vec<Offer<'a>>> {
        let Ground { item, subject, asked, constants, .. } = *ground;
        if let Some(given) = &item.hardware.gpu {
            let part = Part::find(self, given)?;
            let server = self.server(part, asked, subject, constants)?;
            self.check_calibration(&server, subject);
            let server = self.calibrated(server, asked, subject, constants);
            // Its price decides nothing, but the size of its machines does.
            let machine = item.hardware.provider.as_ref().and(self.machine(ground, part));
            return Some(vec![Offer { server, price: 1.0, stale: false, machine }]);
        }
        if item.hardware.price_per_gpu_hour.is_some() {
            // The price of which part?
            self.fault("/hardware/gpu", FaultKind::MissingField { name: "gpu".to_owned() });
            return None;
        }
        let rows = self.view().known(&self.view().snapshot().history().gpus);
        let parts: Vec<Part<'a>> = rows.map(Part::of_row).collect();
        let mut first = Vec::new();
        let mut offers = Vec::new();
        for part in parts {
            match self.offer(ground, part) {
                Ok(offer) => offers.push(offer),
                Err(faults) if first.is_empty() => first = faults,
                Err(_) => {}
            }
        }
        if offers.is_empty() {
            self.faults.extend(first);
            if self.faults.is_empty() {
                let detail = "no accelerator of the catalog has a price like that".to_owned();
                self.fault("/hardware", FaultKind::UnpricedGpu { detail, near: Vec::new() });
            }
            return None;
        }
        Some(offers)
    }

    /// Accelerators of the smallest machine with that part which its provider rents out.
    fn machine(&self, ground: &Ground<'a, '_>, part: Part<'a>) -> Option<u32> {
        self.offer(ground, part).ok()?.machine
    }

    /// A part with its price, worked out at a desk of its own: what is wrong with it does not concern the request.
    fn offer(&self, ground: &Ground<'a, '_>, part: Part<'a>) -> Result<Offer<'a>, Vec<Fault>> {
        let (mut references, mut sampler) = (References::default(), Sampler::default());
        let at = self.own_as_of.then_some(self.at);
        let mut desk = Desk::new(self.scope, self.base, at, &mut references, &mut sampler);
        let mut priced = || {
            let server = desk.server(part, ground.asked, ground.subject, ground.constants)?;
            let server = desk.calibrated(server, ground.asked, ground.subject, ground.constants);
            let hour = desk.hour(machines(ground.item), &part)?;
            let factor = if hour.price.currency == desk.scope.currency {
                1.0
            } else {
                desk.conversion(hour.price.currency).as_ref().map(Conversion::factor)?
            };
            let stale = desk.warnings.iter().any(|warning| warning.code == WarningCode::PriceStale);
            let machine = hour.rented.as_ref().and_then(|rented| rented.instance_gpus);
            Some(Offer { server, price: hour.price.spread.mid() * factor, stale, machine })
        };
        match priced() {
            Some(offer) if desk.faults.is_empty() => Ok(offer),
            _ => Err(desk.faults),
        }
    }

    fn chosen(
        &mut self,
        ground: &Ground<'a, '_>,
        offer: &Offer<'a>,
        choice: Choice<'a>,
    ) -> Result<Option<ItemQuote<'a>>, Overflow> {
        let server = &offer.server;
        let Some(hour) = self.hour(machines(ground.item), &server.part) else { return Ok(None) };
        server.part.cite(self);
        let Some((mut bands, mut refs)) = self.bands(ground) else { return Ok(None) };
        refs.extend(self.cite_factors(server, ground.subject));
        let calibration = match ground.asked.known {
            Some(_) => None, // what the request has measured wins
            None => self.calibration(server, ground.asked, ground.subject, ground.constants),
        };
        let calibrated_by = calibration.and_then(|calibration| {
            bands.speed = calibration.narrowed(&bands.speed);
            self.cite_calibration(&calibration, &mut refs)
        });
        let Ground { item, asked, constants, .. } = *ground;
        let fleet = fleet(ground, server, &choice, &bands);
        let work = &fleet.work;
        if asked.replicas.is_some() && work.utilization.mid() > 1.0 {
            let times = work.utilization.mid();
            let detail = format!("the load is {times:.2} times what so many replicas can answer");
            self.fault("/hardware/replicas", FaultKind::SloUnreachable { detail });
            return Ok(None);
        }
        let gpu_hours = &work.gpus * &asked.hours;
        let factor = calibrated_by.as_ref().map(|calibrated| calibrated.factor);
        let Some(compute) = self.compute_line(ground, &server.part, &hour, &fleet, &gpu_hours, refs, factor)
        else {
            return Ok(None);
        };
        let idle = self.idle_line(asked, &hour, &fleet.sizes, work, &gpu_hours);
        let spread = compute.spread.clone();
        let kind = hour.provider_kind();
        let region = item.hardware.energy_region.as_deref();
        let energy = energy(self, &server.part, region, kind, &gpu_hours);
        let lines = self.all_lines(item, asked, compute, idle);
        if !self.faults.is_empty() {
            return Ok(None);
        }
        let (total, whole) = draft::sum(lines.iter())?;
        let mut metrics = still(ground, server, &choice, &hour);
        let told = Told {
            asked,
            constants,
            work,
            gpu_hours: &gpu_hours,
            compute: &spread,
            currency: self.scope.currency,
            energy: energy.as_ref(),
        };
        told.fill(&mut metrics);
        let mut lines: Vec<_> = lines.into_iter().map(|priced| priced.line).collect();
        number_repeats(&mut lines);
        let deployment = Deployment { calibrated_by, ..deployment(ground, server, &fleet, choice) };
        Ok(Some(ItemQuote {
            kind: "serving",
            id: item.id.as_deref(),
            label: item.label.as_deref(),
            provider: None,
            model: None,
            offering: None,
            as_of: self.own_as_of.then_some(self.at.instant),
            period: None,
            list_total: None,
            total,
            upper_bound: None,
            reported_cost: None,
            lines,
            headline_total: None,
            metrics: Some(ItemMetrics::Serving(Box::new(metrics))),
            deployment: Some(Box::new(deployment)),
            stages: None,
            by_month: None,
            warnings: std::mem::take(&mut self.warnings),
            spread: Some(whole),
        }))
    }

    /// How far speeds may be off, by how requests come and whether the model is a mixture.
    fn bands(&mut self, ground: &Ground<'a, '_>) -> Option<(Bands, Vec<Ref<'a>>)> {
        let kind = if ground.model.is_mixture() { "moe" } else { "dense" };
        let regime = match ground.asked.arrivals {
            Arrivals::Open { .. } => "server",
            Arrivals::Users(_) => "concurrency",
            Arrivals::Saturated => "offline",
        };
        let speed = self.assumption(&format!("serving.spread.{regime}.{kind}"))?;
        let first_token = self.assumption("serving.spread.ttft")?.value;
        let refs = speed.reference.into_iter().collect();
        Some((Bands { speed: speed.value, first_token }, refs))
    }

    #[expect(clippy::too_many_arguments, reason = "a line rests on all of them")]
    fn compute_line(
        &mut self,
        ground: &Ground<'a, '_>,
        part: &Part<'a>,
        hour: &Hour<'a>,
        fleet: &Fleet,
        gpu_hours: &Uncertain,
        mut refs: Vec<Ref<'a>>,
        calibrated: Option<f64>,
    ) -> Option<Priced<'a>> {
        refs.extend(part.reference());
        refs.extend(ground.subject.reference);
        refs.extend(&hour.refs);
        let calibrated = calibrated.map(|factor| {
            ("measured_over_predicted_speed", Sourced::derived(Uncertain::exact(factor), "ratio"))
        });
        let mut inputs = fleet.inputs(ground.asked);
        inputs.push(("hours", Sourced::given(ground.asked.hours.clone(), "hour")));
        inputs.push(("price_per_gpu_hour", hour.input.clone()));
        inputs.extend(calibrated);
        let draft = Draft {
            code: "compute",
            description: Cow::Borrowed("accelerators, busy or idle"),
            quantity: gpu_hours.clone(),
            unit: "gpu_hour",
            price: hour.price.clone(),
            refs,
            formula: Cow::Borrowed(match fleet.work.pools {
                Some(_) => "(prefill_gpus + decode_gpus) * hours * price_per_gpu_hour",
                None => "replicas * gpus_per_replica * hours * price_per_gpu_hour",
            }),
            inputs,
        };
        self.price(draft, "/hardware")
    }

    fn all_lines(
        &mut self,
        item: &'a Serving,
        asked: &Asked,
        compute: Priced<'a>,
        idle: Option<Priced<'a>>,
    ) -> Vec<Priced<'a>> {
        let days = asked.hours.times(1.0 / HOURS_PER_DAY);
        let mut lines = vec![compute];
        lines.extend(idle);
        for (at, staff) in item.staff.iter().enumerate() {
            lines.extend(self.staff(staff, Some(&days), &format!("/staff/{at}")));
        }
        for (at, other) in item.other.iter().enumerate() {
            lines.extend(self.other(other, &format!("/other/{at}")));
        }
        lines
    }
}

/// How a request comes by its machines.
fn machines(item: &Serving) -> Machines<'_> {
    let hardware = &item.hardware.0;
    let rent = Rent {
        price_per_gpu_hour: hardware.price_per_gpu_hour,
        currency: hardware.currency.as_deref(),
        provider: hardware.provider.as_deref(),
        provider_kind: hardware.provider_kind.as_deref(),
        region: hardware.region.as_deref(),
        commitment: hardware.commitment,
        max_price_age_days: item.max_price_age_days.map(crate::estimate::figure::Figure::mid),
    };
    Machines {
        rent,
        owned: hardware.owned.as_deref(),
        count: None,
        energy_region: hardware.energy_region.as_deref(),
    }
}

/// A fleet: what it does, and the sizes of its replicas.
struct Fleet {
    work: Work,
    sizes: Vec<Sized>,
}

impl Fleet {
    /// How large it is, as inputs of a formula; and the speeds it rests on, where they were measured.
    fn inputs<'a>(&self, asked: &Asked) -> Vec<(&'static str, Sourced<'a>)> {
        let gpus = |figure: &Uncertain| Sourced::derived(figure.clone(), "gpu");
        let speed = |figure: &Uncertain| Sourced::given(figure.clone(), "token/s");
        let mut inputs = match (&self.work.pools, &self.sizes[..]) {
            (Some([prefill, decode]), _) => {
                vec![("prefill_gpus", gpus(prefill)), ("decode_gpus", gpus(decode))]
            }
            (None, [(each, replicas), ..]) => vec![
                ("replicas", Sourced::derived(replicas.clone(), "replica")),
                ("gpus_per_replica", gpus(&Uncertain::exact(*each))),
            ],
            (None, []) => Vec::new(),
        };
        match &asked.known {
            Some(Known::Together(output)) => {
                inputs.push(("measured_output_tokens_per_second_per_gpu", speed(output)));
            }
            Some(Known::Apart { prefill, decode }) => {
                inputs.push(("measured_prefill_tokens_per_second_per_gpu", speed(prefill)));
                inputs.push(("measured_decode_tokens_per_second_per_gpu", speed(decode)));
            }
            None => {}
        }
        inputs
    }
}

/// The fleet of a choice.
fn fleet(ground: &Ground<'_, '_>, server: &Server<'_>, choice: &Choice<'_>, bands: &Bands) -> Fleet {
    let Ground { item, asked, model, constants, .. } = *ground;
    let replica =
        |layout| Replica::new(model, &server.device, constants, layout, server.formats, server.rules);
    let (work, each) = match (&asked.known, choice.prefill) {
        (Some(Known::Apart { prefill, decode }), _) => {
            let gpus = f64::from(item.hardware.gpus_per_replica.unwrap_or(1));
            (Work::of_measured(asked, prefill, decode, gpus), [gpus, gpus])
        }
        (_, Some(prefill)) => {
            let (prefill, decode) = (replica(prefill), replica(choice.layout));
            let work = Work::of_modelled([&prefill, &decode], asked, constants, bands);
            (work, [prefill.gpus(), decode.gpus()])
        }
        (_, None) => {
            let replica = replica(choice.layout);
            let work = Work::of(&replica, asked, constants, bands);
            let sizes = vec![(replica.gpus(), work.replicas.clone())];
            return Fleet { work, sizes };
        }
    };
    let pools = work.pools.iter().flatten();
    let sizes = pools.zip(each).map(|(gpus, each)| (each, gpus.times(each.recip()))).collect();
    Fleet { work, sizes }
}

/// What serves, and what else could.
fn deployment<'a>(
    ground: &Ground<'a, '_>,
    server: &Server<'a>,
    fleet: &Fleet,
    choice: Choice<'a>,
) -> Deployment<'a> {
    let Ground { item, asked, .. } = *ground;
    let Choice { layout, prefill, reason, runners_up, stale, .. } = choice;
    let measured = matches!(asked.known, Some(Known::Apart { .. }));
    let unit = item.hardware.gpus_per_replica.unwrap_or(1);
    let told = |layout: Layout| {
        if measured { (unit, item.parallelism.0) } else { (layout.gpus(), Parallelism::from(layout)) }
    };
    let (gpus_per_replica, parallelism) = told(layout);
    let prefill = match (&fleet.work.pools, &fleet.sizes[..]) {
        (Some(_), [(_, replicas), ..]) => {
            let (gpus_per_replica, parallelism) = told(prefill.unwrap_or(layout));
            Some(Prefill { gpus_per_replica, replicas: replicas.mid(), parallelism })
        }
        _ => None,
    };
    Deployment {
        gpu: server.part.name,
        gpus_per_replica,
        parallelism,
        weights: server.formats.weights.name(),
        kv_cache: server.formats.kv_cache.name(),
        prefill,
        calibrated_by: None,
        speed_origin: if asked.known.is_some() { Origin::Request } else { Origin::Derived },
        reason,
        runners_up,
        stale,
    }
}

/// What does not depend on how requests come.
fn still(
    ground: &Ground<'_, '_>,
    server: &Server<'_>,
    choice: &Choice<'_>,
    hour: &Hour<'_>,
) -> ServingMetrics {
    let Ground { subject, asked, model, constants, .. } = *ground;
    let (shape, load) = (&subject.shape, asked.load());
    let replica =
        |layout| Replica::new(model, &server.device, constants, layout, server.formats, server.rules);
    let kv = asked.kv_cache.bytes();
    let bytes = |value: f64| Some(Metric::exact(value, "byte"));
    let measured = matches!(asked.known, Some(Known::Apart { .. }));
    let most = || Metric::exact(replica(choice.layout).largest_batch(load).floor(), "sequence");
    ServingMetrics {
        weights_bytes: bytes(replica(Layout::ONE).weight_bytes()),
        kv_cache_bytes_per_token: bytes(shape.kv_bytes_per_token(kv, load.input + load.output)),
        max_concurrency: (!measured).then(most),
        price_per_gpu_hour: Some(Metric::of(&hour.price.spread, hour.price.currency)),
        total_params: Some(Metric::exact(shape.total_params, "parameter")),
        active_params: Some(Metric::exact(shape.active_params, "parameter")),
        ..ServingMetrics::default()
    }
}
