//! What a request asks, checked.

use super::{
    physics::{Engine, Format, Load},
    request::{Measured, Serving, Traffic},
};
use crate::{
    catalog::names,
    estimate::{
        desk::{Desk, Sourced},
        fault::FaultKind,
        figure::Figure,
        subject::Subject,
        uncertain::Uncertain,
    },
};

const HOURS_A_MONTH: f64 = 730.0;
const SECONDS_PER_HOUR: f64 = 3600.0;
const MOST_TOKENS: f64 = 1e8;

/// How requests come.
#[derive(Debug, Clone)]
pub(super) enum Arrivals {
    /// At random: so many a second in the mean, and so many times that at the peak.
    Open { mean: Uncertain, peak: Uncertain },
    /// From users that are always busy, in all.
    Users(Uncertain),
    /// As many as fit.
    Saturated,
}

/// Speeds that the caller has measured, tokens a second and accelerator.
#[derive(Debug, Clone)]
pub(super) enum Known {
    /// Output of a replica that computes prompts, too.
    Together(Uncertain),
    /// Computed input of one pool, output of the other.
    Apart { prefill: Uncertain, decode: Uncertain },
}

/// Replicas beyond those that a load takes.
#[derive(Debug, Clone)]
pub(super) enum Spare {
    Given(Uncertain),
    /// So many, or a share of those taken where that is more.
    Usual {
        least: f64,
        share: f64,
    },
}

impl Spare {
    /// Replicas in the middle with those to spare.
    pub(super) fn beside(&self, replicas: f64) -> f64 {
        match self {
            Self::Given(spare) => replicas + spare.mid(),
            Self::Usual { least, share } => replicas + (share * replicas - 1e-9).ceil().max(*least),
        }
    }

    /// The same in every world.
    pub(super) fn add(&self, replicas: &Uncertain) -> Uncertain {
        match self {
            Self::Given(spare) => replicas + spare,
            Self::Usual { .. } => replicas.map(|replicas| self.beside(replicas)),
        }
    }
}

/// A serving's figures.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) input: Uncertain,
    pub(super) output: Uncertain,
    pub(super) cached: Uncertain,
    pub(super) arrivals: Arrivals,
    /// Limit of the time to the first token, seconds.
    pub(super) ttft: Option<f64>,
    /// Limit of the time for each token, seconds.
    pub(super) tpot: Option<f64>,
    pub(super) hours: Uncertain,
    /// Whether machines are kept for these hours and no longer.
    pub(super) whole_stay: bool,
    pub(super) spare: Spare,
    /// Share of the prefill time at the peak that may be used.
    pub(super) prefill_share: f64,
    pub(super) known: Option<Known>,
    pub(super) apart: bool,
    pub(super) replicas: Option<Uncertain>,
    pub(super) weights: Option<Format>,
    pub(super) kv_cache: Format,
    pub(super) engine: Engine,
}

impl Asked {
    /// The load in the middle.
    pub(super) fn load(&self) -> Load {
        Load { input: self.input.mid(), output: self.output.mid(), cached: self.cached.mid() }
    }
}

/// The engines that requests may name.
const ENGINES: [(&str, Engine); 4] = [
    ("vllm", Engine::Vllm),
    ("sglang", Engine::Sglang),
    ("trtllm", Engine::Trtllm),
    ("llama.cpp", Engine::LlamaCpp),
];

/// The name of an engine in assumptions; none where any will do.
pub(super) fn engine_name(engine: Engine) -> Option<&'static str> {
    ENGINES.into_iter().find(|(_, known)| *known == engine).map(|(name, _)| name)
}

impl<'a> Desk<'a, '_> {
    /// What is asked; faults where it makes no sense.
    pub(super) fn asked(&mut self, item: &'a Serving, subject: &Subject<'a>) -> Option<Asked> {
        let before = self.faults.len();
        let traffic = &item.traffic.0;
        self.check_lengths(traffic, subject);
        let arrivals = self.arrivals(traffic);
        let slo = &item.slo;
        let ttft = self.limit("/slo/ttft_ms", slo.ttft_ms);
        let tpot = self.limit("/slo/tpot_ms", slo.tpot_ms);
        let hours = item.hours.map(|hours| self.within("/hours", hours, 1e-6, 1e7, "hour"));
        let replicas = item
            .hardware
            .replicas
            .map(|replicas| self.within("/hardware/replicas", replicas, 1e-6, 1e7, "replica").value);
        let spare = self.spare(item, arrivals.as_ref());
        let known = item.measured.as_ref().map(|measured| self.measured(measured));
        let apart = item.disaggregated || matches!(known, Some(Some(Known::Apart { .. })));
        self.check_apart(item, apart, arrivals.as_ref());
        let prefill_share = self.assumption("serving.prefill_utilization")?.value.mid();
        if let Some(age) = item.max_price_age_days {
            self.within("/max_price_age_days", age, 0.0, 1e6, "day");
        }
        let precision = item.precision.as_deref();
        let weights = precision.and_then(|precision| precision.weights.as_deref());
        let weights = weights.and_then(|name| self.format("/precision/weights", name));
        let kv_cache = precision.and_then(|precision| precision.kv_cache.as_deref());
        let kv_cache = kv_cache.map_or(Some(Format::Bf16), |name| self.format("/precision/kv_cache", name));
        let engine = item.engine.as_deref().map_or(Some(Engine::Any), |name| self.engine(name));
        let cached = traffic.cached_input_fraction;
        let cached = cached.map(|share| self.given("/traffic/cached_input_fraction", share, "ratio").value);
        let asked = Asked {
            input: self.given("/traffic/input_tokens", traffic.input_tokens, "token").value,
            output: self.given("/traffic/output_tokens", traffic.output_tokens, "token").value,
            cached: cached.unwrap_or(Uncertain::exact(0.0)),
            arrivals: arrivals?,
            ttft,
            tpot,
            whole_stay: hours.is_some(),
            hours: hours.map_or(Uncertain::exact(HOURS_A_MONTH), |hours| hours.value),
            spare: spare?,
            prefill_share,
            known: known.flatten(),
            apart,
            replicas,
            weights,
            kv_cache: kv_cache?,
            engine: engine?,
        };
        (self.faults.len() == before).then_some(asked)
    }

    fn check_lengths(&mut self, traffic: &Traffic, subject: &Subject<'a>) {
        for (name, figure) in
            [("input_tokens", traffic.input_tokens), ("output_tokens", traffic.output_tokens)]
        {
            self.check(&format!("/traffic/{name}"), figure, 1.0, MOST_TOKENS);
        }
        if let Some(share) = traffic.cached_input_fraction
            && share.0.high() >= 1.0
        {
            let detail = format!("must be in [0, 1), got {}", share.0.high());
            self.fault("/traffic/cached_input_fraction", FaultKind::OutOfRange { detail });
        }
        let Some(most) = subject.context_length else { return };
        let (input, output) = (traffic.input_tokens.mid(), traffic.output_tokens.mid());
        if input + output > most {
            let field = if output > most { "output_tokens" } else { "input_tokens" };
            let detail =
                format!("input and output are {} tokens, and the model's context is {most}", input + output);
            self.fault(&format!("/traffic/{field}"), FaultKind::OutOfRange { detail });
        }
    }

    /// The one load that is given.
    fn arrivals(&mut self, traffic: &Traffic) -> Option<Arrivals> {
        let Traffic { requests_per_second, requests_per_month, concurrency, saturated, .. } = *traffic;
        match (requests_per_second, requests_per_month, concurrency, saturated) {
            (Some(rate), None, None, false) => {
                let rate = self.within("/traffic/requests_per_second", rate, 1e-9, 1e9, "request/s").value;
                self.open(traffic, rate)
            }
            (None, Some(count), None, false) => {
                let count = self.within("/traffic/requests_per_month", count, 1e-3, 1e15, "request").value;
                self.open(traffic, count.times(1.0 / (HOURS_A_MONTH * SECONDS_PER_HOUR)))
            }
            (None, None, Some(users), false) => {
                Some(Arrivals::Users(self.within("/traffic/concurrency", users, 1.0, 1e9, "user").value))
            }
            (None, None, None, true) => Some(Arrivals::Saturated),
            (None, None, None, false) => {
                self.fault("/traffic", FaultKind::MissingField { name: "requests_per_second".to_owned() });
                None
            }
            _ => {
                let detail =
                    "give one of `requests_per_second`, `requests_per_month`, `concurrency` and `saturated`";
                self.fault("/traffic", FaultKind::Contradiction { detail: detail.to_owned() });
                None
            }
        }
    }

    fn open(&mut self, traffic: &Traffic, mean: Uncertain) -> Option<Arrivals> {
        let ratio = match traffic.peak_to_mean {
            Some(ratio) => self.within("/traffic/peak_to_mean", ratio, 1.0, 1e3, "ratio").value,
            None => self.assumption("serving.peak_to_mean")?.value,
        };
        let peak = &mean * &ratio;
        Some(Arrivals::Open { mean, peak })
    }

    /// Replicas to spare; they are of loads whose replicas are worked out.
    fn spare(&mut self, item: &'a Serving, arrivals: Option<&Arrivals>) -> Option<Spare> {
        let Some(spare) = item.hardware.spare_replicas else {
            let least = self.assumption("serving.spare_replicas")?.value.mid();
            let share = self.assumption("serving.spare_share")?.value.mid();
            return Some(Spare::Usual { least, share });
        };
        let spare = self.within("/hardware/spare_replicas", spare, 0.0, 1e6, "replica").value;
        if !matches!(arrivals, Some(Arrivals::Open { .. }) | None) || item.hardware.replicas.is_some() {
            let detail = "`spare_replicas` come on top of what `requests_per_second` or `requests_per_month` take;                           here `replicas` says how many there are";
            self.fault("/hardware/spare_replicas", FaultKind::Contradiction { detail: detail.to_owned() });
        }
        Some(Spare::Given(spare))
    }

    /// Speeds measured: of one kind, and of which accelerator.
    fn measured(&mut self, measured: &'a Measured) -> Option<Known> {
        const PLACE: &str = "/measured";
        let mut speed = |name: &str, figure: Option<Figure>| {
            let field = format!("{PLACE}/{name}");
            figure.map(|figure| self.within(&field, figure, 1e-6, 1e9, "token/s").value)
        };
        let together = speed("output_tokens_per_second_per_gpu", measured.output_tokens_per_second_per_gpu);
        let prefill = speed("prefill_tokens_per_second_per_gpu", measured.prefill_tokens_per_second_per_gpu);
        let decode = speed("decode_tokens_per_second_per_gpu", measured.decode_tokens_per_second_per_gpu);
        match (together, prefill, decode) {
            (Some(output), None, None) => Some(Known::Together(output)),
            (None, Some(prefill), Some(decode)) => Some(Known::Apart { prefill, decode }),
            (None, None, None) => {
                let name = "output_tokens_per_second_per_gpu".to_owned();
                self.fault(PLACE, FaultKind::MissingField { name });
                None
            }
            (None, Some(_), None) => {
                let name = "decode_tokens_per_second_per_gpu".to_owned();
                self.fault(PLACE, FaultKind::MissingField { name });
                None
            }
            (None, None, Some(_)) => {
                let name = "prefill_tokens_per_second_per_gpu".to_owned();
                self.fault(PLACE, FaultKind::MissingField { name });
                None
            }
            (Some(_), ..) => {
                let detail = "`output_tokens_per_second_per_gpu` is of replicas that do both, the others are of \
                              pools that do one each: give one kind";
                self.fault(PLACE, FaultKind::Contradiction { detail: detail.to_owned() });
                None
            }
        }
    }

    /// Refuses what makes no sense of pools, or of speeds that are known.
    fn check_apart(&mut self, item: &'a Serving, apart: bool, arrivals: Option<&Arrivals>) {
        let mut refuse = |field: &str, detail: &str| {
            self.fault(field, FaultKind::Contradiction { detail: detail.to_owned() });
        };
        if apart && matches!(arrivals, Some(Arrivals::Users(_))) {
            refuse(
                "/traffic/concurrency",
                "two pools take `requests_per_second`, `requests_per_month` or `saturated`",
            );
        }
        let Some(measured) = item.measured.as_deref() else { return };
        if item.disaggregated && measured.output_tokens_per_second_per_gpu.is_some() {
            refuse(
                "/disaggregated",
                "`output_tokens_per_second_per_gpu` was measured on replicas that do both",
            );
        }
        if item.slo.ttft_ms.is_some() || item.slo.tpot_ms.is_some() {
            refuse(
                "/slo",
                "what is measured says what the machines sustain, not how fast one request is answered",
            );
        }
        if item.hardware.gpu.is_none() {
            // The speed of which?
            self.fault("/hardware/gpu", FaultKind::MissingField { name: "gpu".to_owned() });
        }
    }

    /// A figure of the request within bounds.
    fn within(
        &mut self,
        field: &str,
        figure: Figure,
        least: f64,
        most: f64,
        unit: &'static str,
    ) -> Sourced<'a> {
        self.check(field, figure, least, most);
        self.given(field, figure, unit)
    }

    fn check(&mut self, field: &str, figure: Figure, least: f64, most: f64) {
        let (low, high) = (figure.0.low(), figure.0.high());
        if low < least || high > most {
            let got = if low < least { low } else { high };
            let detail = format!("must be from {least} to {most:e}, got {got}");
            self.fault(field, FaultKind::OutOfRange { detail });
        }
    }

    /// A limit of time, seconds.
    fn limit(&mut self, field: &str, figure: Option<Figure>) -> Option<f64> {
        let milliseconds = figure?;
        self.check(field, milliseconds, 1e-3, 1e9);
        Some(milliseconds.mid() / 1e3)
    }

    fn format(&mut self, field: &str, name: &str) -> Option<Format> {
        let format = Format::named(name);
        if format.is_none() {
            let names = Format::ALL.map(Format::name);
            let near = names::near(name, names.into_iter());
            let kind = FaultKind::UnknownFormat { name: name.to_owned(), known: names.join(", "), near };
            self.fault(field, kind);
        }
        format
    }

    fn engine(&mut self, name: &str) -> Option<Engine> {
        let found = ENGINES.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        if found.is_none() {
            let names = ENGINES.map(|(name, _)| name);
            let near = names::near(name, names.into_iter());
            let kind = FaultKind::UnknownEngine { name: name.to_owned(), known: names.join(", "), near };
            self.fault("/engine", kind);
        }
        found.map(|(_, engine)| engine)
    }
}
