//! Configurations as published, read into shapes.

use farthing::catalog::architecture::{FaultOf, Shape, hf_config};
use serde_json::{Value, json};

use super::shape;

/// A published configuration, and the billions of parameters that its maker (or its files) say.
struct Case {
    name: &'static str,
    total: f64,
    active: Option<f64>,
    config: Value,
}

fn case(name: &'static str, total: f64, active: impl Into<Option<f64>>, config: Value) -> Case {
    Case { name, total, active: active.into(), config }
}

fn llamas() -> Vec<Case> {
    vec![
        case(
            "Llama-3.1-8B",
            8.03,
            None,
            json!({
                "architectures": ["LlamaForCausalLM"], "attention_bias": false, "attention_dropout": 0.0,
                "bos_token_id": 128_000, "eos_token_id": 128_001, "hidden_act": "silu", "hidden_size": 4096,
                "initializer_range": 0.02, "intermediate_size": 14336, "max_position_embeddings": 131_072,
                "mlp_bias": false, "model_type": "llama", "num_attention_heads": 32, "num_hidden_layers": 32,
                "num_key_value_heads": 8, "pretraining_tp": 1, "rms_norm_eps": 1e-5,
                "rope_scaling": { "factor": 8.0, "rope_type": "llama3" }, "rope_theta": 500_000.0,
                "tie_word_embeddings": false, "torch_dtype": "bfloat16", "transformers_version": "4.43.0.dev0",
                "use_cache": true, "vocab_size": 128_256
            }),
        ),
        case(
            "Llama-2-7B, which says nothing of sharing keys",
            6.74,
            None,
            json!({
                "model_type": "llama", "hidden_size": 4096, "intermediate_size": 11008, "num_attention_heads": 32,
                "num_hidden_layers": 32, "vocab_size": 32000, "torch_dtype": "float16"
            }),
        ),
        case(
            "Mistral-7B-v0.1",
            7.24,
            None,
            json!({
                "model_type": "mistral", "hidden_size": 4096, "intermediate_size": 14336, "num_attention_heads": 32,
                "num_hidden_layers": 32, "num_key_value_heads": 8, "sliding_window": 4096, "vocab_size": 32000,
                "max_position_embeddings": 32768, "tie_word_embeddings": false
            }),
        ),
        case(
            "Mistral-Nemo-12B",
            12.25,
            None,
            json!({
                "model_type": "mistral", "head_dim": 128, "hidden_size": 5120, "intermediate_size": 14336,
                "num_attention_heads": 32, "num_hidden_layers": 40, "num_key_value_heads": 8,
                "sliding_window": null, "vocab_size": 131_072
            }),
        ),
        case(
            "Qwen2.5-7B",
            7.62,
            None,
            json!({
                "model_type": "qwen2", "hidden_size": 3584, "intermediate_size": 18944, "max_window_layers": 28,
                "num_attention_heads": 28, "num_hidden_layers": 28, "num_key_value_heads": 4,
                "sliding_window": 131_072, "use_sliding_window": false, "use_mrope": false, "vocab_size": 152_064
            }),
        ),
        case(
            "Qwen3-0.6B",
            0.596,
            None,
            json!({
                "model_type": "qwen3", "head_dim": 128, "hidden_size": 1024, "intermediate_size": 3072,
                "num_attention_heads": 16, "num_hidden_layers": 28, "num_key_value_heads": 8,
                "tie_word_embeddings": true, "vocab_size": 151_936
            }),
        ),
        case(
            "GLM-4-9B-0414",
            9.40,
            None,
            json!({
                "model_type": "glm4", "head_dim": 128, "hidden_size": 4096, "intermediate_size": 13696,
                "num_attention_heads": 32, "num_hidden_layers": 40, "num_key_value_heads": 2,
                "partial_rotary_factor": 0.5, "vocab_size": 151_552
            }),
        ),
        case(
            "OLMo-2-1124-7B",
            7.30,
            None,
            json!({
                "model_type": "olmo2", "hidden_size": 4096, "intermediate_size": 11008, "num_attention_heads": 32,
                "num_hidden_layers": 32, "num_key_value_heads": 32, "vocab_size": 100_352
            }),
        ),
        case(
            "Command R v01",
            34.98,
            None,
            json!({
                "model_type": "cohere", "hidden_size": 8192, "intermediate_size": 22528, "logit_scale": 0.0625,
                "num_attention_heads": 64, "num_hidden_layers": 40, "num_key_value_heads": 64,
                "use_qk_norm": false, "vocab_size": 256_000
            }),
        ),
        case(
            "Phi-3-mini-4k",
            3.82,
            None,
            json!({
                "model_type": "phi3", "hidden_size": 3072, "intermediate_size": 8192, "num_attention_heads": 32,
                "num_hidden_layers": 32, "num_key_value_heads": 32, "original_max_position_embeddings": 4096,
                "sliding_window": 2047, "vocab_size": 32064
            }),
        ),
        case(
            "Gemma-7B",
            8.54,
            None,
            json!({
                "model_type": "gemma", "head_dim": 256, "hidden_size": 3072, "intermediate_size": 24576,
                "num_attention_heads": 16, "num_hidden_layers": 28, "num_key_value_heads": 16,
                "vocab_size": 256_000
            }),
        ),
        case(
            "Gemma-2-9B",
            9.24,
            None,
            json!({
                "model_type": "gemma2", "attn_logit_softcapping": 50.0, "cache_implementation": "hybrid",
                "final_logit_softcapping": 30.0, "head_dim": 256, "hidden_size": 3584, "intermediate_size": 14336,
                "num_attention_heads": 16, "num_hidden_layers": 42, "num_key_value_heads": 8,
                "query_pre_attn_scalar": 256, "sliding_window": 4096, "sliding_window_size": 4096,
                "vocab_size": 256_000
            }),
        ),
        case(
            "Gemma-3-4B, its language model",
            3.88,
            None,
            json!({
                "architectures": ["Gemma3ForConditionalGeneration"], "boi_token_index": 255_999,
                "mm_tokens_per_image": 256, "model_type": "gemma3", "torch_dtype": "bfloat16",
                "text_config": {
                    "hidden_size": 2560, "intermediate_size": 10240, "model_type": "gemma3_text",
                    "num_hidden_layers": 34, "rope_scaling": { "factor": 8.0 }, "sliding_window": 1024
                },
                "vision_config": { "hidden_size": 1152, "num_hidden_layers": 27, "model_type": "siglip_vision_model" }
            }),
        ),
    ]
}

fn older() -> Vec<Case> {
    vec![
        case(
            "GPT-2",
            0.1244,
            None,
            json!({
                "activation_function": "gelu_new", "attn_pdrop": 0.1, "embd_pdrop": 0.1, "model_type": "gpt2",
                "n_ctx": 1024, "n_embd": 768, "n_head": 12, "n_layer": 12, "n_positions": 1024,
                "summary_first_dropout": 0.1, "task_specific_params": { "text-generation": { "max_length": 50 } },
                "vocab_size": 50257
            }),
        ),
        case(
            "GPT-2 XL",
            1.558,
            None,
            json!({
                "model_type": "gpt2", "n_embd": 1600, "n_head": 25, "n_layer": 48, "n_positions": 1024,
                "vocab_size": 50257
            }),
        ),
        case(
            "GPT-J-6B",
            6.05,
            None,
            json!({
                "model_type": "gptj", "n_embd": 4096, "n_head": 16, "n_inner": null, "n_layer": 28,
                "n_positions": 2048, "rotary_dim": 64, "tie_word_embeddings": false, "vocab_size": 50400
            }),
        ),
        case(
            "GPT-NeoX-20B",
            20.55,
            None,
            json!({
                "model_type": "gpt_neox", "hidden_size": 6144, "intermediate_size": 24576,
                "num_attention_heads": 64, "num_hidden_layers": 44, "rotary_pct": 0.25, "vocab_size": 50432
            }),
        ),
        case(
            "BLOOM-7B1",
            7.07,
            None,
            json!({
                "model_type": "bloom", "apply_residual_connection_post_layernorm": false, "hidden_dropout": 0.0,
                "n_head": 32, "n_layer": 30, "hidden_size": 4096, "slow_but_exact": false, "vocab_size": 250_880
            }),
        ),
        case(
            "OPT-6.7B",
            6.66,
            None,
            json!({
                "model_type": "opt", "do_layer_norm_before": true, "ffn_dim": 16384, "hidden_size": 4096,
                "max_position_embeddings": 2048, "num_attention_heads": 32, "num_hidden_layers": 32,
                "vocab_size": 50272, "word_embed_proj_dim": 4096
            }),
        ),
        case(
            "MPT-7B",
            6.65,
            None,
            json!({
                "model_type": "mpt", "attn_config": { "alibi": true, "attn_impl": "torch" }, "d_model": 4096,
                "expansion_ratio": 4, "max_seq_len": 2048, "n_heads": 32, "n_layers": 32, "no_bias": true,
                "vocab_size": 50432
            }),
        ),
        case(
            "Falcon-7B",
            6.92,
            None,
            json!({
                "model_type": "falcon", "alibi": false, "bias": false, "hidden_size": 4544, "multi_query": true,
                "new_decoder_architecture": false, "num_attention_heads": 71, "num_hidden_layers": 32,
                "parallel_attn": true, "vocab_size": 65024
            }),
        ),
        case(
            "Falcon-40B",
            41.3,
            None,
            json!({
                "model_type": "falcon", "hidden_size": 8192, "multi_query": true, "new_decoder_architecture": true,
                "num_attention_heads": 128, "num_hidden_layers": 60, "num_kv_heads": 8, "vocab_size": 65024
            }),
        ),
        case(
            "Phi-2",
            2.78,
            None,
            json!({
                "model_type": "phi", "hidden_size": 2560, "intermediate_size": 10240, "num_attention_heads": 32,
                "num_hidden_layers": 32, "num_key_value_heads": 32, "tie_word_embeddings": false,
                "vocab_size": 51200
            }),
        ),
        case(
            "StarCoder2-7B",
            7.17,
            None,
            json!({
                "model_type": "starcoder2", "hidden_size": 4608, "intermediate_size": 18432, "mlp_type": "default",
                "num_attention_heads": 36, "num_hidden_layers": 32, "num_key_value_heads": 4,
                "sliding_window": 4096, "use_bias": true, "vocab_size": 49152
            }),
        ),
    ]
}

fn mixtures() -> Vec<Case> {
    vec![
        case(
            "Mixtral-8x7B",
            46.7,
            12.9,
            json!({
                "model_type": "mixtral", "hidden_size": 4096, "intermediate_size": 14336,
                "num_attention_heads": 32, "num_experts_per_tok": 2, "num_hidden_layers": 32,
                "num_key_value_heads": 8, "num_local_experts": 8, "output_router_logits": false,
                "router_aux_loss_coef": 0.02, "sliding_window": null, "vocab_size": 32000
            }),
        ),
        case(
            "Qwen1.5-MoE-A2.7B",
            14.3,
            2.7,
            json!({
                "model_type": "qwen2_moe", "decoder_sparse_step": 1, "hidden_size": 2048, "intermediate_size": 5632,
                "max_window_layers": 21, "moe_intermediate_size": 1408, "norm_topk_prob": false,
                "num_attention_heads": 16, "num_experts": 60, "num_experts_per_tok": 4, "num_hidden_layers": 24,
                "num_key_value_heads": 16, "shared_expert_intermediate_size": 5632, "sliding_window": 32768,
                "use_sliding_window": false, "vocab_size": 151_936
            }),
        ),
        case(
            "Qwen3-30B-A3B",
            30.5,
            3.3,
            json!({
                "model_type": "qwen3_moe", "decoder_sparse_step": 1, "head_dim": 128, "hidden_size": 2048,
                "intermediate_size": 6144, "mlp_only_layers": [], "moe_intermediate_size": 768,
                "num_attention_heads": 32, "num_experts": 128, "num_experts_per_tok": 8, "num_hidden_layers": 48,
                "num_key_value_heads": 4, "sliding_window": null, "vocab_size": 151_936
            }),
        ),
        case(
            "DeepSeek-V2-Lite",
            15.7,
            None,
            json!({
                "model_type": "deepseek_v2", "first_k_dense_replace": 1, "hidden_size": 2048,
                "intermediate_size": 10944, "kv_lora_rank": 512, "moe_intermediate_size": 1408,
                "moe_layer_freq": 1, "n_routed_experts": 64, "n_shared_experts": 2, "num_attention_heads": 16,
                "num_experts_per_tok": 6, "num_hidden_layers": 27, "num_key_value_heads": 16,
                "q_lora_rank": null, "qk_nope_head_dim": 128, "qk_rope_head_dim": 64, "topk_method": "greedy",
                "v_head_dim": 128, "vocab_size": 102_400
            }),
        ),
        case("DeepSeek-V3", 671.0, 37.5, deepseek_v3()),
        case(
            "Kimi K2",
            1026.4,
            32.86,
            json!({
                "model_type": "kimi_k2", "first_k_dense_replace": 1, "hidden_size": 7168,
                "intermediate_size": 18432, "kv_lora_rank": 512, "moe_intermediate_size": 2048, "moe_layer_freq": 1,
                "n_group": 1, "n_routed_experts": 384, "n_shared_experts": 1, "num_attention_heads": 64,
                "num_experts_per_tok": 8, "num_hidden_layers": 61, "num_key_value_heads": 64,
                "num_nextn_predict_layers": 0, "q_lora_rank": 1536, "qk_nope_head_dim": 128,
                "qk_rope_head_dim": 64, "v_head_dim": 128, "vocab_size": 163_840
            }),
        ),
        case(
            "GLM-4.5-Air",
            106.0,
            None,
            json!({
                "model_type": "glm4_moe", "first_k_dense_replace": 1, "head_dim": 128, "hidden_size": 4096,
                "intermediate_size": 10944, "moe_intermediate_size": 1408, "n_routed_experts": 128,
                "n_shared_experts": 1, "num_attention_heads": 96, "num_experts_per_tok": 8,
                "num_hidden_layers": 46, "num_key_value_heads": 8, "num_nextn_predict_layers": 1,
                "partial_rotary_factor": 0.5, "use_qk_norm": false, "vocab_size": 151_552
            }),
        ),
        case(
            "gpt-oss-20b",
            20.9,
            None,
            json!({
                "model_type": "gpt_oss", "experts_per_token": 4, "head_dim": 64, "hidden_size": 2880,
                "initial_context_length": 4096, "intermediate_size": 2880, "num_attention_heads": 64,
                "num_experts_per_tok": 4, "num_hidden_layers": 24, "num_key_value_heads": 8,
                "num_local_experts": 32, "quantization_config": { "quant_method": "mxfp4" },
                "sliding_window": 128, "swiglu_limit": 7.0, "torch_dtype": "bfloat16", "vocab_size": 201_088
            }),
        ),
        case(
            "Llama-4-Maverick, its language model",
            400.0,
            17.0,
            json!({
                "model_type": "llama4", "torch_dtype": "bfloat16",
                "text_config": {
                    "attention_chunk_size": 8192, "head_dim": 128, "hidden_size": 5120,
                    "interleave_moe_layer_step": 2, "intermediate_size": 8192, "intermediate_size_mlp": 16384,
                    "model_type": "llama4_text", "no_rope_layers": [], "num_attention_heads": 40,
                    "num_experts_per_tok": 1, "num_hidden_layers": 48, "num_key_value_heads": 8,
                    "num_local_experts": 128, "use_qk_norm": false, "vocab_size": 202_048
                },
                "vision_config": { "hidden_size": 1408, "model_type": "llama4_vision_model" }
            }),
        ),
        case(
            "DBRX",
            132.0,
            36.0,
            json!({
                "model_type": "dbrx", "attn_config": { "clip_qkv": 8, "kv_n_heads": 8, "rope_theta": 500_000 },
                "d_model": 6144, "ffn_config": {
                    "ffn_hidden_size": 10752, "moe_jitter_eps": 0.01, "moe_loss_weight": 0.05,
                    "moe_num_experts": 16, "moe_top_k": 4 },
                "max_seq_len": 32768, "n_heads": 48, "n_layers": 40, "vocab_size": 100_352
            }),
        ),
        case("Qwen3-Next-80B-A3B", 79.67, None, qwen3_next()),
        case(
            "Jamba v0.1",
            51.6,
            12.0,
            json!({
                "model_type": "jamba", "attn_layer_offset": 4, "attn_layer_period": 8, "expert_layer_offset": 1,
                "expert_layer_period": 2, "hidden_size": 4096, "intermediate_size": 14336, "mamba_d_conv": 4,
                "mamba_d_state": 16, "mamba_dt_rank": 256, "mamba_expand": 2, "num_attention_heads": 32,
                "num_experts": 16, "num_experts_per_tok": 2, "num_hidden_layers": 32, "num_key_value_heads": 8,
                "sliding_window": null, "tie_word_embeddings": false, "vocab_size": 65536
            }),
        ),
    ]
}

fn deepseek_v3() -> Value {
    json!({
        "architectures": ["DeepseekV3ForCausalLM"], "aux_loss_alpha": 0.001, "ep_size": 1,
        "first_k_dense_replace": 3, "hidden_act": "silu", "hidden_size": 7168, "intermediate_size": 18432,
        "kv_lora_rank": 512, "max_position_embeddings": 163_840, "model_type": "deepseek_v3",
        "moe_intermediate_size": 2048, "moe_layer_freq": 1, "n_group": 8, "n_routed_experts": 256,
        "n_shared_experts": 1, "norm_topk_prob": true, "num_attention_heads": 128, "num_experts_per_tok": 8,
        "num_hidden_layers": 61, "num_key_value_heads": 128, "num_nextn_predict_layers": 1, "q_lora_rank": 1536,
        "qk_nope_head_dim": 128, "qk_rope_head_dim": 64,
        "quantization_config": { "quant_method": "fp8", "weight_block_size": [128, 128] },
        "routed_scaling_factor": 2.5, "scoring_func": "sigmoid", "topk_group": 4, "topk_method": "noaux_tc",
        "torch_dtype": "bfloat16", "v_head_dim": 128, "vocab_size": 129_280
    })
}

fn qwen3_next() -> Value {
    json!({
        "model_type": "qwen3_next", "decoder_sparse_step": 1, "full_attention_interval": 4, "head_dim": 256,
        "hidden_size": 2048, "intermediate_size": 5120, "linear_conv_kernel_dim": 4, "linear_key_head_dim": 128,
        "linear_num_key_heads": 16, "linear_num_value_heads": 32, "linear_value_head_dim": 128,
        "mlp_only_layers": [], "moe_intermediate_size": 512, "num_attention_heads": 16, "num_experts": 512,
        "num_experts_per_tok": 10, "num_hidden_layers": 48, "num_key_value_heads": 2,
        "shared_expert_intermediate_size": 512, "vocab_size": 151_936
    })
}

#[test]
fn configurations_come_within_a_percent_of_the_published_parameters() {
    let mut wrong = Vec::new();
    for Case { name, total, active, config } in llamas().into_iter().chain(older()).chain(mixtures()) {
        let (read, _) = hf_config::read(&config).unwrap_or_else(|faults| panic!("{name}: {faults:?}"));
        let shape = shape(&read);
        let off = shape.total_params / (total * 1e9) - 1.0;
        // Active parameters are published with two digits.
        let active_off = active.map_or(0.0, |active| shape.active_params / (active * 1e9) - 1.0);
        if off.abs() > 0.01 || active_off.abs() > 0.035 {
            wrong.push((name, off, active_off));
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn no_field_of_a_published_configuration_is_left_unread_but_these() {
    let expected = [
        ("Gemma-2-9B", vec!["cache_implementation", "sliding_window_size"]),
        ("Gemma-3-4B, its language model", vec!["mm_tokens_per_image", "vision_config"]),
        ("Command R v01", vec!["logit_scale"]),
        ("OPT-6.7B", vec!["word_embed_proj_dim"]),
        ("StarCoder2-7B", vec!["mlp_type"]),
        ("Llama-4-Maverick, its language model", vec!["vision_config"]),
    ];
    for Case { name, config, .. } in llamas().into_iter().chain(older()).chain(mixtures()) {
        let (_, unread) = hf_config::read(&config).unwrap();
        let known = expected.iter().find(|(case, _)| *case == name).map(|(_, fields)| fields.clone());
        assert_eq!(unread, known.unwrap_or_default(), "{name}");
    }
}

/// (full, windowed, linear) layers of configurations that say it in different ways.
#[test]
fn layers_are_windowed_as_each_family_has_it() {
    let expected = [
        ("Mistral-7B-v0.1", (0.0, 32.0, 0.0)),
        ("Mistral-Nemo-12B", (40.0, 0.0, 0.0)),
        ("Qwen2.5-7B", (28.0, 0.0, 0.0)),
        ("Gemma-2-9B", (21.0, 21.0, 0.0)),
        ("Gemma-3-4B, its language model", (5.0, 29.0, 0.0)),
        ("gpt-oss-20b", (12.0, 12.0, 0.0)),
        ("Llama-4-Maverick, its language model", (12.0, 36.0, 0.0)),
        ("Qwen3-Next-80B-A3B", (12.0, 0.0, 36.0)),
        ("Jamba v0.1", (4.0, 0.0, 28.0)),
    ];
    let cases: Vec<Case> = llamas().into_iter().chain(mixtures()).collect();
    for (name, layers) in expected {
        let config = &cases.iter().find(|case| case.name == name).unwrap().config;
        let mix = shape(&hf_config::read(config).unwrap().0).mix;
        assert_eq!((mix.full, mix.windowed, mix.linear), layers, "{name}");
    }
}

#[test]
fn layer_types_win_over_the_familys_habit() {
    let config = json!({
        "model_type": "gpt_oss", "head_dim": 64, "hidden_size": 2880, "intermediate_size": 2880,
        "num_attention_heads": 64, "num_experts_per_tok": 4, "num_hidden_layers": 4, "num_key_value_heads": 8,
        "num_local_experts": 32, "sliding_window": 128, "vocab_size": 201_088,
        "layer_types": ["sliding_attention", "sliding_attention", "sliding_attention", "full_attention"]
    });
    let mix = shape(&hf_config::read(&config).unwrap().0).mix;
    assert_eq!((mix.full, mix.windowed, mix.window), (1.0, 3.0, 128.0));
}

#[test]
fn the_released_precision_is_read() {
    let dtype = |config: Value| hf_config::read(&config).unwrap().0.dtype_released;
    assert_eq!(dtype(deepseek_v3()).as_deref(), Some("fp8"));
    assert_eq!(dtype(llamas().remove(0).config).as_deref(), Some("bf16"));
    assert_eq!(dtype(qwen3_next()), None);
}

#[test]
fn a_type_that_is_not_known_is_read_by_the_common_names_or_told_what_is_missing() {
    let whole = json!({
        "model_type": "brand_new", "hidden_size": 2048, "intermediate_size": 8192, "num_attention_heads": 16,
        "num_hidden_layers": 24, "vocab_size": 32000, "memory_slots": 64
    });
    let (read, unread) = hf_config::read(&whole).unwrap();
    assert!(Shape::of(&read).is_ok());
    assert_eq!(unread, ["memory_slots"]);
    let faults = hf_config::read(&json!({ "model_type": "brand_new", "hidden_size": 2048 })).unwrap_err();
    let missing: Vec<&str> = faults.iter().map(|fault| fault.field).collect();
    assert_eq!(missing, ["num_hidden_layers", "num_attention_heads", "intermediate_size", "vocab_size"]);
    assert!(faults.iter().all(|fault| fault.of == FaultOf::Missing));
}

#[test]
fn what_these_fields_cannot_describe_is_refused() {
    for model_type in ["mamba2", "nemotron_h", "t5", "deepseek_v4"] {
        let faults = hf_config::read(&json!({ "model_type": model_type, "hidden_size": 2048 })).unwrap_err();
        assert_eq!((faults[0].field, faults.len()), ("model_type", 1), "{model_type}");
    }
}

#[test]
fn a_configuration_of_other_types_is_a_fault_that_names_the_field() {
    let faults = |config: Value| {
        hf_config::read(&config)
            .unwrap_err()
            .into_iter()
            .map(|fault| (fault.field, fault.of))
            .collect::<Vec<_>>()
    };
    assert_eq!(faults(json!([1])), [("config", FaultOf::Type)]);
    let mut config = llamas().remove(0).config;
    config["hidden_size"] = json!("4096");
    config["tie_word_embeddings"] = json!(1);
    let found = faults(config);
    assert!(found.contains(&("hidden_size", FaultOf::Type)), "{found:?}");
    assert!(found.contains(&("tie_word_embeddings", FaultOf::Type)), "{found:?}");
}
