//! Published runs and speeds as observations: their shapes, their arithmetic, the features of the prior.

use jiff::Timestamp;

use super::fit::Observation;
use crate::{
    catalog::{
        architecture::{Shape, ShapeFault},
        gpu::Gpu,
        ids::{GpuId, ModelId},
        model::Architecture,
        published_run::PublishedRun,
        published_throughput::PublishedThroughput,
        rows::Versioned,
        snapshot::View,
    },
    estimate::training::{
        prior::{Features, Part, Situation, TERMS, gpu_hours},
        stage::Precision,
    },
};

/// Kinds of run whose arithmetic is that of a stream of tokens through all parameters.
const KINDS: [&str; 4] = ["pretrain", "continued_pretrain", "sft", "throughput_benchmark"];

/// Whose figure is a step time times the steps.
const BENCHMARK: &str = "throughput_benchmark";

/// Tokens of a sequence where nobody says: as in a request.
const USUAL_SEQUENCE: f64 = 4096.0;

/// `LoRA` computes no gradients of frozen weights: 4 FLOPs for each parameter and token, not 6.
const LORA_SHARE: f64 = 4.0 / 6.0;

/// The start of a job is at most this share of a run's hours.
const MOST_STARTUP: f64 = 0.7;

/// How much the published steady speeds of one model, part, precision and kind count together; a run counts 1.
const SPEEDS_WEIGHT: f64 = 0.2;

/// A published run with all that the engine needs to answer for it, and its hours.
#[derive(Debug)]
pub(super) struct Run<'s> {
    pub(super) row: &'s PublishedRun,
    pub(super) gpu: &'s Gpu,
    pub(super) part: Part<'s>,
    pub(super) shape: Shape,
    pub(super) sequence: f64,
    pub(super) tokens: f64,
    pub(super) hours: f64,
    pub(super) features: Features,
    /// Model FLOPs, causal.
    pub(super) flops: f64,
    /// Hours that all GPUs wait for the first step; 0 where their number is not known.
    pub(super) startup: f64,
}

impl<'s> Run<'s> {
    /// Reads a row; else all that it lacks. `startup`: hours before a job's first step.
    pub(super) fn read(view: View<'s>, row: &'s PublishedRun, startup: f64) -> Result<Self, Vec<String>> {
        let lacks = lacks(row);
        let told = (row.tokens.zip(row.gpu_hours), precision(row.precision.as_deref()));
        let (Some((tokens, hours)), Some(precision), true) = (told.0, told.1, lacks.is_empty()) else {
            return Err(lacks);
        };
        let Some((gpu, part)) = gpu_of(view, row.gpu.as_ref()).and_then(|gpu| Some((gpu, Part::of(gpu)?)))
        else {
            return Err(vec!["its part has no BF16 or FP16 peak in the catalog".to_owned()]);
        };
        let shape = Shape::of(&architecture(view, row)).map_err(|faults| {
            let told = |fault: &ShapeFault| format!("its shape: {}: {}", fault.field, fault.detail);
            faults.iter().map(told).collect::<Vec<_>>()
        })?;
        let sequence = row.sequence_length.map_or(USUAL_SEQUENCE, f64::from);
        let benchmark = row.kind == BENCHMARK;
        let count = row.gpu_count.map(f64::from);
        let features = Features::of(&Situation {
            part,
            precision,
            is_moe: shape.is_moe(),
            is_hybrid: shape.mix.linear > 0.0,
            active_params: shape.active_params,
            count,
            benchmark,
        });
        let flops = shape.training_flops_per_token(sequence) * tokens;
        let startup = if benchmark { 0.0 } else { count.unwrap_or(0.0) * startup };
        let run = Self { row, gpu, part, shape, sequence, tokens, hours, features, flops, startup };
        if run.observation().observed.is_finite() {
            return Ok(run);
        }
        Err(vec!["its figures are so far from one another that no utilisation comes of them".to_owned()])
    }

    /// The run as an observation of `ln U`, the start of the job left out.
    pub(super) fn observation(&self) -> Observation<TERMS> {
        let steps = (self.hours - self.startup).max((1.0 - MOST_STARTUP) * self.hours);
        let utilization = self.flops / (3600.0 * self.part.reference_peak * steps);
        observation(&self.features, utilization, 1.0)
    }

    /// What the engine says of its hours at a utilisation.
    pub(super) fn hours_at(&self, ln_utilization: f64) -> f64 {
        gpu_hours(self.flops, self.part.reference_peak, ln_utilization.exp()) + self.startup
    }

    pub(super) fn generation(&self) -> Option<&'s str> {
        self.part.generation
    }

    pub(super) fn is_benchmark(&self) -> bool {
        self.row.kind == BENCHMARK
    }
}

/// What keeps a row from being scored, as far as its own columns show.
fn lacks(row: &PublishedRun) -> Vec<String> {
    let mut lacks = Vec::new();
    let mut unless = |is_there: bool, why: String| {
        if !is_there {
            lacks.push(why);
        }
    };
    let kind = &row.kind;
    unless(KINDS.contains(&kind.as_str()), format!("a `{kind}` is not one pass of tokens through a model"));
    unless(row.tier != "C", "tier C: an estimate, or known to disagree with itself".to_owned());
    unless(row.baseline_ok || row.tier == "C", "not marked as fit to judge accuracy by".to_owned());
    unless(row.gpu_hours.is_some(), "its hours are not published".to_owned());
    unless(row.tokens.is_some(), "its tokens are not published".to_owned());
    unless(row.gpu.is_some(), "its part is not published, or not in the catalog".to_owned());
    let written = row.precision.as_deref();
    unless(
        precision(written).is_some(),
        match written {
            Some(other) => format!("`{other}` is no precision of the engine's"),
            None => "its precision is not published".to_owned(),
        },
    );
    lacks
}

fn precision(name: Option<&str>) -> Option<Precision> {
    Precision::ALL.into_iter().find(|precision| Some(precision.name()) == name)
}

fn gpu_of<'s>(view: View<'s>, gpu: Option<&GpuId>) -> Option<&'s Gpu> {
    view.gpu(gpu?.as_str()).map(|gpu| &gpu.row)
}

fn model_of(view: View<'_>, model: Option<&ModelId>) -> Option<Architecture> {
    view.model(model?.as_str())?.row.architecture.clone()
}

/// The shape of a run's model: the catalog's, then what the row says apart, then its columns.
fn architecture(view: View<'_>, row: &PublishedRun) -> Architecture {
    let known = model_of(view, row.model.as_ref()).unwrap_or_default();
    let (ffn_size, moe_ffn_size) = match row.experts {
        Some(_) => (None, row.ffn_size),
        None => (row.ffn_size, None),
    };
    let columns = Architecture {
        params_total: row.params_total,
        params_active: row.params_active,
        num_layers: row.layers,
        hidden_size: row.hidden_size,
        num_heads: row.heads,
        num_kv_heads: row.kv_heads,
        ffn_size,
        moe_ffn_size,
        vocab_size: row.vocab_size,
        num_experts: row.experts,
        experts_per_token: row.experts_active,
        ..Architecture::default()
    };
    known.or(row.shape.clone().unwrap_or_default()).or(columns)
}

/// A published steady speed of training.
#[derive(Debug)]
pub(super) struct Speed<'s> {
    pub(super) row: &'s PublishedThroughput,
    pub(super) gpu: &'s Gpu,
    pub(super) features: Features,
    pub(super) utilization: f64,
    pub(super) is_moe: bool,
    /// Speeds of the same model, part, precision and kind, itself included.
    alike: f64,
}

impl<'s> Speed<'s> {
    fn read(view: View<'s>, row: &'s PublishedThroughput) -> Option<Self> {
        let gpu = gpu_of(view, row.gpu.as_ref())?;
        let part = Part::of(gpu)?;
        let shape = Shape::of(&model_of(view, row.model.as_ref())?).ok()?;
        let tokens = row.tokens_per_second_per_gpu?;
        let precision = precision(Some(&row.precision))?;
        let counted = if row.kind == "lora" { LORA_SHARE } else { 1.0 };
        let sequence = row.sequence_length.map_or(USUAL_SEQUENCE, f64::from);
        let utilization = tokens * counted * shape.training_flops_per_token(sequence) / part.reference_peak;
        let is_moe = shape.is_moe();
        let features = Features::of(&Situation {
            part,
            precision,
            is_moe,
            is_hybrid: shape.mix.linear > 0.0,
            active_params: shape.active_params,
            count: Some(row.gpu_count.into()),
            benchmark: true,
        });
        utilization.ln().is_finite().then_some(Self { row, gpu, features, utilization, is_moe, alike: 1.0 })
    }

    pub(super) fn observation(&self) -> Observation<TERMS> {
        observation(&self.features, self.utilization, SPEEDS_WEIGHT / self.alike)
    }

    fn alike(&self) -> (&Option<ModelId>, &Option<GpuId>, &str, &str) {
        (&self.row.model, &self.row.gpu, &self.row.precision, &self.row.kind)
    }
}

fn observation(features: &Features, utilization: f64, weight: f64) -> Observation<TERMS> {
    Observation { features: features.values, observed: utilization.ln() - features.offset, weight }
}

/// All that the prior is fitted to.
#[derive(Debug)]
pub(super) struct Data<'s> {
    pub(super) runs: Vec<Run<'s>>,
    /// Runs that are not scored, and why.
    pub(super) others: Vec<(&'s PublishedRun, Vec<String>)>,
    pub(super) speeds: Vec<Speed<'s>>,
    /// Speeds of training whose arithmetic is not known.
    pub(super) speeds_left_out: usize,
}

impl<'s> Data<'s> {
    /// The published runs and speeds of a view; runs go unscored where no row says how long a job takes to start.
    pub(super) fn read(view: View<'s>, at: Timestamp) -> Self {
        let history = view.snapshot().history();
        let startup = view.assumption(STARTUP, at).map(|row| row.row.mid / 60.0);
        let (mut runs, mut others) = (Vec::new(), Vec::new());
        for Versioned { row, .. } in view.known(&history.published_runs) {
            let read = startup.ok_or_else(|| vec![format!("there is no assumption `{STARTUP}`")]);
            match read.and_then(|startup| Run::read(view, row, startup)) {
                Ok(run) => runs.push(run),
                Err(why) => others.push((row, why)),
            }
        }
        let trained = view.known(&history.published_throughputs).map(|row| &row.row);
        let trained: Vec<_> = trained.filter(|row| row.workload == "training").collect();
        let mut speeds: Vec<_> = trained.iter().filter_map(|row| Speed::read(view, row)).collect();
        let alike: Vec<usize> = speeds
            .iter()
            .map(|one| speeds.iter().filter(|other| one.alike() == other.alike()).count())
            .collect();
        for (speed, alike) in speeds.iter_mut().zip(alike) {
            #[expect(clippy::cast_precision_loss, reason = "a handful")]
            let alike = alike as f64;
            speed.alike = alike;
        }
        let speeds_left_out = trained.len() - speeds.len();
        Self { runs, others, speeds, speeds_left_out }
    }
}

/// The row that says how long a job takes before its first step.
pub(super) const STARTUP: &str = "training.job_startup_minutes";
