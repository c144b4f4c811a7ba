//! The physics against the script that found it, and against what it was fitted on.

use std::sync::LazyLock;

use serde::Deserialize;

use super::{Constants, Device, Engine, Format, Formats, Layout, Load, Mixture, Model, Replica, Rules};
use crate::{
    catalog::{edition::built_in_snapshot, snapshot::Snapshot},
    estimate::serving::published::loaded,
};

static BUILT_IN: LazyLock<Snapshot> = LazyLock::new(|| built_in_snapshot().unwrap());

/// A day on which the built-in assumptions hold.
fn row_of(id: &str) -> Option<f64> {
    let at = "2026-11-25T00:00:00Z".parse().unwrap();
    BUILT_IN.newest().assumption(id, at).map(|row| row.row.mid)
}

fn constants() -> Constants {
    Constants::read(row_of).unwrap()
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

#[test]
fn every_figure_is_the_scripts() {
    let k = constants();
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
        let limit = p.is("slo").then(|| p.of("slo"));
        let step = loaded(&replica, &k, load, concurrency, limit);
        let server = if limit.is_some() { k.server } else { 1.0 };
        let output = step.output_rate() / replica.gpus() * server;
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
