//! Parameters counted from the sizes, against the catalog's.

use farthing::catalog::architecture::{FaultOf, Shape};

use super::{architecture, models, shape, sizes_alone};

/// The models that are not held to 1.5 %, and why.
const NOT_HELD: [(&str, &str); 22] = [
    ("deepseek-v4-flash", "compressed attention: no count published, none possible from the sizes"),
    ("deepseek-v4-pro", "compressed attention: active parameters from a third party, no total"),
    ("gemma-4-26b-a4b", "a dense feed-forward layer beside the experts in each layer: not among the sizes"),
    ("glm-5", "published figures are rounded to the billion"),
    ("glm-5.1", "no published count: the total is this very count"),
    ("gpt-j-6b", "published figure is rounded; no check in the catalog"),
    ("kimi-k3", "linear attention, experts in a latent space: no count published, none possible"),
    ("mimo-v2-flash", "windowed layers have other key and value heads than full ones"),
    ("minimax-m1", "lightning attention: the count is the vendor's"),
    ("minimax-m3", "no published count: the total is this very count"),
    ("moonlight-16b-a3b", "the vendor's count leaves the embeddings out (4.4 %)"),
    ("nemotron-3-nano-30b-a3b", "Mamba hybrid: the count is the vendor's"),
    ("nemotron-3-super-120b-a12b", "Mamba hybrid: the count is the vendor's"),
    ("pythia-1.4b", "no vocabulary among the sizes"),
    ("pythia-12b", "no vocabulary among the sizes"),
    ("pythia-6.9b", "no vocabulary among the sizes"),
    ("qwen3-next-80b-a3b", "gated DeltaNet: the count is the vendor's"),
    ("qwen3.5-122b-a10b", "gated DeltaNet: the count is the vendor's"),
    ("qwen3.5-27b", "gated DeltaNet: the count is the vendor's"),
    ("qwen3.5-35b-a3b", "gated DeltaNet: the count is the vendor's"),
    ("qwen3.5-397b-a17b", "gated DeltaNet: the count is the vendor's"),
    ("step-3.7-flash", "no published count: the total is this very count"),
];

/// The same table names who is not held: no other model may drop out unseen.
#[test]
fn counted_totals_are_within_1_5_percent_of_the_catalogs() {
    let not_held = |id: &str| NOT_HELD.iter().any(|(name, _)| *name == id);
    let (mut held, mut wrong) = (0, Vec::new());
    let models = models();
    for model in models.iter().filter(|model| !not_held(model.id.as_str())) {
        let given = model.architecture.as_ref().unwrap();
        assert!(given.params_check_rel_err.is_some_and(|error| error.abs() < 0.015), "{}", model.id);
        let counted = shape(&sizes_alone(given));
        let off = |counted: f64, given: Option<f64>| counted / given.unwrap() - 1.0;
        let errors =
            [off(counted.total_params, given.params_total), off(counted.active_params, given.params_active)];
        held += 1;
        if errors.iter().any(|error| error.abs() > 0.015) {
            wrong.push((model.id.as_str(), errors));
        }
    }
    assert_eq!(held, 96); // 88, and seven sizes of MPT
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn every_model_that_is_not_held_is_in_the_catalog() {
    let models = models();
    for (id, why) in NOT_HELD {
        let model = models.iter().find(|model| model.id.as_str() == id).unwrap();
        let check = model.architecture.as_ref().unwrap().params_check_rel_err;
        assert!(check.is_none_or(|error| error.abs() > 0.015), "{id} could be held: {why}");
    }
}

/// Of a few of those that the catalog does not check, the count agrees all the same.
#[test]
fn counts_without_a_check_in_the_catalog_are_near_what_is_published() {
    let near = [
        ("gpt-j-6b", 0.01),
        ("glm-5", 0.01),
        ("glm-5.1", 0.001),
        ("minimax-m3", 0.001),
        ("mimo-v2-flash", 0.03),
    ];
    for (id, within) in near {
        let given = architecture(id);
        let counted = shape(&sizes_alone(&given)).total_params;
        assert!((counted / given.params_total.unwrap() - 1.0).abs() < within, "{id}: {counted}");
    }
}

#[test]
fn the_catalogs_parameters_win_over_the_count() {
    let glm = architecture("glm-5");
    let shape = shape(&glm);
    assert_eq!((shape.total_params, shape.active_params), (744e9, 40e9));
    assert!((shape.counted_total - 743.18e9).abs() < 0.01e9, "{}", shape.counted_total);
    assert!((shape.parts.sum() / 744e9 - 1.0).abs() < 1e-12);
    assert!((shape.active_parts.sum() / 40e9 - 1.0).abs() < 1e-12);
}

#[test]
fn a_vendors_count_without_embeddings_gives_way() {
    let shape = shape(&architecture("moonlight-16b-a3b"));
    assert!((shape.total_params / 15.96e9 - 1.0).abs() < 0.001, "{}", shape.total_params);
    assert!(shape.assumed.iter().any(|assumed| assumed.how.contains("embeddings")), "{:?}", shape.assumed);
}

#[test]
fn a_hybrid_without_its_vendors_count_is_a_fault() {
    for id in ["deepseek-v4-flash", "kimi-k3"] {
        let faults = Shape::of(&architecture(id)).unwrap_err();
        assert_eq!((faults[0].field, faults[0].of), ("params_total", FaultOf::Missing), "{id}");
    }
}
