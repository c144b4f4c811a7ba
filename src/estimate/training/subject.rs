//! Which model is trained: one of the catalog, a shape given, or a shape in somebody else's words.

use super::request::{ArchitectureFormat, Training};
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

/// A model whose shape is known.
#[derive(Debug)]
pub(super) struct Subject<'a> {
    pub(super) shape: Shape,
    /// The row of the catalog, where it is one.
    pub(super) reference: Option<Ref<'a>>,
    /// Its longest sequence, where that is known.
    pub(super) context_length: Option<f64>,
}

impl<'a> Desk<'a, '_> {
    /// The model of a training; none where the request names none. Faults go to the desk.
    pub(super) fn subject(&mut self, training: &'a Training) -> Option<Subject<'a>> {
        let Training { model, architecture, architecture_from, .. } = training;
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
    pub(super) fn model_shape(&mut self, name: &str, field: &str) -> Option<Subject<'a>> {
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
        self.shape_of(architecture, field, row.row.id.as_str(), Some(Ref::Model(row.row.id.as_str())))
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
                Some(Subject { shape, reference, context_length })
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
