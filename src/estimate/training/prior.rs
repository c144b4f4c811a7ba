//! How busy a training keeps its accelerators, where nobody has said: what published runs got of their peaks.
//!
//! `U = base · balance^e · size^f · (every factor that applies) · run`, whole-run: model FLOPs (causal attention,
//! nothing computed twice) over the dense BF16 peak, over all hours of the run, restarts and all. Each term is an
//! `assumption` row `training.utilization.*`, drawn once in a quote, whose spread is the standard error with which the
//! runs tell it; `run` is what one run differs from the next. So a part, a format or a kind of model of
//! which little is published has a wider range by itself.
//!
//! [`crate::estimate::accuracy`] fits the rows to the published runs and throughputs of a catalog.

use super::stage::Precision;
use crate::{
    catalog::{
        gpu::{DenseTflops, Gpu},
        snapshot::View,
    },
    estimate::{
        desk::{Desk, Sourced},
        uncertain::Uncertain,
    },
};

/// How a row acts: with what a feature is, `U` is multiplied by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// `row ^ feature`; the feature is mostly 0 or 1.
    Factor,
    /// `exp(row · feature)`; the feature is the logarithm of a ratio.
    Exponent,
}

/// One term of the prior.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Term {
    /// The assumption row.
    pub(crate) id: &'static str,
    /// Its name among a line's inputs.
    pub(crate) name: &'static str,
    /// What it is, as the row says.
    pub(crate) description: &'static str,
    pub(crate) form: Form,
}

/// How many terms are fitted.
pub(crate) const TERMS: usize = 11;

/// The terms that are fitted, in the order of [`Features`]; the first is the level of all.
pub(crate) const FITTED: [Term; TERMS] = [
    Term {
        id: "training.utilization.base",
        name: "base_utilization",
        description: "Model FLOPs (causal attention) by the dense BF16 peak, over all hours of a run: a dense model of 10 billion parameters or more in BF16 on an NVIDIA part of 3.386 bytes/s for each 1000 FLOP/s, on 32 GPUs or more",
        form: Form::Factor,
    },
    Term {
        id: "training.utilization.balance",
        name: "balance_exponent",
        description: "Exponent of the part's bytes/s for each 1000 FLOP/s (2 to 6.54) by 3.386",
        form: Form::Exponent,
    },
    Term {
        id: "training.utilization.other_maker",
        name: "other_maker",
        description: "Factor on utilization: a part that is not NVIDIA's, or has no BF16",
        form: Form::Factor,
    },
    Term {
        id: "training.utilization.moe",
        name: "mixture_of_experts",
        description: "Factor on utilization: a mixture of experts",
        form: Form::Factor,
    },
    Term {
        id: "training.utilization.low_precision",
        name: "low_precision",
        description: "Factor on utilization (of the BF16 peak): FP8, MXFP8 or NVFP4",
        form: Form::Factor,
    },
    Term {
        id: "training.utilization.low_precision_dense",
        name: "low_precision_dense",
        description: "Further factor on utilization: FP8, MXFP8 or NVFP4 in a dense model",
        form: Form::Factor,
    },
    Term {
        id: "training.utilization.nvfp4_dense",
        name: "nvfp4_dense",
        description: "Further factor on utilization: NVFP4 in a dense model",
        form: Form::Factor,
    },
    Term {
        id: "training.utilization.small_model",
        name: "size_exponent",
        description: "Exponent of active parameters by 10 billion, in a smaller model on 32 GPUs or more",
        form: Form::Exponent,
    },
    Term {
        id: "training.utilization.no_downtime",
        name: "no_downtime",
        description: "Factor on utilization: 16 GPUs or fewer, or steps without restarts (from 16 to 32 GPUs by its power from 1 to 0)",
        form: Form::Factor,
    },
    Term {
        id: "training.utilization.hybrid",
        name: "hybrid",
        description: "Factor on utilization: layers with a state space or linear attention",
        form: Form::Factor,
    },
    Term {
        id: "training.utilization.rack",
        name: "rack_scale",
        description: "Factor on utilization: a part whose fast link joins 72 or more",
        form: Form::Factor,
    },
];

/// What one run differs from the next.
pub(crate) const RUN: Term = Term {
    id: "training.utilization.run",
    name: "run",
    description: "Factor on utilization: what one run differs from the next",
    form: Form::Factor,
};

/// What a generation of parts without published runs may differ.
pub(crate) const UNSEEN_PART: Term = Term {
    id: "training.utilization.unseen_part",
    name: "unseen_part",
    description: "Further factor on utilization: a generation of parts that no published run used",
    form: Form::Factor,
};

/// The formula of [`Prior`], in the names of its inputs.
fn formula(inputs: &[(&'static str, Sourced<'_>)]) -> &'static str {
    let has = |name: &str| inputs.iter().any(|(input, _)| *input == name);
    match (has("balance_ratio"), has("size_ratio")) {
        (true, true) => {
            "base_utilization * balance_ratio ^ balance_exponent * size_ratio ^ size_exponent * every other factor given"
        }
        (true, false) => "base_utilization * balance_ratio ^ balance_exponent * every other factor given",
        (false, true) => "base_utilization * size_ratio ^ size_exponent * every other factor given",
        (false, false) => "base_utilization * every other factor given",
    }
}

/// The range of memory bandwidth by peak, in bytes for each 1000 FLOP, that published runs reach; beyond it the
/// nearer end is taken.
const BALANCE: (f64, f64) = (2.0, 6.54);

/// The balance of an H100, in bytes for each 1000 FLOP.
const USUAL_BALANCE: f64 = 3.386;

/// Models with fewer active parameters than this are small.
const SMALL: f64 = 10e9;

/// Parts whose fast link joins so many are racks.
const RACK: u32 = 72;

/// What the prior needs to know of a part.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Part<'s> {
    pub(crate) generation: Option<&'s str>,
    /// The maker; unknown is not held against it.
    pub(crate) vendor: Option<&'s str>,
    pub(crate) has_bf16: bool,
    /// Dense BF16 peak, FP16 where there is none, in FLOP/s.
    pub(crate) reference_peak: f64,
    /// Dense TF32 and FP32 peaks by the reference.
    wide: (Option<f64>, Option<f64>),
    /// Memory bandwidth by the reference peak, in bytes for each FLOP.
    pub(crate) balance: f64,
    pub(crate) fast_domain: Option<u32>,
}

impl<'s> Part<'s> {
    /// The part of a data sheet; none where it has neither a BF16 nor an FP16 peak.
    pub(crate) fn new(
        (vendor, generation): (Option<&'s str>, Option<&'s str>),
        dense: &DenseTflops,
        memory_bandwidth_gbs: f64,
        fast_domain: Option<u32>,
    ) -> Option<Self> {
        let peak = dense.bf16.or(dense.fp16)?;
        Some(Self {
            generation,
            vendor,
            has_bf16: dense.bf16.is_some(),
            reference_peak: peak * 1e12,
            wide: (dense.tf32.map(|wide| wide / peak), dense.fp32.map(|wide| wide / peak)),
            balance: memory_bandwidth_gbs / peak / 1e3,
            fast_domain,
        })
    }

    /// A part of the catalog.
    pub(crate) fn of(gpu: &'s Gpu) -> Option<Self> {
        let made = (Some(gpu.vendor.as_str()), gpu.architecture.as_deref());
        Self::new(made, &gpu.dense_tflops, gpu.memory_bandwidth_gbs, gpu.fast_domain_gpus)
    }

    /// Logarithm of what a format wider than 16 bits gets of the reference peak; the published runs use none.
    fn ln_wide(&self, precision: Precision) -> f64 {
        let share = match precision {
            Precision::Tf32 => self.wide.0,
            Precision::Fp32 => self.wide.1,
            Precision::Fp16 | Precision::Bf16 | Precision::Fp8 | Precision::Mxfp8 | Precision::Nvfp4 => None,
        };
        share.map_or(0.0, |share| share.min(1.0).ln())
    }
}

/// A training whose utilisation is asked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Situation<'s> {
    pub(crate) part: Part<'s>,
    /// One that the part has.
    pub(crate) precision: Precision,
    pub(crate) is_moe: bool,
    /// Whether it has layers with a state space or linear attention.
    pub(crate) is_hybrid: bool,
    /// Parameters that a token uses.
    pub(crate) active_params: f64,
    /// GPUs, where that is known.
    pub(crate) count: Option<f64>,
    /// Steady steps are asked for, without what comes between them.
    pub(crate) benchmark: bool,
}

/// What of a situation the terms act on: `ln U = Σ feature · coefficient`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Features {
    pub(crate) values: [f64; TERMS],
    /// Added to `ln U`: formats wider than 16 bits.
    pub(crate) offset: f64,
}

impl Features {
    pub(crate) fn of(situation: &Situation<'_>) -> Self {
        let Situation { part, precision, is_moe, active_params, .. } = *situation;
        let no_downtime = no_downtime(situation);
        let of = |applies: bool| f64::from(u8::from(applies));
        let low = matches!(precision, Precision::Fp8 | Precision::Mxfp8 | Precision::Nvfp4);
        let is_nvidia = part.vendor.is_none_or(|vendor| vendor.eq_ignore_ascii_case("nvidia"));
        let balance = (part.balance * 1e3).clamp(BALANCE.0, BALANCE.1) / USUAL_BALANCE;
        let values = [
            1.0,
            balance.ln(),
            of(!is_nvidia || !part.has_bf16),
            of(is_moe),
            of(low),
            of(low && !is_moe),
            of(precision == Precision::Nvfp4 && !is_moe),
            (1.0 - no_downtime) * (active_params / SMALL).min(1.0).ln(),
            no_downtime,
            of(situation.is_hybrid),
            of(part.fast_domain.is_some_and(|joined| joined >= RACK)),
        ];
        Self { values, offset: part.ln_wide(precision) }
    }
}

/// 1 where nothing interrupts the steps, 0 where a large cluster's restarts do.
///
/// Ten minutes of 16 GPUs are soon made good, and nobody leaves a rented server idle; from 32 GPUs on runs behave
/// alike. A count that is not known is a large one's.
fn no_downtime(situation: &Situation<'_>) -> f64 {
    match (situation.benchmark, situation.count) {
        (true, _) => 1.0,
        (false, None) => 0.0,
        (false, Some(count)) => (5.0 - count.max(1.0).log2()).clamp(0.0, 1.0),
    }
}

/// `ln U` of coefficients in plain numbers: what [`utilization`] gives in the middle, from a fit instead of rows.
pub(crate) fn ln_utilization(features: &Features, coefficients: &[f64; TERMS]) -> f64 {
    let sum: f64 = features.values.iter().zip(coefficients).map(|(feature, term)| feature * term).sum();
    features.offset + sum
}

/// Hours of one accelerator, without the start of the job: `F / (3600 · peak · U)`.
///
/// `flops`: model FLOPs, causal; `peak`: of the part, dense BF16, in FLOP/s; `utilization`: of the whole run.
pub(crate) fn gpu_hours(flops: f64, peak: f64, utilization: f64) -> f64 {
    flops / (3600.0 * peak * utilization)
}

/// What is expected where nothing is known.
#[derive(Debug, Clone)]
pub(crate) struct Prior<'a> {
    pub(crate) value: Uncertain,
    pub(crate) inputs: Vec<(&'static str, Sourced<'a>)>,
    pub(crate) formula: &'static str,
}

/// The utilisation of a whole run, goodput included, from the rows; none, and a fault, where one is missing.
pub(crate) fn utilization<'a>(desk: &mut Desk<'a, '_>, situation: &Situation<'_>) -> Option<Prior<'a>> {
    let features = Features::of(situation);
    let unseen = !is_seen(desk.view(), situation.part.generation);
    let fitted = FITTED.iter().zip(features.values).filter(|(_, feature)| *feature != 0.0);
    let others = [(&RUN, 1.0)].into_iter().chain(unseen.then_some((&UNSEEN_PART, 1.0)));
    let mut inputs = Vec::with_capacity(8);
    let mut value = Uncertain::exact(features.offset.exp());
    let mut powers: Option<Uncertain> = None;
    for (term, feature) in fitted.chain(others) {
        let row = desk.assumption(term.id)?;
        match term.form {
            Form::Factor if feature.to_bits() == 1.0_f64.to_bits() => value = &value * &row.value,
            Form::Factor => {
                value = value.with(&row.value, |value, factor| value * factor.powf(feature));
                inputs.push(("power_of_no_downtime", ratio(feature)));
            }
            Form::Exponent => {
                let power = row.value.times(feature);
                powers = Some(powers.map_or(power.clone(), |powers| &powers + &power));
                let name = if term.name == "size_exponent" { "size_ratio" } else { "balance_ratio" };
                inputs.push((name, ratio(feature.exp())));
            }
        }
        inputs.push((term.name, row));
    }
    if let Some(powers) = powers {
        value = value.with(&powers, |value, powers| value * powers.exp());
    }
    let formula = formula(&inputs);
    Some(Prior { value, inputs, formula })
}

fn ratio<'a>(value: f64) -> Sourced<'a> {
    Sourced::derived(Uncertain::exact(value), "ratio")
}

/// Whether some published run that is fit to judge by used a generation of parts.
fn is_seen(view: View<'_>, generation: Option<&str>) -> bool {
    let Some(generation) = generation else { return false };
    let runs = view.known(&view.snapshot().history().published_runs);
    runs.filter(|run| run.row.baseline_ok).filter_map(|run| run.row.gpu.as_ref()).any(|gpu| {
        let part = view.gpu(gpu.as_str());
        part.is_some_and(|part| part.row.architecture.as_deref() == Some(generation))
    })
}

/// Tokens, prompts and answers together, that a GPU gets through in a second of reinforcement learning, end to end.
///
/// `c · bandwidth / (2·N_active) · (N_total / 10^11)^e`: generation reads the active weights once for so many
/// tokens, and a larger model is spread over more machines. At most what `cap` of the peak allows at `10·N` FLOPs a
/// token (generation 2, reference 2, training 6). A sandbox that runs the answers takes the factor
/// `training.rl.tokens.sandbox`. PPO, whose value and reward models are computed besides, is for the caller to
/// divide by `1 + (8·N_value + 2·N_reward) / (10·N)`.
///
/// - `active_params`, `total_params`: of the policy
/// - `bandwidth`: of one GPU's memory, bytes/s; `peak`: dense BF16, FLOP/s
///
/// Fitted to the published steps of GRPO (see `/accuracy`); the spread is judgement.
pub(crate) fn rl_tokens_per_second_per_gpu<'a>(
    desk: &mut Desk<'a, '_>,
    (active_params, total_params): (f64, f64),
    bandwidth: f64,
    peak: f64,
    sandbox: bool,
) -> Option<Prior<'a>> {
    let scale = desk.assumption("training.rl.tokens.scale")?;
    let exponent = desk.assumption("training.rl.tokens.exponent")?;
    let spread = desk.assumption("training.rl.tokens.spread")?;
    let cap = desk.assumption("training.rl.tokens.cap")?;
    let size = (total_params / RL_USUAL).ln();
    let weights = bandwidth / (2.0 * active_params);
    let mean = scale.value.with(&exponent.value, |scale, exponent| weights * scale * (exponent * size).exp());
    let most = peak / (RL_FLOPS * active_params);
    let uncapped = &mean * &spread.value;
    let value = uncapped.with(&cap.value, |speed, cap| speed.min(cap * most));
    let reads = Sourced::derived(Uncertain::exact(weights), "1/s");
    let mut inputs = vec![
        ("weight_reads_per_second", reads),
        ("size_ratio", ratio(total_params / RL_USUAL)),
        ("scale", scale),
        ("size_exponent", exponent),
        ("run", spread),
        ("utilization_cap", cap),
    ];
    if !sandbox {
        return Some(Prior { value, inputs, formula: RL_FORMULA });
    }
    let slower = desk.assumption("training.rl.tokens.sandbox")?;
    let value = &value * &slower.value;
    inputs.push(("sandbox", slower));
    Some(Prior { value, inputs, formula: RL_SANDBOX_FORMULA })
}

/// The size of policy that the scale is of.
pub(crate) const RL_USUAL: f64 = 1e11;

/// FLOPs for each active parameter and token: to generate 2, reference 2, to train 6.
pub(crate) const RL_FLOPS: f64 = 10.0;

const RL_FORMULA: &str =
    "min(weight_reads_per_second * scale * size_ratio ^ size_exponent * run, what utilization_cap allows)";

const RL_SANDBOX_FORMULA: &str = "min(weight_reads_per_second * scale * size_ratio ^ size_exponent * run, what utilization_cap allows) * sandbox";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        catalog::{edition::built_in, snapshot::Snapshot},
        estimate::{
            fault::Fault,
            training::testing::{at_desk, at_desk_with},
        },
    };

    fn part(vendor: &str, bandwidth: f64, bf16: f64) -> Part<'_> {
        let dense = DenseTflops { bf16: Some(bf16), tf32: Some(bf16 / 2.0), ..DenseTflops::default() };
        Part::new((Some(vendor), Some("Hopper")), &dense, bandwidth, Some(8)).unwrap()
    }

    fn situation(part: Part<'_>) -> Situation<'_> {
        Situation {
            part,
            precision: Precision::Bf16,
            is_moe: false,
            is_hybrid: false,
            active_params: 70e9,
            count: Some(1024.0),
            benchmark: false,
        }
    }

    #[test]
    fn a_large_dense_run_on_an_h100_is_the_level_of_all() {
        let features = Features::of(&situation(part("NVIDIA", 3386.0, 1000.0)));
        let mut base = [0.0; TERMS];
        base[0] = 1.0;
        assert_eq!(features.values.map(f64::to_bits), base.map(f64::to_bits));
        assert!(features.offset.abs() < f64::EPSILON);
    }

    #[test]
    fn downtime_goes_with_the_count() {
        let share = |count| no_downtime(&Situation { count, ..situation(part("NVIDIA", 3386.0, 1000.0)) });
        let shares = [Some(8.0), Some(16.0), Some(32.0), None].map(share);
        assert_eq!(shares.map(f64::to_bits), [1.0_f64, 1.0, 0.0, 0.0].map(f64::to_bits));
        assert!((share(Some(512.0_f64.sqrt())) - 0.5).abs() < 1e-9, "half way between, in powers of two");
        let benchmark = Situation { benchmark: true, ..situation(part("NVIDIA", 3386.0, 1000.0)) };
        assert!((no_downtime(&benchmark) - 1.0).abs() < f64::EPSILON);
    }

    #[test]
    fn balance_is_clamped_to_what_runs_have_shown() {
        let of = |bandwidth| Features::of(&situation(part("NVIDIA", bandwidth, 1000.0))).values[1];
        assert_eq!(of(1.0).to_bits(), of(2000.0).to_bits());
        assert_eq!(of(6540.0).to_bits(), of(1e6).to_bits());
        assert!(of(4000.0) > of(3000.0));
    }

    #[test]
    fn a_wide_format_is_as_slow_as_its_peak() {
        let tf32 = Situation { precision: Precision::Tf32, ..situation(part("NVIDIA", 3386.0, 1000.0)) };
        assert!((Features::of(&tf32).offset.exp() - 0.5).abs() < 1e-12);
    }

    #[test]
    fn another_maker_is_one_that_is_known_to_be() {
        let of = |part: Part<'_>| Features::of(&situation(part)).values[2];
        let makers = ["AMD", "NVIDIA"].map(|vendor| of(part(vendor, 3386.0, 1000.0)));
        assert_eq!(makers.map(f64::to_bits), [1.0_f64, 0.0].map(f64::to_bits));
        let unknown = Part { vendor: None, ..part("AMD", 3386.0, 1000.0) };
        assert!(of(unknown).abs() < f64::EPSILON);
        let volta = Part { has_bf16: false, ..part("NVIDIA", 3386.0, 1000.0) };
        assert!((of(volta) - 1.0).abs() < f64::EPSILON);
    }

    /// The built-in catalog with one row of assumptions changed, or without it.
    fn with_row(id: &str, change: impl Fn(f64) -> Option<f64>) -> Snapshot {
        let mut edition = built_in().unwrap();
        edition.tables.assumptions.retain_mut(|row| {
            let figures = [&mut row.low, &mut row.mid, &mut row.high];
            row.id != id
                || figures.into_iter().all(|figure| change(*figure).map(|new| *figure = new).is_some())
        });
        edition.into_snapshot().unwrap()
    }

    fn on_h100<'s>() -> Situation<'s> {
        situation(part("NVIDIA", 3350.0, 989.4))
    }

    fn quoted(situation: &Situation<'_>) -> Uncertain {
        let (prior, faults) = at_desk(|desk| utilization(desk, situation));
        assert_eq!(faults, []);
        prior.unwrap().value
    }

    /// What the rows say in plain numbers, and how wide the range of the logarithm has to be.
    fn by_hand(situation: &Situation<'_>, unseen: bool) -> (f64, f64) {
        let edition = built_in().unwrap();
        let row = |term: &Term| edition.tables.assumptions.iter().find(|row| row.id == term.id).unwrap();
        let features = Features::of(situation);
        let figure = |term: &Term, figure: f64| if term.form == Form::Factor { figure.ln() } else { figure };
        let coefficients = FITTED.map(|term| figure(&term, row(&term).mid));
        let width = |term: &Term| (figure(term, row(term).high) - figure(term, row(term).low)) / 2.0;
        let of_terms =
            FITTED.iter().zip(features.values).map(|(term, x)| (x * width(term)).powi(2)).sum::<f64>();
        let of_part = if unseen { width(&UNSEEN_PART).powi(2) } else { 0.0 };
        (ln_utilization(&features, &coefficients), (of_terms + of_part + width(&RUN).powi(2)).sqrt())
    }

    #[test]
    fn a_quote_draws_what_the_fit_says_in_plain_numbers() {
        let plain = on_h100();
        let nothing_alike = Situation {
            part: Part { generation: Some("Ada"), fast_domain: Some(72), ..part("AMD", 5300.0, 1307.0) },
            precision: Precision::Nvfp4,
            is_hybrid: true,
            active_params: 1e9,
            count: Some(20.0),
            ..plain
        };
        for (situation, unseen) in [(plain, false), (nothing_alike, true)] {
            let (ln_mid, width) = by_hand(&situation, unseen);
            let value = quoted(&situation);
            let (low, high) = value.range().unwrap();
            assert!((value.mid().ln() - ln_mid).abs() < 1e-9, "{value:?}");
            // The draws of a quote are few: its edges are as noisy, less so the way from one to the other.
            assert!(((high / low).ln() / (2.0 * width) - 1.0).abs() < 0.03, "{low} {high} {width}");
            for edge in [ln_mid - low.ln(), high.ln() - ln_mid] {
                assert!((edge / width - 1.0).abs() < 0.1, "{edge} {width}");
            }
        }
    }

    #[test]
    fn a_generation_without_published_runs_has_a_wider_range() {
        let width = |generation| {
            let value = quoted(&Situation { part: Part { generation, ..on_h100().part }, ..on_h100() });
            let (low, high) = value.range().unwrap();
            high / low
        };
        assert!(width(Some("Rubin")) > 1.05 * width(Some("Hopper")));
        assert!((width(None) - width(Some("Rubin"))).abs() < f64::EPSILON);
    }

    #[test]
    fn moving_a_row_moves_what_is_quoted() {
        let before = quoted(&on_h100());
        let snapshot = with_row("training.utilization.base", |figure| Some(figure * 1.1));
        let (after, faults) = at_desk_with(&snapshot, |desk| utilization(desk, &on_h100()).unwrap().value);
        assert_eq!(faults, []);
        assert!((after.mid() / before.mid() - 1.1).abs() < 1e-9);
        let snapshot = with_row("training.utilization.run", |figure| Some(figure.sqrt()));
        let (narrow, _) = at_desk_with(&snapshot, |desk| utilization(desk, &on_h100()).unwrap().value);
        let width = |value: &Uncertain| value.range().map(|(low, high)| high / low).unwrap();
        assert!(width(&narrow) < width(&before));
    }

    #[test]
    fn a_row_that_is_missing_is_a_fault_and_never_a_default() {
        let snapshot = with_row("training.utilization.run", |_| None);
        let (prior, faults) = at_desk_with(&snapshot, |desk| utilization(desk, &on_h100()).is_some());
        let told = |fault: &Fault| fault.kind.to_string();
        assert!(!prior && faults.len() == 1, "{faults:?}");
        assert!(told(&faults[0]).contains("training.utilization.run"), "{faults:?}");
    }

    #[test]
    fn every_input_is_told_and_drawn_once() {
        let ((first, again), _) = at_desk(|desk| {
            let situation = Situation { is_moe: true, count: Some(20.0), ..on_h100() };
            (utilization(desk, &situation).unwrap(), utilization(desk, &situation).unwrap())
        });
        assert_eq!((&first.value / &again.value).range(), None, "one draw for all stages");
        let names: Vec<_> = first.inputs.iter().map(|(name, _)| *name).collect();
        let wanted = ["base_utilization", "balance_ratio", "balance_exponent", "mixture_of_experts", "run"];
        assert!(wanted.iter().all(|name| names.contains(name)), "{names:?}");
        assert!(names.contains(&"power_of_no_downtime") && !names.contains(&"low_precision"), "{names:?}");
    }

    /// DeepSeek-V3 on 256 H100: 12.1 tokens/s for each GPU, NVIDIA `NeMo` RL v0.6.
    #[test]
    fn a_large_model_gets_through_few_tokens_of_reinforcement_learning() {
        let speed = |sandbox| {
            let prior = at_desk(|desk| {
                rl_tokens_per_second_per_gpu(desk, (37.55e9, 671e9), 3.35e12, 989.4e12, sandbox)
            });
            prior.0.unwrap().value
        };
        let (low, high) = speed(false).range().unwrap();
        assert!(low < 12.1 && 12.1 < high, "{low} {high}");
        assert!(speed(true).mid() < 0.2 * speed(false).mid());
    }

    #[test]
    fn reinforcement_learning_gets_no_more_of_the_peak_than_the_cap() {
        let (prior, _) = at_desk(|desk| {
            rl_tokens_per_second_per_gpu(desk, (1e6, 1e6), 3.35e12, 989.4e12, false).unwrap().value
        });
        assert!((prior.mid() / (0.25 * 989.4e12 / 1e7) - 1.0).abs() < 1e-9, "{prior:?}");
    }
}
