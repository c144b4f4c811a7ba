//! What feeds call the catalog's providers and accelerators, where they do not call them by their ids.
//!
//! Names are matched exactly, never by likeness: one feed's `GB200` was another's `H100 SXM`. A seller that is neither
//! listed here nor an id of the catalog is unknown, and what it sells is refused.

use super::Format;

/// A feed's word for a seller and the id of the provider that it is.
type Word = (&'static str, &'static str);

/// `litellm_provider`, where it is no id.
const LITELLM: [Word; 53] = [
    ("amazon_nova", "amazon-nova"),
    ("aws_polly", "aws-polly"),
    ("azure", "azure-openai"),
    ("azure_ai", "azure-ai"),
    ("azure_text", "azure-openai"),
    ("bedrock", "aws-bedrock"),
    ("bedrock_converse", "aws-bedrock"),
    ("bedrock_mantle", "aws-bedrock"),
    ("black_forest_labs", "black-forest-labs"),
    ("codestral", "mistral"),
    ("cohere_chat", "cohere"),
    ("dashscope", "alibaba"),
    ("fal_ai", "fal"),
    ("fireworks_ai", "fireworks"),
    ("fireworks_ai-embedding-models", "fireworks"),
    ("gemini", "google-ai-studio"),
    ("github_copilot", "github-copilot"),
    ("jina_ai", "jina"),
    ("lambda_ai", "lambda"),
    ("meta_llama", "meta"),
    ("moonshot", "moonshotai"),
    ("oci", "oracle-oci"),
    ("text-completion-codestral", "mistral"),
    ("text-completion-openai", "openai"),
    ("together_ai", "together"),
    ("vertex_ai", "google-vertex"),
    ("vertex_ai-ai21_models", "google-vertex"),
    ("vertex_ai-anthropic_models", "google-vertex"),
    ("vertex_ai-chat-models", "google-vertex"),
    ("vertex_ai-code-chat-models", "google-vertex"),
    ("vertex_ai-code-text-models", "google-vertex"),
    ("vertex_ai-deepseek_models", "google-vertex"),
    ("vertex_ai-embedding-models", "google-vertex"),
    ("vertex_ai-image-models", "google-vertex"),
    ("vertex_ai-language-models", "google-vertex"),
    ("vertex_ai-llama_models", "google-vertex"),
    ("vertex_ai-minimax_models", "google-vertex"),
    ("vertex_ai-mistral_models", "google-vertex"),
    ("vertex_ai-moonshot_models", "google-vertex"),
    ("vertex_ai-openai_models", "google-vertex"),
    ("vertex_ai-qwen_models", "google-vertex"),
    ("vertex_ai-text-models", "google-vertex"),
    ("vertex_ai-video-models", "google-vertex"),
    ("vertex_ai-vision-models", "google-vertex"),
    ("vertex_ai-zai_models", "google-vertex"),
    ("voyage", "voyageai"),
    ("watsonx", "ibm-watsonx"),
    ("xai", "x-ai"),
    // These sell no calls under the ids that they share with renters of accelerators, or not at list prices.
    ("crusoe", ""),
    ("chatgpt", ""),
    ("hyperstack", ""),
    ("github", ""),
    ("vast", ""),
];

/// Folders of the `SkyPilot` catalog, where they are no ids.
const SKYPILOT: [Word; 5] =
    [("do", "digitalocean"), ("lambda_cloud", "lambda"), ("ibm", ""), ("scp", ""), ("oci", "oci")];

/// The catalog's id for a feed's word of a seller: a word that is listed, else the word itself. `None`: it is nobody here.
///
/// ```
/// use farthing::sources::{Format, names::provider};
/// assert_eq!(provider(Format::LiteLlm, "bedrock_converse"), Some("aws-bedrock"));
/// assert_eq!(provider(Format::GenaiPrices, "openai"), Some("openai"));
/// ```
#[must_use]
pub fn provider(format: Format, word: &str) -> Option<&str> {
    let words: &[Word] = match format {
        Format::LiteLlm => &LITELLM,
        Format::SkyPilot => &SKYPILOT,
        _ => &[],
    };
    let id = words.iter().find(|(known, _)| *known == word).map_or(word, |(_, id)| *id);
    (!id.is_empty()).then_some(id)
}

/// Words for accelerators that are no id or alias of the catalog: machines' names, and makers' full names.
const GPUS: [Word; 5] = [
    ("h100mega", "h100-sxm5-80gb"),
    ("radeonpromi300x", "mi300x-192gb"),
    ("tpuv5lite", "tpu-v5e"),
    ("v10032gb", "v100-sxm2-32gb"),
    ("rtxpro6000bse", "rtx-pro-6000-server-96gb"),
];

/// A feed's spelling of an accelerator as spellings are compared: lower case, without spaces, `-` and `_`.
///
/// ```
/// use farthing::sources::names::gpu_spelling;
/// assert_eq!(gpu_spelling("A100-80GB SXM"), "a10080gbsxm");
/// ```
#[must_use]
pub fn gpu_spelling(word: &str) -> String {
    word.chars().filter(|c| !matches!(c, ' ' | '-' | '_')).flat_map(char::to_lowercase).collect()
}

/// The catalog's id for a spelling that no alias has.
#[must_use]
pub fn gpu(spelling: &str) -> Option<&'static str> {
    GPUS.iter().find(|(known, _)| *known == spelling).map(|(_, id)| *id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::edition::built_in_snapshot;

    #[test]
    fn every_listed_word_leads_to_a_provider_or_an_accelerator_of_the_built_in_catalog() {
        let snapshot = built_in_snapshot().unwrap();
        let view = snapshot.newest();
        for (word, id) in LITELLM.iter().chain(&SKYPILOT).filter(|(_, id)| !id.is_empty()) {
            assert!(view.provider(id).is_some(), "{word} is no {id}");
        }
        for (word, id) in GPUS {
            assert!(view.gpu(id).is_some(), "{word} is no {id}");
        }
    }
}
