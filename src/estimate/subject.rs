//! Which model it is about: one of the catalog, a shape given, or a shape in somebody else's words.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::object::Object;
use crate::{
    catalog::{
        architecture::{Assumed, FaultOf, Shape, ShapeFault, hf_config},
        model::{Architecture, Model},
        money::Quantity,
        names,
        rows::Versioned,
    },
    estimate::{
        desk::Desk,
        fault::{FaultKind, pointer},
        quote::{Ref, Reference, RowConditions, WarningCode},
    },
};

/// A shape in somebody else's words.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ArchitectureFrom {
    /// Whose words.
    pub format: ArchitectureFormat,
    /// The `config.json` of a model on Hugging Face, pasted.
    #[schema(value_type = std::collections::BTreeMap<String, serde_json::Value>, additional_properties, example = json!({
        "model_type": "llama", "hidden_size": 4096, "num_hidden_layers": 32, "num_attention_heads": 32,
        "num_key_value_heads": 8, "intermediate_size": 14_336, "vocab_size": 128_256, "tie_word_embeddings": false
    }))]
    pub config: serde_json::Value,
}

/// Ways to write down a shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ArchitectureFormat {
    /// `config.json` of Hugging Face.
    HfConfig,
}

/// The ways in which a request may name a model.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Named<'a> {
    pub(crate) model: Option<&'a str>,
    pub(crate) architecture: Option<&'a Object<Architecture>>,
    pub(crate) architecture_from: Option<&'a Object<ArchitectureFrom>>,
}

/// A model whose shape is known.
#[derive(Debug)]
pub(crate) struct Subject<'a> {
    pub(crate) shape: Shape,
    /// The row of the catalog, where it is one.
    pub(crate) reference: Option<Ref<'a>>,
    /// Its longest sequence, where that is known.
    pub(crate) context_length: Option<f64>,
    /// The number format its weights were released in, where that is known.
    pub(crate) released_in: Option<String>,
    /// The line of models it belongs to, where that is known.
    pub(crate) family: Option<&'a str>,
}

impl<'a> Desk<'a, '_> {
    /// The model of an item; none where the request names none. Faults go to the desk.
    pub(crate) fn subject(&mut self, named: Named<'a>) -> Option<Subject<'a>> {
        let Named { model, architecture, architecture_from } = named;
        match (model, architecture, architecture_from) {
            (Some(name), None, None) => self.model_shape(name, "/model"),
            (None, Some(given), None) => self.shape_of(&given.0, "/architecture", "", None),
            (None, None, Some(from)) => {
                let ArchitectureFormat::HfConfig = from.format;
                if !from.config.is_object() {
                    let kind = FaultKind::wrong_type("must be a JSON object, the content of a config.json");
                    self.fault("/architecture_from/config", kind);
                    return None;
                }
                match hf_config::read(&from.config) {
                    Ok((given, unread)) => {
                        self.say_unread(&unread);
                        self.shape_of(&given, "/architecture_from/config", "", None)
                    }
                    Err(faults) => {
                        self.shape_faults(faults, "/architecture_from/config", "");
                        None
                    }
                }
            }
            (None, None, None) => None,
            _ => {
                let detail = "give one of `model`, `architecture` and `architecture_from`".to_owned();
                self.fault("/model", FaultKind::Contradiction { detail });
                None
            }
        }
    }

    /// The shape of a model of the catalog that a field names.
    pub(crate) fn model_shape(&mut self, name: &str, field: &str) -> Option<Subject<'a>> {
        let Some(row) = self.view().model(name) else {
            let names = self.view().known(&self.view().snapshot().history().models);
            let near = names::near(name, names.map(|row| row.row.id.as_str()));
            self.fault(field, FaultKind::UnknownModel { name: name.to_owned(), provider: None, near });
            return None;
        };
        let Some(architecture) = &row.row.architecture else {
            self.fault(field, FaultKind::UnknownArchitecture { model: row.row.id.to_string() });
            return None;
        };
        self.cite_model(row);
        let reference = Some(Ref::Model(row.row.id.as_str()));
        let subject = self.shape_of(architecture, field, row.row.id.as_str(), reference)?;
        Some(Subject { family: row.row.family.as_deref(), ..subject })
    }

    fn cite_model(&mut self, row: &'a Versioned<Model>) {
        self.references.add(Ref::Model(row.row.id.as_str()), || Reference {
            source: row.row.source.as_deref(),
            observed_at: row.row.observed_at,
            effective_from: None,
            effective_to: None,
            conditions: RowConditions::Always {},
            value: None,
            note: None,
            revision: row.introduced.0,
        });
    }

    fn shape_of(
        &mut self,
        given: &Architecture,
        field: &str,
        model: &str,
        reference: Option<Ref<'a>>,
    ) -> Option<Subject<'a>> {
        match Shape::of(given) {
            Ok(shape) => {
                if reference.is_none() {
                    self.say_assumed(&shape.assumed, field);
                }
                #[expect(clippy::cast_precision_loss, reason = "contexts are far below 2^53 tokens")]
                let context_length = given.context_length.map(|tokens| tokens as f64);
                let released_in = given.dtype_released.clone();
                Some(Subject { shape, reference, context_length, released_in, family: None })
            }
            Err(faults) => {
                self.shape_faults(faults, field, model);
                None
            }
        }
    }

    /// Faults of a shape, at its own fields where the request gives it, else at the model's name.
    fn shape_faults(&mut self, faults: Vec<ShapeFault>, field: &str, model: &str) {
        for ShapeFault { field: inner, of, detail } in faults {
            let place = if model.is_empty() { pointer(field, inner) } else { field.to_owned() };
            let kind = match of {
                FaultOf::Missing if !model.is_empty() => {
                    FaultKind::UnknownArchitecture { model: model.to_owned() }
                }
                FaultOf::Missing => FaultKind::MissingField { name: inner.to_owned() },
                FaultOf::Range => FaultKind::OutOfRange { detail },
                FaultOf::Type => FaultKind::wrong_type(detail),
                FaultOf::Contradiction => FaultKind::Contradiction { detail },
            };
            self.fault(&place, kind);
        }
    }

    fn say_assumed(&mut self, assumed: &[Assumed], field: &str) {
        if assumed.is_empty() {
            return;
        }
        let each = assumed.iter().map(|Assumed { field, value, how }| {
            format!("{field} = {} ({how})", Quantity::of(value.round()))
        });
        let list = each.collect::<Vec<_>>().join("; ");
        self.warn(WarningCode::ShapeAssumed, field, format!("the shape does not say all; taken: {list}"));
    }

    fn say_unread(&mut self, unread: &[String]) {
        if !unread.is_empty() {
            let message = format!("not read: {}", unread.join(", "));
            self.warn(WarningCode::UnreadConfig, "/architecture_from/config", message);
        }
    }
}
