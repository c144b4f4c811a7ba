//! Which offering a name leads to.

use serde_json::{Value, json};

use super::{BUILT_IN, quote, warnings};

fn of(model: &str) -> Value {
    json!({ "model": model, "usage": { "input_tokens": 1 } })
}

async fn leads_to(request: Value, offering: &str) {
    let quote = quote(request).await;
    assert_eq!(quote["items"][0]["offering"], offering);
    assert_eq!(warnings(&quote), [""; 0]);
}

#[tokio::test]
async fn without_a_provider_the_developers_own_api_is_meant() {
    leads_to(of("gpt-4o"), "openai/gpt-4o").await;
}

#[tokio::test]
async fn a_reseller_has_to_be_named() {
    leads_to(
        json!({ "provider": "azure-openai", "model": "gpt-4o", "usage": { "input_tokens": 1 } }),
        "azure-openai/gpt-4o",
    )
    .await;
}

#[tokio::test]
async fn the_only_seller_is_taken_with_a_warning() {
    let quote = quote(of("amazon.nova-2-lite-v1:0")).await;
    assert_eq!(quote["items"][0]["provider"], "aws-bedrock");
    assert_eq!(warnings(&quote), ["provider_assumed"]);
    assert_eq!(quote["items"][0]["warnings"][0]["pointer"], "/model");
}

#[tokio::test]
async fn several_resellers_are_an_ambiguity_that_names_them() {
    let errors = BUILT_IN.errors(of("thinkingmachines/inkling-small")).await;
    assert_eq!(errors[0]["code"], "ambiguous_model");
    assert_eq!(errors[0]["pointer"], "/model");
    assert_eq!(
        errors[0]["near_matches"],
        json!([
            "arcee/thinkingmachines/inkling-small",
            "baseten/thinkingmachines/inkling-small",
            "openrouter/thinkingmachines/inkling-small",
        ])
    );
}

#[tokio::test]
async fn a_name_may_hold_the_provider_and_the_model() {
    leads_to(of("azure-openai/gpt-4o"), "azure-openai/gpt-4o").await;
}

#[tokio::test]
async fn a_provider_beside_a_name_that_holds_it_too_is_no_contradiction() {
    let request =
        json!({ "provider": "azure-openai", "model": "azure-openai/gpt-4o", "usage": { "input_tokens": 1 } });
    leads_to(request, "azure-openai/gpt-4o").await;
}

#[tokio::test]
async fn a_sellers_name_may_hold_a_slash_itself() {
    leads_to(of("openrouter/openai/o3-mini"), "openrouter/openai/o3-mini").await;
}

#[tokio::test]
async fn names_may_be_in_any_case() {
    leads_to(of("GPT-4o"), "openai/gpt-4o").await;
    leads_to(
        json!({ "provider": "OpenAI", "model": "GPT-4O", "usage": { "input_tokens": 1 } }),
        "openai/gpt-4o",
    )
    .await;
    leads_to(of("OPENAI/gpt-4O"), "openai/gpt-4o").await;
}

#[tokio::test]
async fn an_alias_leads_to_the_offering_under_its_own_name() {
    let quote = quote(of("gpt-4o-2024-11-20")).await;
    assert_eq!(quote["items"][0]["model"], "gpt-4o");
    assert_eq!(quote["items"][0]["provider"], "openai");
}

#[tokio::test]
async fn a_deprecated_model_is_priced_with_a_warning() {
    let quote = quote(of("avian/Meta-Llama-3.1-8B-Instruct")).await;
    assert_eq!(warnings(&quote), ["model_deprecated"]);
}

#[tokio::test]
async fn a_misspelt_model_comes_with_the_names_that_are_near() {
    let errors = BUILT_IN.errors(of("gpt-4o-mni")).await;
    assert_eq!(errors[0]["code"], "unknown_model");
    assert_eq!(errors[0]["near_matches"][0], "gpt-4o-mini");
}

#[tokio::test]
async fn a_misspelt_provider_comes_with_the_names_that_are_near() {
    let request = json!({ "provider": "opnai", "model": "gpt-4o", "usage": { "input_tokens": 1 } });
    let errors = BUILT_IN.errors(request).await;
    assert_eq!(errors[0]["code"], "unknown_provider");
    assert_eq!(errors[0]["pointer"], "/provider");
    assert_eq!(errors[0]["near_matches"][0], "openai");
}
