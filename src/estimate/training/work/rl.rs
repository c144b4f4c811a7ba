//! Reinforcement learning: answers are written, judged, and learnt from.

use super::{Counted, Models, RewardWork, StageWork, Work, reader::Reader};
use crate::{
    catalog::architecture::Shape,
    estimate::{
        desk::{Desk, Sourced},
        fault::FaultKind,
        training::{
            stage::{Reward, RlAlgorithm, RlStage},
            steps::Prior,
        },
        uncertain::Uncertain,
    },
};

/// Up to so many tokens an answer is short: what published PPO runs wrote, twice over.
const SHORT_ANSWER: f64 = 512.0;

/// The work of a stage of reinforcement learning.
///
/// `T = prompts · group_size · (prompt_tokens + response_tokens)` tokens, each of them
///
/// - written by the policy (`f = 2·N_mm + A`), its prompt too,
/// - passed through the policy as it was (`f`), for the ratio of probabilities,
/// - passed through the reference (`f`), unless there is none,
/// - learnt from, forward and back (`3·f`), in each epoch.
///
/// PPO adds a value model as large as the policy: `f`, and `3·f` in each epoch. A reward model's passes
/// (`2·N_r`) are a line of their own. GRPO so comes to `12·N` a token, `10·N` without a reference; PPO with a reward model
/// to `22·N` and `20·N`.
///
/// Sources: Schulman et al. 2017, arXiv:1707.06347; Shao et al. 2024, arXiv:2402.03300, section 4.
pub(super) fn of<'a>(stage: &RlStage, models: Models<'_>, reader: &mut Reader<'_, 'a, '_>) -> StageWork<'a> {
    let (algorithm, group) = match stage.algorithm {
        RlAlgorithm::Grpo => (GRPO, 16.0),
        RlAlgorithm::Ppo => (PPO, 1.0),
    };
    let prompts = reader.count("prompts", stage.prompts, "prompt");
    let group = reader.count_or("group_size", stage.group_size, group, "sample");
    let prompt = reader.count("prompt_tokens", stage.prompt_tokens, "token");
    let response = reader.count("response_tokens", stage.response_tokens, "token");
    let epochs = reader.times("epochs", stage.epochs);
    let samples = prompts.zip(group).map(|(prompts, group)| {
        Counted::quotient("prompts * group_size", [("prompts", prompts), ("group_size", group)], [])
    });
    let length = prompt
        .clone()
        .zip(response.clone())
        .map(|(prompt, response)| Sourced::derived(&prompt.value + &response.value, "token"));
    let tokens = samples.as_ref().zip(length.as_ref()).map(|(samples, length)| {
        let mut inputs = samples.inputs.clone();
        inputs
            .extend([("prompt_tokens", prompt), ("response_tokens", response)].into_iter().filter_map(both));
        Counted {
            value: &samples.value * &length.value,
            formula: "prompts * group_size * (prompt_tokens + response_tokens)",
            inputs,
        }
    });
    let main = Work { tokens, sequence_length: length, ..Work::default() };
    let passes = Passes { value_model: stage.algorithm == RlAlgorithm::Ppo, reference: !stage.no_reference };
    let main = match (epochs, models.trained) {
        (Some(epochs), Some(shape)) => learnt(main, algorithm, passes, epochs, shape),
        _ => main,
    };
    let reward = reward(stage, samples, &main, models, reader);
    StageWork { main, reward, ..StageWork::default() }
}

const GRPO: &str = "forward_flops_per_token * (2 + reference_passes + 3 * epochs) * tokens";
const PPO: &str = "forward_flops_per_token * (2 + reference_passes + 3 * epochs + value_passes * (1 + 3 * epochs)) * tokens";

/// Which models pass over the answers.
#[derive(Debug, Clone, Copy)]
struct Passes {
    value_model: bool,
    reference: bool,
}

fn both<'a>((name, figure): (&'static str, Option<Sourced<'a>>)) -> Option<(&'static str, Sourced<'a>)> {
    figure.map(|figure| (name, figure))
}

fn learnt<'a>(
    work: Work<'a>,
    formula: &'static str,
    passes: Passes,
    epochs: Sourced<'a>,
    shape: &Shape,
) -> Work<'a> {
    let Some((tokens, length)) = work.tokens.as_ref().zip(work.sequence_length.as_ref()) else { return work };
    let forward = length.value.map(|length| shape.forward_flops_per_token(length));
    let reference = f64::from(u8::from(passes.reference));
    let value = f64::from(u8::from(passes.value_model));
    let count = epochs.value.map(|epochs| 2.0 + reference + 3.0 * epochs + value * (1.0 + 3.0 * epochs));
    let written = &forward * &tokens.value;
    let count_of = |count| Sourced::derived(Uncertain::exact(count), "ratio");
    let mut inputs = vec![
        ("forward_flops_per_token", Sourced::derived(forward, "FLOP")),
        ("reference_passes", count_of(reference)),
        ("epochs", epochs),
        ("tokens", tokens.sourced("token")),
    ];
    if passes.value_model {
        inputs.push(("value_passes", count_of(value)));
    }
    let flops = Counted { value: &written * &count, formula, inputs };
    Work { flops: Some(flops), generation: Some(written), ..work }
}

/// What judging takes: nothing by a rule; money, where it is given or a sandbox; passes of a reward model.
fn reward<'a>(
    stage: &RlStage,
    samples: Option<Counted<'a>>,
    main: &Work<'a>,
    models: Models<'_>,
    reader: &mut Reader<'_, 'a, '_>,
) -> Option<RewardWork<'a>> {
    let params = reader.optional("reward_params", stage.reward_params, "parameter");
    if stage.reward_params.is_some()
        && (stage.reward != Reward::Model || stage.reward_cost_per_sample.is_some())
    {
        let detail =
            "a reward model on this hardware needs `reward: model`, and has no cost per sample".to_owned();
        reader.fault("reward_params", FaultKind::Contradiction { detail });
        return None;
    }
    if stage.reward == Reward::Rule && stage.reward_cost_per_sample.is_none() {
        return None;
    }
    if stage.reward == Reward::Model && stage.reward_cost_per_sample.is_none() {
        return Some(RewardWork::Passes(judged(params, main, models.trained)));
    }
    let samples = samples.or_else(|| missing(stage, reader))?;
    if stage.reward_cost_per_sample.is_some() {
        return Some(RewardWork::Given { samples });
    }
    let usd_per_sample = reader.desk.assumption("training.rl.sandbox_usd_per_sample")?;
    Some(RewardWork::Assumed { samples, usd_per_sample })
}

/// Money for each sample needs samples, whatever is known of the hours.
fn missing<'a>(stage: &RlStage, reader: &mut Reader<'_, 'a, '_>) -> Option<Counted<'a>> {
    if stage.prompts.is_none() && !reader.wanted.tokens {
        reader.fault("prompts", FaultKind::MissingField { name: "prompts".to_owned() });
    }
    None
}

/// A reward model's passes over the answers: `2·N_r` for each token; without `N_r`, as many as the policy has.
fn judged<'a>(params: Option<Sourced<'a>>, main: &Work<'a>, shape: Option<&Shape>) -> Work<'a> {
    let policy = shape.map(|shape| Sourced::derived(Uncertain::exact(shape.active_params), "parameter"));
    let tokens = main.tokens.clone();
    let flops = tokens.as_ref().zip(params.or(policy)).map(|(tokens, params)| Counted {
        value: &params.value.times(2.0) * &tokens.value,
        formula: "2 * reward_params * tokens",
        inputs: vec![("reward_params", params), ("tokens", tokens.sourced("token"))],
    });
    Work { tokens, flops, sequence_length: main.sequence_length.clone(), ..Work::default() }
}

/// What the arithmetic of a whole stage is of the dense BF16 peak, all hours counted, where nothing better is known.
///
/// Writing answers is bound by memory bandwidth, by how many answers a GPU writes at once, and by the longest of
/// them. A bound from bandwidth alone is no estimate: it says 4 to 13 times the speeds that are published end to end,
/// because answers at once and the tail decide, and requests do not name them. So the range is that of published
/// speeds, from NVIDIA's 256-GPU tables to DeepSeek-R1-Zero, and it is wide. Answers of PPO up to 512 tokens have
/// their own. Asynchronous learning speeds it up as published (`training.rl.async_speedup`).
pub(crate) fn utilization<'a>(stage: &RlStage, desk: &mut Desk<'a, '_>) -> Option<Prior<'a>> {
    let short = stage.response_tokens.is_some_and(|response| response.mid() <= SHORT_ANSWER);
    let id = match stage.algorithm {
        RlAlgorithm::Ppo if short => "training.rl.utilization.ppo",
        _ => "training.rl.utilization.grpo",
    };
    let utilization = desk.assumption(id)?;
    let speedup = if stage.asynchronous { Some(desk.assumption("training.rl.async_speedup")?) } else { None };
    Some(Prior { speedup, ..Prior::new(utilization, Vec::new()) })
}
