//! A row of the catalog as lists tell of it: its own fields, and what is added.

use serde::Serialize;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        RefOr,
        schema::{Object, Schema},
    },
};

/// A row with more fields beside its own. In the document it goes by the name of the additions.
#[derive(Debug, Serialize)]
pub struct Item<'s, T, E> {
    /// The row.
    #[serde(flatten)]
    pub row: &'s T,
    /// What is added.
    #[serde(flatten)]
    pub added: E,
}

impl<T: PartialSchema, E: PartialSchema> PartialSchema for Item<'_, T, E> {
    /// One object with the fields of both: `allOf` would not do, since each part forbids the other's fields.
    fn schema() -> RefOr<Schema> {
        let (mut whole, added) = (object(T::schema()), object(E::schema()));
        whole.description = added.description.or(whole.description);
        whole.properties.extend(added.properties);
        whole.required.extend(added.required);
        Schema::Object(whole).into()
    }
}

/// A schema that is known to be an object's.
pub(super) fn object(schema: RefOr<Schema>) -> Object {
    match schema {
        RefOr::T(Schema::Object(object)) => object,
        _ => Object::new(), // only structs are given, and a test looks for their fields
    }
}

impl<T: ToSchema, E: ToSchema> ToSchema for Item<'_, T, E> {
    fn name() -> std::borrow::Cow<'static, str> {
        E::name()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        T::schemas(schemas);
        E::schemas(schemas);
    }
}

/// A row's number in its table, as quotes cite it: `rate_card:812`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowRef {
    /// The table.
    pub table: &'static str,
    /// The number.
    pub id: i64,
}

impl std::fmt::Display for RowRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.table, self.id)
    }
}

impl Serialize for RowRef {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::provider::Provider;

    #[derive(Serialize, ToSchema)]
    struct Added {
        offerings: u32,
    }

    #[test]
    fn the_schema_has_the_fields_of_both() {
        let schema = serde_json::to_value(Item::<'static, Provider, Added>::schema()).unwrap();
        assert!(schema["properties"]["website"].is_object(), "{schema}");
        assert!(schema["properties"]["offerings"].is_object(), "{schema}");
        assert!(schema["required"].as_array().unwrap().contains(&"offerings".into()), "{schema}");
    }

    #[test]
    fn a_row_is_cited_by_table_and_number() {
        assert_eq!(RowRef { table: "rate_card", id: 812 }.to_string(), "rate_card:812");
    }
}
