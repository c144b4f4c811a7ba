//! A published speed of serving as the physics takes it.

use jiff::Timestamp;

use super::super::{
    factor_ids,
    physics::{Device, Engine, Format, Formats, Layout, Load, Model},
};
use crate::{
    catalog::{
        architecture::{Shape, ShapeFault},
        gpu::Gpu,
        published_throughput::{InferenceSetup, PublishedThroughput},
        rows::Versioned,
        snapshot::View,
    },
    estimate::hardware::part::Part,
};

/// What was asked of the machines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::estimate) enum Regime {
    /// All requests at once.
    Offline,
    /// Users that are always busy.
    Users,
    /// Requests that arrive at random, within a limit of time.
    Server,
    /// One batch from start to end.
    StaticBatch,
    /// Prompts alone.
    Prefill,
    /// Output alone.
    Decode,
    /// The time to the first token.
    FirstToken,
}

impl Regime {
    fn named(kind: &str) -> Option<Self> {
        Some(match kind {
            "offline_max" => Self::Offline,
            "fixed_concurrency" => Self::Users,
            "server_slo" => Self::Server,
            "static_batch" => Self::StaticBatch,
            "prefill_only" => Self::Prefill,
            "decode_only" => Self::Decode,
            "single_stream_ttft" => Self::FirstToken,
            _ => return None,
        })
    }

    /// Whether constants are fitted on it.
    pub(in crate::estimate) fn is_fitted(self) -> bool {
        matches!(self, Self::Offline | Self::Users | Self::Server)
    }

    /// What is measured.
    pub(in crate::estimate) fn unit(self) -> &'static str {
        match self {
            Self::Prefill => "input token/s",
            Self::FirstToken => "ms",
            Self::Offline | Self::Users | Self::Server | Self::StaticBatch | Self::Decode => "output token/s",
        }
    }

    /// The range of speeds for it, for dense models and mixtures.
    pub(in crate::estimate) fn spread_id(self, mixture: bool) -> Option<&'static str> {
        Some(match (self, mixture) {
            (Self::Offline, false) => "serving.spread.offline.dense",
            (Self::Offline, true) => "serving.spread.offline.moe",
            (Self::Users, false) => "serving.spread.concurrency.dense",
            (Self::Users, true) => "serving.spread.concurrency.moe",
            (Self::Server, false) => "serving.spread.server.dense",
            (Self::Server, true) => "serving.spread.server.moe",
            _ => return None,
        })
    }
}

/// A published speed with all that a prediction of it needs.
#[derive(Debug)]
pub(in crate::estimate) struct Measured<'s> {
    pub(in crate::estimate) row: &'s Versioned<PublishedThroughput>,
    pub(in crate::estimate) setup: &'s InferenceSetup,
    pub(in crate::estimate) gpu: &'s Gpu,
    pub(in crate::estimate) regime: Regime,
    /// What was measured, in the unit of its regime, for each accelerator.
    pub(in crate::estimate) figure: f64,
    /// The assumptions that its speed rests on besides constants: of its engine, accelerator and family, where the
    /// catalog may have one.
    pub(in crate::estimate) factors: [Option<String>; 3],
    pub(in crate::estimate) is_mixture: bool,
    pub(in crate::estimate::serving) formats: Formats,
    pub(in crate::estimate::serving) engine: Engine,
    pub(super) model: Model,
    pub(super) device: Device,
    /// At least one.
    pub(super) layouts: Vec<Layout>,
    pub(super) load: Load,
    /// Requests in flight over all machines.
    pub(super) users: Option<f64>,
    /// Limit of the time for each token at the 99th percentile, seconds.
    pub(super) limit: Option<f64>,
    /// The year of the measurement, where that is known.
    pub(super) year: Option<f64>,
}

/// Places in [`Measured::factors`].
pub(in crate::estimate) const ENGINE: usize = 0;
/// The accelerator's.
pub(in crate::estimate) const GPU: usize = 1;
/// The family's.
pub(in crate::estimate) const FAMILY: usize = 2;

/// Rows that name no day, by engine and start of the version, and the year of that version.
const RELEASED: [(&str, &str, f64); 5] = [
    ("trtllm", "1.0", 2025.6),
    ("sglang", "0.5.6", 2025.9),
    ("sglang", "0.5.1.", 2025.65),
    ("sglang", "0.5.9", 2026.2),
    ("vllm", "0.12.", 2025.9),
];

const MOST_DEGREES: u32 = 65_536;

impl<'s> Measured<'s> {
    /// Reads a row; else what it lacks.
    pub(in crate::estimate) fn read(
        view: View<'s>,
        row: &'s Versioned<PublishedThroughput>,
        at: Timestamp,
    ) -> Result<Self, String> {
        let speed = &row.row;
        let setup = speed.inference.as_ref().ok_or("how it was served is not known")?;
        let regime = Regime::named(&speed.kind)
            .ok_or_else(|| format!("`{}` is no load that a replica could be put under", speed.kind))?;
        let (gpu, device) = sheet(view, speed, at)?;
        let (model, family) = model(view, speed)?;
        let weights = Format::named(&speed.precision)
            .ok_or_else(|| format!("`{}` is no format of weights", speed.precision))?;
        let figure = figure(speed, setup, regime).ok_or("the speed itself is not among its figures")?;
        let load = load(setup, regime)?;
        let kv_cache = kv_cache(setup, weights)?;
        let layouts = layouts(speed, setup, &model, &device)?;
        let (engine, named) = engine(speed, setup);
        let factors = [
            Some(factor_ids::engine(named)),
            Some(factor_ids::gpu(gpu.id.as_str())),
            family.map(|family| factor_ids::family(family, model.is_mixture())),
        ];
        let own = view.snapshot().is_operators(row.introduced);
        Ok(Self {
            row,
            setup,
            gpu,
            regime,
            figure,
            factors,
            is_mixture: model.is_mixture(),
            formats: Formats { weights, kv_cache },
            engine,
            model,
            device,
            layouts,
            load,
            users: setup.concurrency.map(f64::from),
            limit: setup.slo_tpot_p99_ms.filter(|_| regime == Regime::Server).map(|limit| limit / 1e3),
            year: year(speed, setup).or_else(|| own.then(|| f64::from(speed.observed_at.year()) + 0.5)),
        })
    }

    /// Whether its source tells the layout.
    pub(in crate::estimate) fn tells_its_layout(&self) -> bool {
        self.setup.tensor_parallel.is_some()
    }
}

fn sheet<'s>(
    view: View<'s>,
    speed: &PublishedThroughput,
    at: Timestamp,
) -> Result<(&'s Gpu, Device), String> {
    let named = speed.gpu.as_ref().and_then(|gpu| view.gpu(gpu.as_str()));
    let row = named.ok_or_else(|| format!("`{}` has no data sheet in the catalog", speed.hardware))?;
    let (gpu, part) = (&row.row, Part::of_row(row));
    let bf16 = part.reference_peak().map(|(_, peak)| peak);
    let labelled = || {
        let factor = view.assumption("hardware.memory_bytes_per_labelled_byte", at)?;
        Some(part.labelled_gb()? * 1e9 * factor.row.mid)
    };
    #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
    let memory = gpu.memory_bytes.map(|bytes| bytes as f64).or_else(labelled);
    let (Some(bf16), Some(bandwidth), Some(memory)) = (bf16, part.memory_bandwidth, memory) else {
        return Err(format!("the data sheet of `{}` lacks a peak, the bandwidth or the memory", gpu.id));
    };
    let peak = |tflops: Option<f64>| tflops.filter(|tflops| *tflops > 0.0).map(|tflops| tflops * 1e12);
    let device = Device {
        bf16,
        fp8: peak(part.tflops().fp8),
        fp4: peak(part.tflops().fp4),
        bandwidth,
        memory,
        link: part.peer_bandwidth,
        domain: f64::from(part.fast_domain_gpus.unwrap_or(1).max(1)),
    };
    Ok((gpu, device))
}

fn model<'s>(view: View<'s>, speed: &PublishedThroughput) -> Result<(Model, Option<&'s str>), String> {
    let named = speed.model.as_ref().and_then(|model| view.model(model.as_str()));
    let row = named.ok_or_else(|| format!("`{}` is not a model of the catalog", speed.model_name))?;
    let shape = row.row.architecture.as_ref();
    let shape = shape.ok_or_else(|| format!("the shape of `{}` is not known", row.row.id))?;
    let shape = Shape::of(shape).map_err(|faults| {
        let told = |fault: &ShapeFault| format!("its shape: {}: {}", fault.field, fault.detail);
        faults.first().map_or_else(String::new, told)
    })?;
    Ok((Model::of(&shape), row.row.family.as_deref()))
}

fn figure(speed: &PublishedThroughput, setup: &InferenceSetup, regime: Regime) -> Option<f64> {
    let figure = match regime {
        Regime::Prefill => setup.input_tokens_per_second_per_gpu,
        Regime::FirstToken => setup.ttft_ms,
        _ => speed.tokens_per_second_per_gpu,
    };
    figure.filter(|figure| figure.is_finite() && *figure > 0.0)
}

fn load(setup: &InferenceSetup, regime: Regime) -> Result<Load, String> {
    let input = setup.input_tokens_mean.or(setup.input_tokens.map(f64::from));
    let output = setup.output_tokens_mean.or(setup.output_tokens.map(f64::from));
    let output = match regime {
        Regime::Prefill | Regime::FirstToken => output.or(Some(1.0)),
        _ => output,
    };
    let (Some(input), Some(output)) = (input, output) else {
        return Err("how long its requests were is not known".to_owned());
    };
    Ok(Load { input: input.max(1.0), output: output.max(1.0), cached: 0.0 })
}

/// As stated; where it is not, TensorRT-LLM keeps keys and values of 8-bit and 4-bit floats in FP8.
fn kv_cache(setup: &InferenceSetup, weights: Format) -> Result<Format, String> {
    let Some(name) = &setup.kv_precision else {
        let narrow = matches!(weights, Format::Fp8 | Format::Nvfp4) && setup.engine == "trtllm";
        return Ok(if narrow { Format::Fp8 } else { Format::Bf16 });
    };
    Format::named(name).ok_or_else(|| format!("`{name}` is no format of keys and values"))
}

/// The engine, and what its factor is called. The C++ runtime of TensorRT-LLM came before 1.0; benchmarks that name no
/// version ran it, too.
fn engine<'s>(speed: &PublishedThroughput, setup: &'s InferenceSetup) -> (Engine, &'s str) {
    let name = setup.engine.as_str();
    let version = setup.engine_version.as_deref().unwrap_or_default();
    let engine = match name {
        "vllm" => Engine::Vllm,
        "sglang" => Engine::Sglang,
        "llama.cpp" => Engine::LlamaCpp,
        "trtllm" if version.starts_with("0.") || version.contains("TensorRT") => {
            return (Engine::TrtllmCpp, "trtllm_cpp");
        }
        "trtllm" if speed.source.as_deref().is_some_and(|source| source.contains("MLPerf")) => {
            Engine::TrtllmCpp
        }
        "trtllm" => Engine::Trtllm,
        _ => Engine::Any,
    };
    (engine, name)
}

/// The year of a measurement: by its day or month, else by the engine's version.
fn year(speed: &PublishedThroughput, setup: &InferenceSetup) -> Option<f64> {
    let Some(date) = &speed.date else {
        let version = setup.engine_version.as_deref().unwrap_or_default();
        let of =
            |(engine, start, _): &&(&str, &str, f64)| setup.engine == *engine && version.starts_with(start);
        return RELEASED.iter().find(of).map(|(.., year)| *year);
    };
    let mut parts = date.split('-').map(|part| part.parse::<f64>().ok());
    let year = parts.next()??;
    Some(parts.next().flatten().map_or(year + 0.5, |month| year + (month - 0.5) / 12.0))
}

/// The row's own layout; where its submitter kept it to himself, those that its machines could have had.
fn layouts(
    speed: &PublishedThroughput,
    setup: &InferenceSetup,
    model: &Model,
    device: &Device,
) -> Result<Vec<Layout>, String> {
    let mut all = match setup.tensor_parallel {
        Some(tensor) => vec![own_layout(setup, tensor, model)],
        None => possible_layouts(speed.gpu_count, model),
    };
    let degrees = |layout: &Layout| [layout.tensor, layout.pipeline, layout.expert, layout.attention_data];
    all.retain(|layout| degrees(layout).iter().all(|degree| (1..=MOST_DEGREES).contains(degree)));
    if all.is_empty() {
        return Err("its layout is none".to_owned());
    }
    all.retain(|layout| layout.gpus() == 1 || device.link.is_some());
    if all.is_empty() { Err("how fast its accelerators exchange is not known".to_owned()) } else { Ok(all) }
}

fn own_layout(setup: &InferenceSetup, tensor: u32, model: &Model) -> Layout {
    let pipeline = setup.pipeline_parallel.unwrap_or(1);
    let ranks = setup.attention_data_parallel.unwrap_or(1);
    let all = tensor.saturating_mul(ranks);
    let mixture = model.is_mixture();
    if mixture && setup.expert_parallel.is_none() && setup.engine == "trtllm" && tensor > 1 {
        // Attention data parallel, says the source.
        return Layout { tensor: 1, pipeline, expert: all, attention_data: all };
    }
    let expert = setup.expert_parallel.unwrap_or(if mixture { all } else { 1 });
    Layout { tensor, pipeline, expert, attention_data: ranks }
}

fn possible_layouts(gpus: u32, model: &Model) -> Vec<Layout> {
    const POWERS: [u32; 4] = [1, 2, 4, 8];
    let mixture = model.is_mixture();
    let mut all = Vec::new();
    for (tensor, pipeline) in POWERS.into_iter().flat_map(|t| POWERS.map(|p| (t, p))) {
        for attention_data in [1, 2, 4, 8, 16, 24, 36, 72] {
            let size = tensor * pipeline * attention_data;
            let divides = size <= gpus && gpus.is_multiple_of(size);
            let apart = attention_data > 1 && (!mixture || tensor > 1 || pipeline > 1);
            if divides && !apart && model.could_divide(tensor, pipeline) {
                let expert = if mixture { tensor.max(attention_data) } else { 1 };
                all.push(Layout { tensor, pipeline, expert, attention_data });
            }
        }
    }
    all
}
