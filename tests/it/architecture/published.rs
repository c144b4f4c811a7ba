//! Figures that others publish, from the shape alone.

use farthing::catalog::architecture::Mask;

use super::{architecture, shape, sizes_alone};

/// 14.8e12 tokens at 4096 in 2.664 million hours of H800 (arXiv:2412.19437, table 1); its authors say 385
/// TFLOP/s, causal (arXiv:2505.09343, table 4).
#[test]
fn deepseek_v3_by_shape_alone_sustains_what_its_authors_report() {
    let v3 = shape(&sizes_alone(&architecture("deepseek-v3")));
    let flops = 14.8e12 * v3.training_flops_per_token(4096.0);
    let per_gpu = flops / (2.664e6 * 3600.0) / 1e12;
    assert!((370.0..395.0).contains(&per_gpu), "{per_gpu} TFLOP/s");
}

/// arXiv:2505.09343, table 4: 38.94 % causal, 43.73 % non-causal, of 989.4 TFLOP/s in BF16.
#[test]
fn an_mfu_converts_between_causal_and_non_causal() {
    let v3 = shape(&sizes_alone(&architecture("deepseek-v3")));
    let non_causal = 38.94 * v3.non_causal_over_causal(4096.0);
    assert!((non_causal - 43.73).abs() < 0.1, "{non_causal} %");
    let counting = |mask| v3.training_flops_counting(4096.0, mask);
    assert!(counting(Mask::NonCausal) > counting(Mask::Causal));
    let longer = 3.0 * v3.attention_flops_per_token(4096.0, Mask::Causal);
    let difference = counting(Mask::NonCausal) - counting(Mask::Causal);
    assert!((difference / longer - 1.0).abs() < 1e-9, "{difference} {longer}");
}

/// `DeepSeekMoE`, arXiv:2401.06066: about 40 % of the computation of LLaMA2-7B, which it does not fall behind.
#[test]
fn deepseekmoe_16b_uses_two_fifths_of_the_parameters_of_llama_2_7b() {
    let mixture = shape(&sizes_alone(&architecture("deepseekmoe-16b")));
    let dense = shape(&sizes_alone(&architecture("llama-2-7b")));
    assert!((mixture.active_params / 2.8e9 - 1.0).abs() < 0.02, "{}", mixture.active_params);
    assert!((dense.active_params / 6.7e9 - 1.0).abs() < 0.01, "{}", dense.active_params);
    let share = mixture.training_flops_per_token(4096.0) / dense.training_flops_per_token(4096.0);
    assert!((0.38..0.44).contains(&share), "{share}");
}

/// arXiv:2505.09343, table 1: 70.272 KB, 327.680 KB and 516.096 KB per token in BF16.
#[test]
fn kv_caches_are_as_large_as_published() {
    let published = [("deepseek-v3", 70_272.0), ("qwen2.5-72b", 327_680.0), ("llama-3.1-405b", 516_096.0)];
    for (id, bytes) in published {
        let shape = shape(&architecture(id));
        assert!((shape.kv_bytes_per_token(2.0, 4096.0) - bytes).abs() < 1e-6, "{id}");
    }
}

/// Windows of 128 tokens in half of the layers: 73,728 bytes below 128 tokens, falling to half of it.
#[test]
fn a_window_bounds_what_its_layers_keep() {
    let shape = shape(&architecture("gpt-oss-120b"));
    let bytes = |context| shape.kv_bytes_per_token(2.0, context);
    assert!((bytes(100.0) - 73_728.0).abs() < 1e-6 && (bytes(128.0) - 73_728.0).abs() < 1e-6);
    assert!(bytes(129.0) < bytes(128.0));
    assert!((bytes(1e6) / 36_864.0 - 1.0).abs() < 1e-3, "{}", bytes(1e6));
}

/// "about +4 %" at 4096 tokens: arithmetic of one layer and the output head.
#[test]
fn predicting_one_more_token_costs_deepseek_v3_some_4_percent() {
    let v3 = shape(&architecture("deepseek-v3"));
    let share = v3.mtp_flops_per_token(4096.0) / v3.training_flops_per_token(4096.0);
    assert!((0.035..0.05).contains(&share), "{share}");
    assert!(shape(&architecture("llama-2-7b")).mtp_flops_per_token(4096.0) == 0.0);
}

/// Llama 3.1 405B, arXiv:2407.21783, section 3.3: 430 and 400 TFLOP/s on 8,192 and 16,384 H100 are 43 % and 41 %
/// of their BF16 peak; 3.8e25 FLOPs in 15.6e12 tokens, by 6·N·D.
#[test]
fn llama_3_1_405b_takes_the_published_budget() {
    let llama = shape(&sizes_alone(&architecture("llama-3.1-405b")));
    let flops = 15.6e12 * llama.training_flops_per_token(8192.0);
    assert!((flops / 3.8e25 - 1.0).abs() < 0.08, "{flops:e}");
}
