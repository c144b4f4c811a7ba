//! Which models a stage keeps in memory, and the sequences it works on.

use crate::{
    catalog::architecture::Shape,
    estimate::training::stage::{Method, Reward, RlAlgorithm, Stage, Teacher},
};

/// What has to be held. All experts of a mixture count.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Load {
    /// Parameters that are trained, in all models: PPO trains two.
    pub(crate) trained: f64,
    /// Parameters of adapters that are trained.
    pub(crate) adapters: f64,
    /// Frozen parameters: reference, reward model, teacher, or what adapters stand beside.
    pub(crate) frozen: f64,
    /// Frozen parameters in 4 bits.
    pub(crate) frozen_4bit: f64,
    /// Sequences of one step of one GPU that belong together: a pair is two.
    pub(crate) sequences: f64,
    /// Tokens of one sequence.
    pub(crate) sequence_length: f64,
    /// Layers of the model trained.
    pub(crate) layers: f64,
    /// Its width.
    pub(crate) hidden: f64,
    /// Its query heads.
    pub(crate) heads: f64,
    /// Its vocabulary.
    pub(crate) vocab: f64,
}

impl Load {
    /// What a stage keeps; none where nothing is trained.
    ///
    /// - every stage: the model, all of it trained, or frozen with `adapter_params` beside it
    /// - DPO: a frozen reference, unless its log-probabilities are there already; with adapters the reference is the
    ///   model without them
    /// - GRPO: a frozen reference, unless there is none; PPO: the same, and a value model as large as the policy, trained
    /// - `reward: model` on this hardware: frozen, `reward_params` or as many as are active in the policy
    /// - distillation from logits: the frozen teacher
    pub(crate) fn of(
        stage: &Stage,
        shape: &Shape,
        teacher: Option<&Shape>,
        adapter_params: f64,
        sequence_length: f64,
    ) -> Option<Self> {
        let mut load = Self {
            trained: 0.0,
            adapters: 0.0,
            frozen: 0.0,
            frozen_4bit: 0.0,
            sequences: 1.0,
            sequence_length,
            layers: shape.layers,
            hidden: shape.hidden,
            heads: shape.heads,
            vocab: shape.vocab,
        };
        let whole = shape.total_params;
        match stage {
            Stage::Prompting(_) => return None,
            Stage::Tokens(_) => load.trained = whole,
            Stage::Sft(stage) => load.learn(stage.method, whole, adapter_params),
            Stage::Preference(stage) => {
                load.learn(stage.method, whole, adapter_params);
                load.sequences = 2.0;
                if stage.method == Method::Full && !stage.cached_reference {
                    load.frozen += whole;
                }
            }
            Stage::Rl(stage) => {
                load.trained = whole * if stage.algorithm == RlAlgorithm::Ppo { 2.0 } else { 1.0 };
                load.frozen = if stage.no_reference { 0.0 } else { whole };
                if stage.reward == Reward::Model && stage.reward_cost_per_sample.is_none() {
                    load.frozen +=
                        stage.reward_params.map_or(shape.active_params, crate::estimate::figure::Figure::mid);
                }
            }
            Stage::Distillation(stage) => {
                load.learn(stage.method, whole, adapter_params);
                if matches!(stage.teacher(), Some(Teacher::Logits(_))) {
                    load.frozen += teacher.map_or(0.0, |teacher| teacher.total_params);
                }
            }
        }
        Some(load)
    }

    fn learn(&mut self, method: Method, params: f64, adapters: f64) {
        match method {
            Method::Full => self.trained = params,
            Method::Lora => (self.frozen, self.adapters) = (params, adapters),
            Method::Qlora => (self.frozen_4bit, self.adapters) = (params, adapters),
        }
    }

    /// The same with adapters of one percent in place of all parameters: what a run that does not fit may be told to try.
    pub(super) fn with_adapters(self) -> Option<Self> {
        let Self { trained, frozen, adapters, .. } = self;
        (trained > 0.0).then_some(Self {
            trained: 0.0,
            frozen: frozen + trained,
            adapters: adapters + trained / 100.0,
            ..self
        })
    }
}
