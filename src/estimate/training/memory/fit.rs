//! The way to divide that fits, and the fewest GPUs that hold a stage.

use super::{
    bytes::Bytes,
    layout::{Demand, Layout},
    load::Load,
};
use crate::estimate::{
    fault::FaultKind,
    hardware::request::{Memory, Recomputation},
};

/// No cluster has more GPUs.
const MOST_GPUS: f64 = 1e9;

/// The shortest piece of a sequence that is worth a GPU of its own, in tokens.
const SHORTEST_PIECE: f64 = 4096.0;

/// The memory of a machine.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Room {
    /// Bytes of one GPU.
    pub(crate) memory_bytes: f64,
    /// GPUs of a server; more than one GPU come in whole servers, and one layer is split within one.
    pub(crate) gpus_per_server: u32,
}

/// How a stage fits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Fit {
    /// Bytes over all GPUs: of the count given, or of `min_gpus`.
    pub(crate) bytes_total: f64,
    /// The fewest GPUs that hold it, in whole servers where it is more than one.
    pub(crate) min_gpus: u64,
    /// The recomputation used.
    pub(crate) recomputation: Recomputation,
    /// GPUs that split each layer.
    pub(crate) tensor_parallel: u32,
}

/// A fault of the hardware: the field of the item, and what is wrong.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Misfit {
    pub(crate) field: &'static str,
    pub(crate) kind: FaultKind,
}

const RECOMPUTATIONS: [Recomputation; 3] =
    [Recomputation::None, Recomputation::Selective, Recomputation::Full];

/// Fits a stage into memory.
///
/// What `memory` leaves open is chosen: with a count, the least recomputation that fits it, then the fewest GPUs
/// to split a layer; without one, what needs the fewest GPUs. GPUs of a server that split a layer are a power of two.
///
/// # Errors
/// A degree of zero, a count that is no multiple of the degrees, and whatever does not fit, with what would.
pub(crate) fn fit(
    load: &Load,
    bytes: &Bytes,
    room: &Room,
    memory: &Memory,
    count: Option<u64>,
) -> Result<Fit, Misfit> {
    let search = Search { load, bytes, room, memory };
    search.check(count)?;
    let fewest = search.fewest();
    let Some(count) = count else {
        let (gpus, layout) = fewest.ok_or_else(|| search.hopeless())?;
        return Ok(search.fitted(layout, gpus, gpus));
    };
    let gpus = whole(count);
    let found = search.layouts().find(|layout| search.holds(*layout, gpus));
    match (found, fewest) {
        (Some(layout), fewest) => {
            Ok(search.fitted(layout, gpus, fewest.map_or(gpus, |(fewest, _)| fewest.min(gpus))))
        }
        (None, Some((fewest, _))) => Err(search.too_small(gpus, fewest)),
        (None, None) => Err(search.hopeless()),
    }
}

fn product(degrees: [u64; 3]) -> u128 {
    degrees.into_iter().map(u128::from).product() // three degrees of 32 bits fit
}

struct Search<'s> {
    load: &'s Load,
    bytes: &'s Bytes,
    room: &'s Room,
    memory: &'s Memory,
}

impl Search<'_> {
    fn check(&self, count: Option<u64>) -> Result<(), Misfit> {
        let degrees = [
            ("/hardware/memory/tensor_parallel", self.memory.tensor_parallel),
            ("/hardware/memory/pipeline_parallel", self.memory.pipeline_parallel),
            ("/hardware/memory/context_parallel", self.memory.context_parallel),
            ("/hardware/memory/micro_batch", self.memory.micro_batch),
        ];
        for (field, degree) in degrees {
            if degree == Some(0) {
                return Err(Misfit { field, kind: FaultKind::out_of_range("must be at least 1, got 0") });
            }
        }
        let tensor = u64::from(self.memory.tensor_parallel.unwrap_or(1));
        let pipeline = u64::from(self.memory.pipeline_parallel.unwrap_or(1));
        let context = u64::from(self.memory.context_parallel.unwrap_or(1));
        match count.filter(|count| !u128::from(*count).is_multiple_of(product([tensor, pipeline, context]))) {
            None => Ok(()),
            Some(count) => {
                let detail = format!(
                    "{count} GPUs are no multiple of {tensor} x {pipeline} x {context}, tensor times pipeline times context parallel"
                );
                Err(Misfit { field: "/hardware/count", kind: FaultKind::Contradiction { detail } })
            }
        }
    }

    /// All ways that are open, least recomputation first, then the fewest GPUs a layer.
    fn layouts(&self) -> impl Iterator<Item = Layout> {
        let Memory {
            sharding,
            recomputation,
            tensor_parallel,
            pipeline_parallel,
            context_parallel,
            micro_batch,
            ..
        } = *self.memory;
        // Nobody splits a sequence into pieces shorter than this.
        let pieces = (self.load.sequence_length / SHORTEST_PIECE).max(1.0);
        let server = self.room.gpus_per_server.max(1);
        let open = move |given: Option<u32>| {
            let powers = (0..=6).map(|power| 1_u32 << power).filter(move |power| *power <= server);
            given.into_iter().chain(powers.filter(move |_| given.is_none()))
        };
        let least =
            RECOMPUTATIONS.into_iter().filter(move |way| recomputation.is_none_or(|given| given == *way));
        let contexts = move || {
            let powers = (0..=6).map(|power| 1_u32 << power).filter(move |power| f64::from(*power) <= pieces);
            context_parallel.into_iter().chain(powers.filter(move |_| context_parallel.is_none()))
        };
        least.flat_map(move |recomputation| {
            open(tensor_parallel).flat_map(move |tensor_parallel| {
                contexts().map(move |context_parallel| Layout {
                    sharding: sharding.unwrap_or_default(),
                    recomputation,
                    tensor_parallel,
                    pipeline_parallel: pipeline_parallel.unwrap_or(1),
                    context_parallel,
                    micro_batch: micro_batch.unwrap_or(1),
                })
            })
        })
    }

    /// Bytes of one GPU that a run can use.
    fn usable(&self) -> f64 {
        (self.room.memory_bytes * self.bytes.usable - self.bytes.reserve).max(0.0)
    }

    fn demand(&self, layout: Layout) -> Demand {
        layout.demand(self.load, self.bytes)
    }

    fn holds(&self, layout: Layout, gpus: f64) -> bool {
        gpus % layout.model_parallel() == 0.0 && self.demand(layout).on(gpus) <= self.usable()
    }

    /// The fewest GPUs that hold it, over all ways that are open, and the first way that does.
    fn fewest(&self) -> Option<(f64, Layout)> {
        let mut fewest: Option<(f64, Layout)> = None;
        for layout in self.layouts() {
            if let Some(gpus) = self.fewest_by(layout)
                && fewest.is_none_or(|(known, _)| gpus < known)
            {
                fewest = Some((gpus, layout));
            }
        }
        fewest
    }

    fn fewest_by(&self, layout: Layout) -> Option<f64> {
        let Demand { fixed, divided } = self.demand(layout);
        let left = self.usable() - fixed;
        if left <= 0.0 {
            return None;
        }
        let least = (divided / left).ceil().max(layout.model_parallel());
        if least <= 1.0 {
            return Some(1.0);
        }
        let server = f64::from(self.room.gpus_per_server.max(1));
        let step = common_multiple(server, layout.model_parallel());
        Some((least / step).ceil() * step).filter(|gpus| *gpus <= MOST_GPUS)
    }

    fn fitted(&self, layout: Layout, gpus: f64, min_gpus: f64) -> Fit {
        Fit {
            bytes_total: self.demand(layout).on(gpus) * gpus,
            min_gpus: count(min_gpus),
            recomputation: layout.recomputation,
            tensor_parallel: layout.tensor_parallel,
        }
    }

    /// The least that one of so many GPUs would have to hold.
    fn least(&self, gpus: f64) -> f64 {
        let each = self.layouts().map(|layout| self.demand(layout).on(gpus));
        each.fold(f64::INFINITY, f64::min)
    }

    fn too_small(&self, gpus: f64, fewest: f64) -> Misfit {
        let mut would = vec![format!("{fewest} GPUs")];
        would.extend(self.ways(gpus).map(str::to_owned));
        let detail = format!(
            "{gpus} x {:.1} GB do not hold it: each would need {:.1} GB and has {:.1} to use; {} would",
            self.room.memory_bytes / 1e9,
            self.least(gpus) / 1e9,
            self.usable() / 1e9,
            would.join(", or ")
        );
        Misfit { field: "/hardware/count", kind: FaultKind::DoesNotFit { detail } }
    }

    fn hopeless(&self) -> Misfit {
        let ways: Vec<_> = self.ways(MOST_GPUS).collect();
        let instead = if ways.is_empty() {
            "a shorter sequence or GPUs with more memory would".to_owned()
        } else {
            format!("{} would, on enough of them", ways.join(", or "))
        };
        let detail = format!(
            "no number of GPUs of {:.1} GB holds it: what each of them needs for itself is {:.1} GB and {:.1} are to use; {instead}",
            self.room.memory_bytes / 1e9,
            self.least(MOST_GPUS) / 1e9,
            self.usable() / 1e9,
        );
        Misfit { field: "/hardware/gpu", kind: FaultKind::DoesNotFit { detail } }
    }

    /// What else would fit so many GPUs.
    fn ways(&self, gpus: f64) -> impl Iterator<Item = &'static str> {
        let holds = move |load: &Load, bytes: &Bytes, memory: &Memory| {
            let other = Search { load, bytes, room: self.room, memory };
            other.layouts().any(|layout| other.holds(layout, gpus))
        };
        let sharded = Memory { sharding: None, ..*self.memory };
        let recomputed = Memory { recomputation: Some(Recomputation::Full), ..*self.memory };
        let split = Memory { tensor_parallel: None, ..*self.memory };
        let smaller = Bytes { trained: self.bytes.trained.min(self.bytes.adam_8bit), ..*self.bytes };
        let adapters = self.load.with_adapters();
        let ways = [
            ("full sharding", holds(self.load, self.bytes, &sharded)),
            ("full recomputation", holds(self.load, self.bytes, &recomputed)),
            ("another tensor_parallel", holds(self.load, self.bytes, &split)),
            ("8-bit Adam", holds(self.load, &smaller, self.memory)),
            ("LoRA", adapters.is_some_and(|load| holds(&load, self.bytes, self.memory))),
        ];
        ways.into_iter().filter(|(_, would)| *would).map(|(way, _)| way)
    }
}

fn common_multiple(a: f64, b: f64) -> f64 {
    let (mut x, mut y) = (a, b);
    while y > 0.0 {
        (x, y) = (y, x % y);
    }
    a / x * b
}

#[expect(clippy::cast_precision_loss, reason = "no cluster has so many")]
fn whole(count: u64) -> f64 {
    count as f64
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 1 and MOST_GPUS")]
fn count(gpus: f64) -> u64 {
    gpus as u64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::{
        catalog::architecture::Shape,
        estimate::{
            hardware::request::{Optimizer, Sharding},
            training::testing::{at_desk, dense, shape, stage},
        },
    };

    const H100: Room = Room { memory_bytes: 85.5e9, gpus_per_server: 8 };
    const A100_40: Room = Room { memory_bytes: 42.3e9, gpus_per_server: 8 };

    fn bytes(optimizer: Optimizer) -> Bytes {
        let (bytes, faults) = at_desk(|desk| Bytes::of(desk, optimizer));
        assert_eq!(faults, []);
        bytes.unwrap()
    }

    fn load(request: &Value, model: &Shape, length: f64) -> Load {
        Load::of(&stage(request), model, None, model.total_params * 0.006, length).unwrap()
    }

    fn fitted(load: &Load, room: Room, memory: &Memory, count: Option<u64>) -> Result<Fit, Misfit> {
        fit(load, &bytes(memory.optimizer.unwrap_or_default()), &room, memory, count)
    }

    fn sft(method: &str) -> Value {
        json!({ "stage": "sft", "tokens": 1e9, "method": method })
    }

    /// Bytes of states and frozen weights, activations apart.
    fn states(request: &Value, model: &Shape) -> f64 {
        let load = load(request, model, 1.0);
        let bytes = bytes(Optimizer::Adam);
        load.trained * bytes.trained + load.frozen * bytes.frozen
    }

    #[test]
    fn seven_billion_parameters_under_adam_are_126_gb_of_states() {
        let gb = states(&json!({ "stage": "pretraining", "tokens": 1e12 }), &dense(7e9)) / 1e9;
        assert!((gb - 126.0).abs() < 1e-6, "{gb}");
        let fit = fitted(&load(&sft("full"), &dense(7e9), 4096.0), H100, &Memory::default(), None).unwrap();
        assert_eq!(fit.min_gpus, 8, "two would do: whole servers");
        let alone = Room { gpus_per_server: 1, ..H100 };
        let fit = fitted(&load(&sft("full"), &dense(7e9), 4096.0), alone, &Memory::default(), None).unwrap();
        assert_eq!(fit.min_gpus, 2);
    }

    #[test]
    fn seventy_billion_do_not_fit_on_8_x_80_gb_and_adapters_do() {
        let model = shape("llama-3.1-70b");
        let misfit =
            fitted(&load(&sft("full"), &model, 4096.0), H100, &Memory::default(), Some(8)).unwrap_err();
        assert_eq!(misfit.field, "/hardware/count");
        let FaultKind::DoesNotFit { detail } = misfit.kind else { panic!("{misfit:?}") };
        assert_eq!(
            detail,
            "8 x 85.5 GB do not hold it: each would need 164.5 GB and has 72.0 to use; 24 GPUs, or LoRA would"
        );
        let lora = fitted(&load(&sft("lora"), &model, 4096.0), H100, &Memory::default(), Some(8)).unwrap();
        assert_eq!(lora.min_gpus, 8);
    }

    /// arXiv:2305.14314: a 65B model is fine-tuned on one GPU of 48 GB.
    #[test]
    fn qlora_of_65_billion_fits_on_one_gpu_of_48_gb() {
        let a6000 = Room { memory_bytes: 51.0e9, gpus_per_server: 8 };
        let model = dense(65e9);
        let load = Load::of(&stage(&sft("qlora")), &model, None, 3e8, 512.0).unwrap();
        assert!(
            fitted(&load, a6000, &Memory::default(), Some(1)).is_err(),
            "at 0.6 bytes a parameter, with our reserve"
        );
        let four_bits = Bytes { frozen_4bit: 0.5, reserve: 4e9, ..bytes(Optimizer::Adam8bit) };
        assert_eq!(
            fit(&load, &four_bits, &a6000, &Memory::default(), Some(1)).map(|fit| fit.min_gpus),
            Ok(1)
        );
    }

    /// Before activations: 140 GB against 280 GB at 18 bytes trained and 2 frozen.
    #[test]
    fn ppo_keeps_twice_what_grpo_keeps() {
        let rl = |algorithm: &str, reward: &str| json!({ "stage": "rl", "algorithm": algorithm, "reward": reward });
        let model = dense(7e9);
        let (grpo, ppo) =
            (states(&rl("grpo", "rule"), &model) / 1e9, states(&rl("ppo", "model"), &model) / 1e9);
        assert!((grpo - 140.0).abs() < 1.0 && (ppo - 280.0).abs() < 1.0, "{grpo} {ppo}");
    }

    #[test]
    fn llama_3_1_405b_fits_on_1024_h100_and_not_on_16() {
        let load = load(&json!({ "stage": "pretraining", "tokens": 1e12 }), &shape("llama-3.1-405b"), 8192.0);
        assert!(fitted(&load, H100, &Memory::default(), Some(16)).is_err());
        let fit = fitted(&load, H100, &Memory::default(), Some(1024)).unwrap();
        assert!(fit.min_gpus > 64 && fit.min_gpus < 256, "{fit:?}");
    }

    /// arXiv:2412.19437, section 3.3: 2,048 H800, 4,096 tokens, moments in 16 bits.
    #[test]
    fn deepseek_v3_fits_on_its_2048_h800_and_not_on_64() {
        let load = load(&json!({ "stage": "pretraining", "tokens": 1e12 }), &shape("deepseek-v3"), 4096.0);
        let memory = Memory { optimizer: Some(Optimizer::AdamBf16Moments), ..Memory::default() };
        assert!(fitted(&load, H100, &memory, Some(2048)).is_ok());
        assert!(fitted(&load, H100, &memory, Some(64)).is_err());
    }

    #[test]
    fn the_least_recomputation_that_fits_is_chosen() {
        let load = load(&sft("full"), &shape("llama-3.1-8b"), 8192.0);
        let memory = Memory { tensor_parallel: Some(1), ..Memory::default() };
        let way = |room, count| fitted(&load, room, &memory, Some(count)).map(|fit| fit.recomputation).ok();
        let short = Load { sequence_length: 256.0, ..load };
        assert_eq!(fitted(&short, H100, &memory, Some(8)).unwrap().recomputation, Recomputation::None);
        assert_eq!(way(H100, 8), Some(Recomputation::Selective));
        assert_eq!(way(A100_40, 8), Some(Recomputation::Full));
        assert_eq!(way(A100_40, 1), None);
    }

    #[test]
    fn what_would_fit_is_said_in_the_fault() {
        let load = load(&sft("full"), &dense(7e9), 2048.0);
        let memory = Memory { sharding: Some(Sharding::None), ..Memory::default() };
        let misfit =
            fitted(&load, H100, &Memory { tensor_parallel: Some(1), ..memory }, Some(8)).unwrap_err();
        let FaultKind::DoesNotFit { detail } = misfit.kind else { panic!("{misfit:?}") };
        assert!(detail.starts_with("no number of GPUs of 85.5 GB holds it"), "{detail}");
        assert!(detail.contains("full sharding, or another tensor_parallel"), "{detail}");
    }

    #[test]
    fn degrees_of_zero_and_counts_that_do_not_divide_are_faults() {
        let load = load(&sft("full"), &dense(7e9), 2048.0);
        let zero = Memory { micro_batch: Some(0), ..Memory::default() };
        assert_eq!(fitted(&load, H100, &zero, None).unwrap_err().field, "/hardware/memory/micro_batch");
        let odd = Memory { tensor_parallel: Some(8), pipeline_parallel: Some(3), ..Memory::default() };
        assert_eq!(fitted(&load, H100, &odd, Some(64)).unwrap_err().field, "/hardware/count");
    }

    proptest! {
        #[test]
        fn the_fewest_gpus_hold_it_and_a_server_less_does_not(
            params in 1e8..2e12_f64, length in 128.0..65_536.0_f64, optimizer_only in any::<bool>(),
        ) {
            let load = load(&sft("full"), &dense(params), length);
            let sharding = if optimizer_only { Sharding::Optimizer } else { Sharding::Full };
            let memory = Memory { sharding: Some(sharding), ..Memory::default() };
            if let Ok(fit) = fitted(&load, H100, &memory, None) {
                prop_assert!(fitted(&load, H100, &memory, Some(fit.min_gpus)).is_ok());
                prop_assert!(fit.bytes_total <= whole(fit.min_gpus) * 85.5e9);
                if fit.min_gpus > 8 {
                    prop_assert!(fitted(&load, H100, &memory, Some(fit.min_gpus - 8)).is_err());
                }
            }
        }

        #[test]
        fn nothing_panics_whatever_is_asked(
            params in 1e6..1e14_f64, length in 1.0..1e18_f64, memory_bytes in 0.0..1e15_f64, server in 0..100_u32,
            tensor in prop::option::of(any::<u32>()), pipeline in prop::option::of(any::<u32>()),
            batch in prop::option::of(any::<u32>()), count in prop::option::of(any::<u64>()),
        ) {
            let load = load(&sft("lora"), &dense(params), length);
            let memory = Memory { tensor_parallel: tensor, pipeline_parallel: pipeline, micro_batch: batch, ..Memory::default() };
            let room = Room { memory_bytes, gpus_per_server: server };
            if let Ok(fit) = fitted(&load, room, &memory, count) {
                prop_assert!(fit.bytes_total.is_finite() && fit.min_gpus >= 1);
            }
        }
    }
}
