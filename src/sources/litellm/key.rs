//! What LiteLLM's keys say before the model's name: a picture's size and quality, a region, a term.
//!
//! `bedrock/us-east-1/1-month-commitment/anthropic.claude-v1` is a model in a region under a commitment;
//! `low/1024-x-1024/gpt-image-1` is a picture of a quality and a size.

use crate::catalog::rate_card::{Context, ContextKey};

/// A key taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Key<'k> {
    /// The model's name at its seller.
    pub name: &'k str,
    /// What the key says besides.
    pub context: Context,
}

/// In the place of a region: all of them.
const ANY_REGION: &str = "*";

/// Takes a key apart.
pub(super) fn parse<'k>(key: &'k str, seller: &str) -> Key<'k> {
    let mut context = Context::default();
    let mut name = key;
    let mut prefixed = false;
    while let Some((segment, rest)) = name.split_once('/') {
        if !prefixed && is_prefix(segment, seller) {
            prefixed = true;
        } else if let Some((key, value)) = said(segment, seller) {
            context.insert(key, value);
        } else if segment != ANY_REGION {
            break;
        }
        name = rest;
    }
    Key { name, context }
}

/// The first segments of keys that only say who sells, where they are not the seller's own word.
const PREFIXES: [(&str, &str); 9] = [
    ("bedrock_converse", "bedrock"),
    ("azure_text", "azure"),
    ("text-completion-openai", "openai"),
    ("text-completion-codestral", "text-completion-codestral"),
    ("cohere_chat", "cohere"),
    ("fireworks_ai-embedding-models", "fireworks_ai"),
    ("vertex_ai", "vertex_ai"),
    ("meta", "meta_llama"),
    ("codestral", "mistral"),
];

/// Sellers whose own name is part of their models' names, or whose keys have no prefix.
const OWN_NAME: [&str; 1] = ["amazon_nova"];

fn is_prefix(segment: &str, seller: &str) -> bool {
    let family = seller.split_once('-').map_or(seller, |(family, _)| family); // `vertex_ai-llama_models`
    let own = segment == seller || segment == family;
    (own && !OWN_NAME.contains(&seller)) || PREFIXES.contains(&(seller, segment))
}

/// What a segment says of a call.
fn said(segment: &str, seller: &str) -> Option<(ContextKey, String)> {
    let pixels = |part: &str| part == "max" || (!part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()));
    if let Some((width, height)) = segment.split_once("-x-").filter(|(w, h)| pixels(w) && pixels(h)) {
        return Some((ContextKey::Size, format!("{width}x{height}")));
    }
    if let Some(steps) = segment.strip_suffix("-steps").filter(|steps| pixels(steps)) {
        return Some((ContextKey::Steps, steps.to_owned()));
    }
    if matches!(segment, "low" | "medium" | "high" | "standard" | "hd") {
        return Some((ContextKey::Quality, segment.to_owned()));
    }
    if seller.starts_with("azure") && matches!(segment, "eu" | "us" | "global" | "global-standard") {
        return Some((ContextKey::Residency, segment.to_owned()));
    }
    if seller.starts_with("bedrock") && segment.ends_with("-month-commitment") {
        return Some((ContextKey::Commitment, segment.to_owned()));
    }
    (seller.starts_with("bedrock") && is_region(segment)).then(|| (ContextKey::Region, segment.to_owned()))
}

/// `us-east-1`, `us-gov-west-1`, `ap-southeast-3`.
fn is_region(segment: &str) -> bool {
    let parts: Vec<&str> = segment.split('-').collect();
    let letters = |part: &&str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase());
    match parts.as_slice() {
        [land, words @ .., number] => {
            land.len() == 2
                && letters(land)
                && (1..=2).contains(&words.len())
                && words.iter().all(letters)
                && number.len() == 1
                && number.bytes().all(|b| b.is_ascii_digit())
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(key: &str, seller: &str) -> (String, Vec<(&'static str, String)>) {
        let key = parse(key, seller);
        let said = key.context.iter().map(|(key, value)| (key.as_str(), value.to_owned())).collect();
        (key.name.to_owned(), said)
    }

    #[test]
    fn a_key_says_region_and_term_before_the_name() {
        let (name, said) = parsed("bedrock/us-gov-east-1/6-month-commitment/anthropic.claude-v1", "bedrock");
        assert_eq!(name, "anthropic.claude-v1");
        assert_eq!(
            said,
            [("commitment", "6-month-commitment".to_owned()), ("region", "us-gov-east-1".to_owned())]
        );
    }

    #[test]
    fn a_key_says_quality_size_and_steps_of_pictures() {
        assert_eq!(
            parsed("azure/hd/1024-x-1792/dall-e-3", "azure"),
            ("dall-e-3".to_owned(), vec![("quality", "hd".to_owned()), ("size", "1024x1792".to_owned())])
        );
        let (name, said) = parsed("512-x-512/max-steps/stability.stable-diffusion-xl-v0", "bedrock");
        assert_eq!(name, "stability.stable-diffusion-xl-v0");
        assert_eq!(said, [("size", "512x512".to_owned()), ("steps", "max".to_owned())]);
    }

    #[test]
    fn a_developers_name_in_the_path_stays_part_of_the_name() {
        assert_eq!(parsed("deepinfra/google/gemma-3-27b-it", "deepinfra").0, "google/gemma-3-27b-it");
        assert_eq!(parsed("vertex_ai/meta/llama-4-scout", "vertex_ai-llama_models").0, "meta/llama-4-scout");
        assert_eq!(parsed("azure/eu/gpt-4o", "azure").1, [("residency", "eu".to_owned())]);
        assert_eq!(parsed("novita/eu/gpt-4o", "novita").0, "eu/gpt-4o");
    }

    #[test]
    fn a_sellers_prefix_is_taken_off_once() {
        assert_eq!(parsed("fal_ai/fal_ai/flux", "fal_ai").0, "fal_ai/flux");
    }
}
