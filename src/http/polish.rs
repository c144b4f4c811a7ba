//! What the derived document leaves out, put back: each property says for itself what it is and looks like.
//!
//! A derived property of a named type is a bare reference: its own description hides in a branch when it is
//! optional, and its example is only where the reference leads. Readers of the document (and the pages made
//! from it) look at the property.

use std::collections::BTreeMap;

use utoipa::openapi::{
    OpenApi, RefOr,
    schema::{ArrayItems, OneOf, Schema, SchemaType, Type},
};

type Schemas = BTreeMap<String, RefOr<Schema>>;

/// Writes out named scalars where they are used, and lifts descriptions out of optional branches. A summary is a
/// heading, without a full stop.
pub(super) fn polish(document: &mut OpenApi) {
    for path in document.paths.paths.values_mut() {
        for operation in super::openapi::operations(path) {
            if let Some(summary) = &mut operation.summary {
                summary.truncate(summary.trim_end_matches('.').len());
            }
        }
    }
    let Some(components) = &mut document.components else {
        return;
    };
    let known = components.schemas.clone();
    components.schemas.values_mut().for_each(|schema| visit(schema, &known));
}

fn visit(schema: &mut RefOr<Schema>, known: &Schemas) {
    match schema {
        RefOr::T(Schema::Object(object)) => {
            for property in object.properties.values_mut() {
                spell_out(property, known);
                visit(property, known);
            }
        }
        RefOr::T(Schema::Array(array)) => {
            if let ArrayItems::RefOrSchema(items) = &mut array.items {
                visit(items, known);
            }
        }
        RefOr::T(Schema::OneOf(options)) => options.items.iter_mut().for_each(|item| visit(item, known)),
        RefOr::T(Schema::AllOf(parts)) => parts.items.iter_mut().for_each(|item| visit(item, known)),
        RefOr::T(_) | RefOr::Ref(_) => {}
    }
}

fn spell_out(property: &mut RefOr<Schema>, known: &Schemas) {
    match property {
        RefOr::Ref(reference) => {
            let own = (!reference.description.is_empty()).then(|| reference.description.clone());
            if let Some(mut scalar) = scalar(&reference.ref_location, known) {
                scalar.description = own.or(scalar.description);
                *property = RefOr::T(Schema::Object(scalar));
            }
        }
        RefOr::T(Schema::OneOf(options)) => {
            if let Some(spelt) = optional(options, known) {
                *property = spelt;
            }
        }
        RefOr::T(_) => {}
    }
}

/// `oneOf: [a reference, null]`: a scalar that may be null, or the same with its description on the outside.
fn optional(options: &mut OneOf, known: &Schemas) -> Option<RefOr<Schema>> {
    let reference = options.items.iter_mut().find_map(|item| match item {
        RefOr::Ref(reference) => Some(reference),
        RefOr::T(_) => None,
    })?;
    let own = (!reference.description.is_empty()).then(|| std::mem::take(&mut reference.description));
    if let Some(mut scalar) = scalar(&reference.ref_location, known) {
        let types = match scalar.schema_type {
            SchemaType::Type(only) => vec![only],
            SchemaType::Array(several) => several,
            SchemaType::AnyValue => return None,
        };
        scalar.schema_type = types.into_iter().chain([Type::Null]).collect();
        scalar.description = own.or(scalar.description);
        scalar.default = options.default.take();
        return Some(RefOr::T(Schema::Object(scalar)));
    }
    options.description = options.description.take().or(own);
    None
}

/// The text, number or boolean that a reference leads to; not one of a list of names, which is better named.
fn scalar(location: &str, known: &Schemas) -> Option<utoipa::openapi::Object> {
    let RefOr::T(Schema::Object(object)) = known.get(location.rsplit('/').next()?)? else {
        return None;
    };
    let is_compound = matches!(object.schema_type, SchemaType::Type(Type::Object | Type::Array));
    (!is_compound && object.enum_values.is_none()).then(|| object.clone())
}
