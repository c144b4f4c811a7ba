//! The physics against the script that found it, and against what it was fitted on.

use std::sync::LazyLock;

use serde::Deserialize;

use super::{Constants, Device, Engine, Format, Formats, Layout, Load, Mixture, Model, Replica, Rules};
use crate::{
    catalog::{
        architecture::Shape, edition::built_in_snapshot, published_throughput::PublishedThroughput,
        snapshot::Snapshot,
    },
    estimate::{
        hardware::part::Part,
        serving::{candidates::Fixed, request::Parallelism},
    },
};

pub(super) static BUILT_IN: LazyLock<Snapshot> = LazyLock::new(|| built_in_snapshot().unwrap());

/// A day on which the built-in assumptions hold.
fn row_of(id: &str) -> Option<f64> {
    let at = "2026-11-25T00:00:00Z".parse().unwrap();
    BUILT_IN.newest().assumption(id, at).map(|row| row.row.mid)
}

pub(super) fn constants() -> Constants {
    Constants::read(row_of).unwrap()
}

/// The constants that the script had found.
fn constants_of_the_script() -> Constants {
    let text = include_str!("../../../../tests/fixtures/serving/constants.json");
    let known: std::collections::BTreeMap<String, f64> = serde_json::from_str(text).unwrap();
    Constants::read(|id| known.get(id).copied()).unwrap()
}

/// A prediction of the script that found the physics, with all that it was made from.
#[derive(Deserialize)]
struct Prediction {
    row: String,
    weights: Format,
    kv: Format,
    engine: String,
    speed: f64,
    columns: std::collections::BTreeMap<String, f64>,
    predicted: Predicted,
}

#[derive(Deserialize)]
struct Predicted {
    weights: f64,
    largest: f64,
    batch: f64,
    iteration: f64,
    decode: f64,
    prompt_token: f64,
    output: f64,
    ttft: f64,
    tpot: f64,
}

fn predictions() -> Vec<Prediction> {
    let text = include_str!("../../../../tests/fixtures/serving/predictions.jsonl");
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

impl Prediction {
    fn of(&self, name: &str) -> f64 {
        self.columns.get(name).copied().unwrap_or(0.0)
    }

    fn is(&self, name: &str) -> bool {
        self.columns.contains_key(name)
    }

    fn model(&self) -> Model {
        let of = |name| self.of(name);
        let mixture = Mixture {
            layers: of("ml"),
            experts: of("E"),
            active: of("k"),
            width: of("fe"),
            expert: of("ex"),
            shared: of("sh"),
        };
        Model {
            layers: of("L"),
            hidden: of("d"),
            heads: of("h"),
            kv_heads: of("g"),
            query_dim: of("qkd"),
            value_dim: of("vd"),
            vocab: of("V"),
            embeddings: of("tied"),
            attention: of("att"),
            mlp: of("mlp"),
            dense_layers: of("dl"),
            mixture: self.is("moe").then_some(mixture),
            kv_width: of("kvw"),
            latent: self.is("mla").then_some((of("kvl"), of("rope"))),
            linear_layers: of("lin"),
            state_bytes: of("lstate"),
            window: of("win"),
            windowed_layers: of("nwin"),
            sparse_keys: self.is("sparse").then_some(of("sparse")),
        }
    }

    fn device(&self) -> Device {
        Device {
            bf16: self.of("bf16"),
            fp8: self.columns.get("fp8").copied(),
            fp4: self.columns.get("fp4").copied(),
            bandwidth: self.of("bw"),
            memory: self.of("mem"),
            link: Some(self.of("link")),
            domain: self.of("dom"),
        }
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small whole numbers")]
    fn layout(&self) -> Layout {
        let of = |name| self.of(name) as u32;
        Layout { tensor: of("tp"), pipeline: of("pp"), expert: of("ep"), attention_data: of("dp") }
    }
}

fn engine(name: &str) -> Engine {
    match name {
        "vllm" => Engine::Vllm,
        "sglang" => Engine::Sglang,
        "trtllm" => Engine::Trtllm,
        "trtllm-cpp" => Engine::TrtllmCpp,
        "llama.cpp" => Engine::LlamaCpp,
        other => panic!("no engine {other}"),
    }
}

/// The batch that a measurement had, and its output tokens a second and accelerator.
fn measured_as(
    replica: &Replica<'_>,
    k: &Constants,
    load: Load,
    concurrency: Option<f64>,
    tpot_limit: Option<f64>,
) -> (super::Step, f64) {
    let largest = replica.largest_batch(load).max(0.3 * replica.ranks);
    let most = largest.min(concurrency.unwrap_or(replica.cap()));
    let within = |step: &super::Step| tpot_limit.is_none_or(|limit| step.iteration <= limit / k.tpot_p99());
    // Of the layouts that a submitter may have had, some are too slow at any batch.
    let step = replica.largest_that(load, most, within).unwrap_or_else(|| replica.step(load, 1e-3));
    let server = if tpot_limit.is_some() { k.server } else { 1.0 };
    (step, step.output_rate() / replica.gpus() * server)
}

#[test]
fn every_figure_is_the_scripts() {
    let k = constants_of_the_script();
    let near = |name: &str, row: &str, ours: f64, its: f64| {
        assert!((ours / its - 1.0).abs() < 1e-3, "{name} of {row}: {ours} and {its}");
    };
    let predictions = predictions();
    assert!(predictions.len() >= 40);
    for p in &predictions {
        let (model, device) = (p.model(), p.device());
        let rules = Rules { engine: engine(&p.engine), speed: p.speed };
        let formats = Formats { weights: p.weights, kv_cache: p.kv };
        let replica = Replica::new(&model, &device, &k, p.layout(), formats, rules);
        let load = Load { input: p.of("isl"), output: p.of("osl"), cached: 0.0 };
        let concurrency = p.is("C").then(|| p.of("C") / p.of("rep"));
        let (step, output) = measured_as(&replica, &k, load, concurrency, p.is("slo").then(|| p.of("slo")));
        let latency = replica.latency(load, replica.own_prompt(load), &step);
        let its = &p.predicted;
        near("weights", &p.row, replica.weight_bytes(), its.weights);
        near("largest batch", &p.row, replica.largest_batch(load).max(0.3 * replica.ranks), its.largest);
        near("batch", &p.row, step.batch, its.batch);
        near("iteration", &p.row, step.iteration, its.iteration);
        near("decode", &p.row, step.decode, its.decode);
        near("prompt", &p.row, step.prompt_token, its.prompt_token);
        near("output", &p.row, output, its.output);
        near("first token", &p.row, latency.first_token, its.ttft);
        near("each token", &p.row, latency.each_token, its.tpot);
    }
}

/// Speeds that were fitted: as many as fit, closed loops, and arrivals at random.
const FITTED: [&str; 3] = ["offline_max", "fixed_concurrency", "server_slo"];

/// A published speed, and what is predicted for it with no factor but the engine's.
struct Compared {
    kind: &'static str,
    measured: f64,
    predicted: f64,
}

/// Years since which engines have been faster, by version where the source has no date.
fn year(row: &PublishedThroughput) -> f64 {
    let number = |text: &str| text.parse::<f64>().unwrap();
    if let Some(date) = &row.date {
        let mut parts = date.split('-').map(number);
        let year = parts.next().unwrap();
        return parts.next().map_or(year + 0.5, |month| year + (month - 0.5) / 12.0);
    }
    let setup = row.inference.as_ref().unwrap();
    let version = setup.engine_version.as_deref().unwrap_or_default();
    let known = [
        ("trtllm", "1.0", 2025.6),
        ("sglang", "0.5.6", 2025.9),
        ("sglang", "0.5.1.", 2025.65),
        ("sglang", "0.5.9", 2026.2),
        ("vllm", "0.12.", 2025.9),
    ];
    let of =
        known.into_iter().find(|(engine, start, _)| setup.engine == *engine && version.starts_with(start));
    of.map_or(2025.5, |(.., year)| year)
}

/// The row's own layout; where its submitter kept it to himself, those that its machines could have had.
fn layouts_of(row: &PublishedThroughput, model: &Model) -> Vec<Layout> {
    let setup = row.inference.as_ref().unwrap();
    let layout =
        |tensor, pipeline, expert, attention_data| Layout { tensor, pipeline, expert, attention_data };
    if let Some(tensor) = setup.tensor_parallel {
        let pipeline = setup.pipeline_parallel.unwrap_or(1);
        let ranks = setup.attention_data_parallel.unwrap_or(1);
        let mixture = model.is_mixture();
        if mixture && setup.expert_parallel.is_none() && setup.engine == "trtllm" && tensor > 1 {
            let all = tensor * ranks;
            return vec![layout(1, pipeline, all, all)]; // attention data parallel, says the source
        }
        let expert = setup.expert_parallel.unwrap_or(if mixture { tensor * ranks } else { 1 });
        return vec![layout(tensor, pipeline, expert, ranks)];
    }
    let mut all = Vec::new();
    for tensor in [1, 2, 4, 8] {
        for pipeline in [1, 2, 4, 8] {
            for ranks in [1, 2, 4, 8, 16, 24, 36, 72] {
                let gpus = tensor * pipeline * ranks;
                let divides = gpus <= row.gpu_count && row.gpu_count.is_multiple_of(gpus);
                let apart = ranks > 1 && (!model.is_mixture() || tensor > 1 || pipeline > 1);
                let thin = pipeline > 1 && model.layers < 8.0 * f64::from(pipeline);
                if divides && !apart && !thin && f64::from(tensor) <= model.heads {
                    let expert = if ranks > 1 {
                        ranks
                    } else if model.is_mixture() {
                        tensor
                    } else {
                        1
                    };
                    all.push(layout(tensor, pipeline, expert, ranks));
                }
            }
        }
    }
    all
}

/// What a published speed was measured with, but for the layout.
struct Setup {
    shape: Shape,
    device: Device,
    formats: Formats,
    rules: Rules,
    load: Load,
    limit: Option<f64>,
    users: Option<f64>,
    gpu_count: u32,
}

impl Setup {
    fn of(row: &'static PublishedThroughput, constants: &Constants) -> Option<Self> {
        let setup = row.inference.as_ref()?;
        let gpu = BUILT_IN.newest().gpu(row.gpu.as_ref()?.as_str())?;
        let part = Part::of_row(gpu);
        let model = BUILT_IN.newest().model(row.model.as_ref()?.as_str())?;
        let device = Device {
            bf16: gpu.row.dense_tflops.bf16? * 1e12,
            fp8: gpu.row.dense_tflops.fp8.map(|tflops| tflops * 1e12),
            fp4: gpu.row.dense_tflops.fp4.map(|tflops| tflops * 1e12),
            bandwidth: part.memory_bandwidth?,
            #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
            memory: gpu.row.memory_bytes? as f64,
            link: part.peer_bandwidth,
            domain: f64::from(part.fast_domain_gpus?),
        };
        let weights = Format::named(&row.precision).unwrap();
        let narrow = matches!(weights, Format::Fp8 | Format::Nvfp4) && setup.engine == "trtllm";
        let usual = if narrow { Format::Fp8 } else { Format::Bf16 };
        let kv_cache = setup.kv_precision.as_deref().map_or(usual, |name| Format::named(name).unwrap());
        let version = setup.engine_version.as_deref().unwrap_or_default();
        let source = row.source.as_deref().unwrap_or_default();
        let older = setup.engine == "trtllm" && (version.starts_with("0.") || version.contains("TensorRT"));
        let cpp = older || setup.engine == "trtllm" && source.contains("MLPerf");
        let name = if older { "trtllm_cpp" } else { &setup.engine };
        let factor = row_of(&format!("serving.factor.engine.{name}")).unwrap();
        let speed = factor * constants.drift_of(year(row));
        let rules = Rules { engine: engine(if cpp { "trtllm-cpp" } else { &setup.engine }), speed };
        let load = Load {
            input: setup.input_tokens_mean?.max(1.0),
            output: setup.output_tokens_mean?.max(1.0),
            cached: 0.0,
        };
        let limit = setup.slo_tpot_p99_ms.filter(|_| row.kind == "server_slo").map(|limit| limit / 1e3);
        let (shape, formats) =
            (Shape::of(model.row.architecture.as_ref()?).ok()?, Formats { weights, kv_cache });
        let (users, gpu_count) = (setup.concurrency.map(f64::from), row.gpu_count);
        Some(Self { shape, device, formats, rules, load, limit, users, gpu_count })
    }

    /// The largest of the speeds of layouts, of as many replicas as there are accelerators for.
    fn best_of(&self, layouts: &[Layout], constants: &Constants) -> Option<f64> {
        let model = Model::of(&self.shape);
        let speeds = layouts.iter().map(|layout| {
            let replica = Replica::new(&model, &self.device, constants, *layout, self.formats, self.rules);
            let replicas = f64::from((self.gpu_count / layout.gpus()).max(1));
            let users = self.users.map(|users| users / replicas);
            measured_as(&replica, constants, self.load, users, self.limit).1
        });
        speeds.max_by(f64::total_cmp)
    }
}

fn compare(row: &'static PublishedThroughput, constants: &Constants) -> Option<Compared> {
    let setup = Setup::of(row, constants)?;
    let layouts = layouts_of(row, &Model::of(&setup.shape));
    let predicted = setup.best_of(&layouts, constants)?;
    Some(Compared { kind: &row.kind, measured: row.tokens_per_second_per_gpu?, predicted })
}

/// Of each model, part, count and format the best speed that was published with its layout, against the best of the
/// layouts that the search goes through on as many accelerators, at that speed's load; without a factor for the part
/// or the family.
#[test]
fn the_search_finds_the_best_measured_speed_without_being_told_the_layout() {
    let k = constants();
    let mut best = std::collections::BTreeMap::new();
    for row in BUILT_IN.history().published_throughputs.iter().map(|row| &row.row) {
        let told = row.inference.as_ref().is_some_and(|setup| setup.tensor_parallel.is_some());
        if !told || !FITTED.contains(&row.kind.as_str()) {
            continue;
        }
        let key = (&row.model, &row.gpu, row.gpu_count, &row.precision);
        let known = best.entry(key).or_insert(row);
        if row.tokens_per_second_per_gpu > known.tokens_per_second_per_gpu {
            *known = row;
        }
    }
    let mut compared = Vec::new();
    for row in best.values() {
        let (Some(setup), Some(measured)) = (Setup::of(row, &k), row.tokens_per_second_per_gpu) else {
            continue;
        };
        let fits = |layout: &Layout| {
            let model = Model::of(&setup.shape);
            Replica::new(&model, &setup.device, &k, *layout, setup.formats, setup.rules).fits(setup.load)
        };
        let sizes = (1..=row.gpu_count).filter(|size| row.gpu_count.is_multiple_of(*size));
        let layouts = sizes.flat_map(|size| {
            let fixed = Fixed { gpus: Some(size), parallelism: Parallelism::default() };
            let ends = fixed.layouts(&setup.shape);
            let between: Vec<Layout> =
                ends.iter().flat_map(|end| fixed.refined(*end, &setup.shape)).collect();
            ends.into_iter().chain(between).collect::<Vec<_>>()
        });
        let layouts: Vec<Layout> = layouts.filter(fits).collect();
        let Some(predicted) = setup.best_of(&layouts, &k) else { continue };
        compared.push(Compared { kind: &row.kind, measured, predicted });
    }
    let all: Vec<&Compared> = compared.iter().collect();
    let (median, p90, rank) = scores(&all);
    println!("layout withheld: n {} median {median:.3}, P90 {p90:.3}, Spearman {rank:.4}", all.len());
    assert!(all.len() > 100 && median <= 0.15, "{} {median}", all.len());
}

/// Ranks from 1, the mean of them for equals.
fn ranks(figures: &[f64]) -> Vec<f64> {
    let less = |a: f64| figures.iter().filter(|b| **b < a).count();
    let same = |a: f64| figures.iter().filter(|b| b.to_bits() == a.to_bits()).count();
    #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
    figures.iter().map(|a| less(*a) as f64 + f64::midpoint(same(*a) as f64, 1.0)).collect()
}

/// Median and ninetieth percentile of the error, and the correlation of ranks.
#[expect(clippy::cast_precision_loss, reason = "a few thousand")]
fn scores(of: &[&Compared]) -> (f64, f64, f64) {
    let mut off: Vec<f64> = of.iter().map(|one| (one.predicted / one.measured - 1.0).abs()).collect();
    off.sort_by(f64::total_cmp);
    let at = |share: usize| off[(off.len() - 1) * share / 100];
    let a = ranks(&of.iter().map(|one| one.predicted).collect::<Vec<_>>());
    let b = ranks(&of.iter().map(|one| one.measured).collect::<Vec<_>>());
    let mean = f64::midpoint(off.len() as f64, 1.0);
    let product = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| (x - mean) * (y - mean)).sum::<f64>();
    (at(50), at(90), product(&a, &b) / (product(&a, &a) * product(&b, &b)).sqrt())
}

/// No accelerator's and no family's factor: what a part or a model that nobody has measured would get. Rows in sample;
/// grouped cross-validation is the fitting script's.
#[test]
fn published_speeds_are_met_without_a_factor_for_the_part_or_the_family() {
    let k = constants();
    let rows = BUILT_IN.history().published_throughputs.iter().map(|row| &row.row);
    let rows = rows.filter(|row| row.workload == "inference" && FITTED.contains(&row.kind.as_str()));
    let compared: Vec<Compared> = rows.filter_map(|row| compare(row, &k)).collect();
    assert_eq!(compared.len(), 1287);
    let all: Vec<&Compared> = compared.iter().collect();
    let of = |kind: &str| all.iter().copied().filter(|one| one.kind == kind).collect::<Vec<_>>();
    for (name, of) in
        [("all", all.clone()), ("offline", of("offline_max")), ("users", of("fixed_concurrency"))]
    {
        let (median, p90, rank) = scores(&of);
        println!("{name}: n {} median {median:.3}, P90 {p90:.3}, Spearman {rank:.4}", of.len());
        assert!(median <= 0.15 && p90 <= 0.46 && rank >= 0.985, "{name}: {median} {p90} {rank}");
    }
    // Thirty rows, most of them of one benchmark: a submitter's tuning is a fifth of the speed.
    let (median, p90, rank) = scores(&of("server_slo"));
    println!("server: median {median:.3}, P90 {p90:.3}, Spearman {rank:.4}");
    assert!(median <= 0.20 && p90 <= 0.46 && rank >= 0.9, "{median} {p90} {rank}");
}
