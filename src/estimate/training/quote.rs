//! A quote of a training: its lines, what is not money, its stages one by one, its months.

use super::{
    answer::{HoursFrom, MonthTotal, StageQuote, TrainingMetrics},
    goodput,
    lines::{self, GPU_HOUR, Ground},
    months::{Spent, by_month},
    plan::{self, Planned, Planner, gpus},
    program::Compute,
    request::Training,
    stage::Stage,
};
use crate::{
    catalog::money::Overflow,
    estimate::{
        desk::{Desk, Scope},
        draft::{self, Priced, number_repeats},
        fault::{Fault, FaultKind},
        hardware::{
            energy::energy,
            hour::{Hour, Machines},
            part::Part,
        },
        metric::Metric,
        quote::{ItemMetrics, ItemQuote, References, Total, WarningCode},
        subject::Subject,
        uncertain::{Sampler, Uncertain},
    },
};

const HOURS_PER_DAY: f64 = 24.0;

/// Months are told for a century at most: whoever trains for longer has made a slip.
const MOST_DAYS: f64 = 36_500.0;
const SECONDS_PER_HOUR: f64 = 3600.0;

/// Prices one workload. `base` is its place in the request.
///
/// # Errors
/// Every fault of meaning that can be seen.
pub fn quote<'a>(
    item: &'a Training,
    base: &str,
    scope: Scope<'a>,
    references: &mut References<'a>,
    sampler: &mut Sampler,
) -> Result<ItemQuote<'a>, Vec<Fault>> {
    let mut desk = Desk::new(scope, base, item.as_of, references, sampler);
    let quoted = desk.training(item);
    match quoted {
        Some(quoted) if desk.faults.is_empty() => Ok(quoted),
        _ => Err(desk.faults),
    }
}

impl<'a> Desk<'a, '_> {
    /// The quote; where there is none, faults say why.
    fn training(&mut self, item: &'a Training) -> Option<ItemQuote<'a>> {
        self.check_machines(item);
        let subject = self.subject(item.named());
        self.need_subject(item, subject.is_some());
        let part = Part::find(self, &item.hardware.gpu);
        let hour = part.as_ref().and_then(|part| self.hour(Machines::from(&item.hardware.0), part));
        let (Some(part), Some(hour)) = (part, hour) else {
            plan::check(self, item, subject.as_ref());
            return None;
        };
        let mut machines = Planner::new(self, item, &part, subject.as_ref(), &hour);
        let planned = machines.plan(self);
        let count = machines.count;
        if !self.faults.is_empty() {
            return None;
        }
        let ground = Ground { part: &part, subject: subject.as_ref(), hour: &hour };
        let run = Run { item, part: &part, hour: &hour, subject: subject.as_ref(), planned: &planned, count };
        run.quote(self, &ground).unwrap_or_else(|Overflow| {
            let detail = "the sum of the lines has too many digits to be written";
            self.fault("", FaultKind::out_of_range(detail));
            None
        })
    }

    fn check_machines(&mut self, item: &Training) {
        let hardware = &item.hardware;
        if hardware.count == Some(0) {
            self.fault("/hardware/count", FaultKind::out_of_range("must be at least 1, got 0"));
        }
        if let Some(deadline) = hardware.deadline_days {
            if hardware.count.is_some() {
                let detail = "give `count` or `deadline_days`, not both".to_owned();
                self.fault("/hardware/deadline_days", FaultKind::Contradiction { detail });
            }
            if deadline.0.low() <= 0.0 {
                self.fault("/hardware/deadline_days", FaultKind::out_of_range("must be above 0"));
            }
        }
    }

    /// A model is needed where a stage says neither its hours nor its arithmetic.
    fn need_subject(&mut self, item: &Training, known: bool) {
        let named = item.model.is_some() || item.architecture.is_some() || item.architecture_from.is_some();
        let needs = |stage: &Stage| {
            let said = stage.known();
            !matches!(stage, Stage::Prompting(_))
                && said.gpu_hours.is_none()
                && said.days.is_none()
                && said.flops.is_none()
                && said.tokens_per_second_per_gpu.is_none()
        };
        if !known && !named && item.stages.iter().any(needs) {
            self.fault("/model", FaultKind::MissingField { name: "model".to_owned() });
        }
    }
}

/// A training whose stages are planned.
struct Run<'a, 's> {
    item: &'a Training,
    part: &'s Part<'a>,
    hour: &'s Hour<'a>,
    subject: Option<&'s Subject<'a>>,
    planned: &'s [Planned<'a>],
    count: Option<u64>,
}

/// The lines of a training, those of each stage together.
struct Lines<'a> {
    stages: Vec<Vec<Priced<'a>>>,
    idle: Option<Priced<'a>>,
    program: Vec<Priced<'a>>,
}

impl<'a> Lines<'a> {
    fn of_stages(&self) -> impl Iterator<Item = &Priced<'a>> + Clone {
        self.stages.iter().flatten()
    }

    fn all(&self) -> impl Iterator<Item = &Priced<'a>> + Clone {
        self.of_stages().chain(&self.idle).chain(&self.program)
    }
}

impl<'a> Run<'a, '_> {
    fn quote(
        &self,
        desk: &mut Desk<'a, '_>,
        ground: &Ground<'a, '_>,
    ) -> Result<Option<ItemQuote<'a>>, Overflow> {
        let hours = Uncertain::sum(&self.planned.iter().map(|stage| stage.hours.total()).collect::<Vec<_>>());
        let days = self.days(&hours);
        let stages = self.planned.iter().map(|planned| ground.lines(desk, planned)).collect();
        let idle = ground.idle(desk, self.count, &hours);
        let mut lines = Lines { stages, idle, program: Vec::new() };
        if let Some(program) = &self.item.program {
            let (compute, spread) =
                draft::sum(lines.of_stages().filter(|priced| priced.line.unit == GPU_HOUR))?;
            let compute = Compute { amount: compute.amount, spread };
            lines.program = desk.program(program, &compute, days.as_ref());
        }
        if !desk.faults.is_empty() {
            return Ok(None);
        }
        let (total, spread) = draft::sum(lines.all())?;
        let alone = lines.idle.is_none() && lines.program.is_empty();
        let headline = if alone { total } else { draft::sum(lines.of_stages())?.0 };
        let metrics = self.metrics(desk, &hours, days.as_ref());
        let stages = self.stages(desk, &lines)?;
        let by_month = self.months(desk, &lines)?;
        if !desk.faults.is_empty() {
            return Ok(None);
        }
        let Lines { stages: of_stages, idle, program } = lines;
        let all = of_stages.into_iter().flatten().chain(idle).chain(program);
        let mut lines: Vec<_> = all.map(|priced| priced.line).collect();
        number_repeats(&mut lines);
        Ok(Some(ItemQuote {
            kind: "training",
            id: self.item.id.as_deref(),
            label: self.item.label.as_deref(),
            provider: None,
            model: None,
            offering: None,
            as_of: desk.own_as_of.then_some(desk.at.instant),
            period: None,
            list_total: None,
            total,
            upper_bound: None,
            reported_cost: None,
            lines,
            headline_total: Some(headline),
            metrics: Some(ItemMetrics::Training(Box::new(metrics))),
            deployment: None,
            stages: Some(stages),
            by_month,
            warnings: std::mem::take(&mut desk.warnings),
            spread: Some(spread),
        }))
    }

    fn days(&self, hours: &Uncertain) -> Option<Uncertain> {
        self.count.map(|count| hours.times(1.0 / (HOURS_PER_DAY * gpus(count))))
    }

    fn metrics(
        &self,
        desk: &mut Desk<'a, '_>,
        hours: &Uncertain,
        days: Option<&Uncertain>,
    ) -> TrainingMetrics {
        let flops = self.flops();
        let (kind, region) = (self.hour.provider_kind(), self.item.hardware.energy_region.as_deref());
        let energy = energy(desk, self.part, region, kind, hours);
        let min_gpus = self.planned.iter().filter_map(|stage| stage.fit).map(|fit| fit.min_gpus).max();
        let utilization = flops.as_ref().and_then(|flops| self.utilization(flops, hours));
        TrainingMetrics {
            flops: flops.as_ref().map(|flops| Metric::of(flops, "FLOP")),
            gpu_hours: Some(Metric::of(hours, GPU_HOUR)),
            days: days.map(|days| Metric::of(days, "day")),
            gpus: self.count.map(|count| Metric::exact(gpus(count), "gpu")),
            min_gpus: min_gpus.map(|count| Metric::exact(gpus(count), "gpu")),
            utilization,
            price_per_gpu_hour: Some(Metric::of(&self.hour.price.spread, self.hour.price.currency)),
            purchase: self.purchase(),
            energy_kwh: energy.as_ref().map(|energy| Metric::of(&energy.kwh, "kWh")),
            co2_kg: energy
                .as_ref()
                .and_then(|energy| energy.co2_kg.as_ref())
                .map(|co2| Metric::of(co2, "kg")),
            kv_cache_bytes_per_token: self.subject.map(|subject| {
                let bytes = subject.shape.kv_bytes_per_token(BF16_BYTES, LONG_CONTEXT);
                Metric::exact(bytes, "byte")
            }),
            total_params: self.subject.map(|subject| Metric::exact(subject.shape.total_params, "parameter")),
            active_params: self
                .subject
                .map(|subject| Metric::exact(subject.shape.active_params, "parameter")),
        }
    }

    /// What all the machines cost to buy, servers and network with them.
    fn purchase(&self) -> Option<Metric> {
        let (owned, count) = (self.hour.owned.as_ref()?, self.count?);
        let bought = owned.lines.iter().filter(|line| line.code.starts_with("hardware."));
        let each = Uncertain::sum(bought.map(|line| &line.amount));
        Some(Metric::of(&each.times(gpus(count)), owned.currency))
    }

    /// The arithmetic of all stages; none where that of one is not known.
    fn flops(&self) -> Option<Uncertain> {
        let mut flops = Vec::with_capacity(self.planned.len());
        for stage in self.planned.iter().filter(|stage| stage.hours.main.is_some()) {
            flops.push(stage.work.flops()?);
        }
        (!flops.is_empty()).then(|| Uncertain::sum(&flops))
    }

    /// Model FLOPs over what the part could do in so many hours, at most 1.
    fn utilization(&self, flops: &Uncertain, hours: &Uncertain) -> Option<Metric> {
        let (_, peak) = self.part.reference_peak()?;
        let could = hours.times(SECONDS_PER_HOUR * peak);
        (hours.mid() > 0.0).then(|| Metric::share(flops, &could))
    }

    fn stages(&self, desk: &mut Desk<'a, '_>, lines: &Lines<'a>) -> Result<Vec<StageQuote>, Overflow> {
        let mut quotes = Vec::with_capacity(self.planned.len());
        let goodput = goodput::of(desk, self.count).map(|goodput| goodput.value);
        for (at, (planned, priced)) in self.planned.iter().zip(&lines.stages).enumerate() {
            let (total, _) = draft::sum(priced.iter())?;
            quotes.push(self.stage(planned, total, lines::numbered(self.planned, at), goodput.as_ref()));
        }
        Ok(quotes)
    }

    fn stage(
        &self,
        planned: &Planned<'a>,
        total: Total,
        name: String,
        goodput: Option<&Uncertain>,
    ) -> StageQuote {
        let work = &planned.work.main;
        let hours = planned.hours.total();
        let main = planned.hours.main.as_ref();
        let busy = work.flops.as_ref().zip(main).map(|(flops, main)| (&flops.value, &main.gpu_hours.value));
        let utilization = busy.and_then(|(flops, hours)| self.utilization(flops, hours));
        // Goodput stands between all hours and those of steady steps.
        let steady = || {
            let ((flops, hours), goodput) = busy.zip(goodput)?;
            self.utilization(flops, &(hours * goodput))
        };
        let mfu = main.and_then(|main| main.mfu.as_ref()).map(|mfu| Metric::of(mfu, "ratio")).or_else(steady);
        StageQuote {
            stage: name,
            hours_from: main.map_or(HoursFrom::None, |main| main.from),
            total,
            tokens: work.tokens.as_ref().map(|tokens| Metric::of(&tokens.value, "token")),
            flops: planned.work.flops().map(|flops| Metric::of(&flops, "FLOP")),
            gpu_hours: main.map(|_| Metric::of(&hours, GPU_HOUR)),
            days: main.and_then(|_| self.days(&hours)).map(|days| Metric::of(&days, "day")),
            mfu,
            utilization,
            memory_bytes: planned.fit.map(|fit| Metric::exact(fit.bytes_total, "byte")),
            min_gpus: planned.fit.map(|fit| Metric::exact(gpus(fit.min_gpus), "gpu")),
        }
    }

    fn months(
        &self,
        desk: &mut Desk<'a, '_>,
        lines: &Lines<'a>,
    ) -> Result<Option<Vec<MonthTotal>>, Overflow> {
        let Some(start) = self.item.start else { return Ok(None) };
        let Some(count) = self.count else {
            let message = "no months: how long it takes is not known without `count` or `deadline_days`";
            desk.warn(WarningCode::NoSchedule, "/start", message);
            return Ok(None);
        };
        let days = self.planned.iter().map(|planned| planned.hours.total().mid()).sum::<f64>()
            / (HOURS_PER_DAY * gpus(count));
        if days > MOST_DAYS {
            let detail = format!("months are told for a century at most, and this takes {days:.0} days");
            desk.fault("/start", FaultKind::out_of_range(detail));
            return Ok(None);
        }
        let mut spent = Vec::new();
        let mut from = 0.0;
        for (planned, priced) in self.planned.iter().zip(&lines.stages) {
            let to = from + planned.hours.total().mid() / (HOURS_PER_DAY * gpus(count));
            spent.extend(priced.iter().map(|priced| on(priced, from, to)));
            from = to;
        }
        spent.extend(lines.idle.iter().chain(&lines.program).map(|priced| on(priced, 0.0, from)));
        by_month(start, &spent).map(Some)
    }
}

/// Bytes of a number in 16 bits.
const BF16_BYTES: f64 = 2.0;

/// A context at which windows are full.
const LONG_CONTEXT: f64 = 32_768.0;

fn on<'p>(priced: &'p Priced<'_>, from: f64, to: f64) -> Spent<'p> {
    Spent { amount: priced.line.amount, spread: &priced.spread, from, to }
}
