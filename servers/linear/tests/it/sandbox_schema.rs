//! The sandbox's schema is a part of the vendor's: same names, same types. Checked where the
//! vendor's whole schema is at hand, which is not ours to ship.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test's helpers may fail it, or say what they skip"
)]

use std::path::Path;

use apollo_compiler::{ExecutableDocument, Schema, ast::Type, schema::ExtendedType, validation::Valid};

const OURS: &str = include_str!("../../src/sandbox/schema.graphql");

/// The sandbox's schema.
fn ours() -> Valid<Schema> {
    Schema::parse_and_validate(OURS, "schema.graphql").unwrap()
}

/// The vendor's schema, where it is at hand.
fn theirs() -> Option<Valid<Schema>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/specs/linear.schema.graphql");
    match std::fs::read_to_string(path) {
        Ok(text) => Some(Schema::parse_and_validate(text, "vendor.graphql").unwrap()),
        Err(_) => {
            println!("skipped: the vendor's schema is not at hand");
            None
        }
    }
}

#[test]
fn the_sandbox_s_schema_is_valid_and_knows_nothing_the_vendor_does_not() {
    let ours = ours();
    let Some(theirs) = theirs() else { return };
    let mut differences = Vec::new();
    for (name, ty) in ours.types.iter().filter(|(_, ty)| !ty.is_built_in()) {
        match theirs.types.get(name) {
            Some(other) => compare(ty, other, &mut differences),
            None => differences.push(format!("{name} is unknown")),
        }
    }
    assert!(differences.is_empty(), "{differences:#?}");
}

#[test]
fn every_document_the_server_sends_fits_the_schema() {
    for schema in [Some(ours()), theirs()].into_iter().flatten() {
        for operation in linear_mcp::operations() {
            let checked = ExecutableDocument::parse_and_validate(&schema, operation.document, operation.name);
            let document = checked.unwrap_or_else(|broken| panic!("{}: {}", operation.name, broken.errors));
            assert!(document.operations.get(Some(operation.name)).is_ok(), "{} is misnamed", operation.name);
        }
    }
}

fn compare(ours: &ExtendedType, theirs: &ExtendedType, differences: &mut Vec<String>) {
    let name = ours.name();
    let mut complain = |what: String| differences.push(format!("{name}{what}"));
    match (ours, theirs) {
        (ExtendedType::Scalar(_), ExtendedType::Scalar(_)) => {}
        (ExtendedType::Enum(ours), ExtendedType::Enum(theirs)) => {
            for value in ours.values.keys().filter(|value| !theirs.values.contains_key(*value)) {
                complain(format!("::{value} is unknown"));
            }
        }
        (ExtendedType::Union(ours), ExtendedType::Union(theirs)) => {
            for member in ours.members.iter().filter(|member| !theirs.members.contains(member.name.as_str()))
            {
                complain(format!(" has no member {}", member.name));
            }
        }
        (ExtendedType::InputObject(ours), ExtendedType::InputObject(theirs)) => {
            for (field, definition) in &ours.fields {
                let other = theirs.fields.get(field).map(|other| &*other.ty);
                same_type(&format!(".{field}"), &definition.ty, other, &mut complain);
            }
            for (field, _) in theirs.fields.iter().filter(|(_, definition)| definition.is_required()) {
                if !ours.fields.contains_key(field) {
                    complain(format!(" lacks the required {field}"));
                }
            }
        }
        (ExtendedType::Object(_) | ExtendedType::Interface(_), _) => {
            let fields = |ty: &ExtendedType| match ty {
                ExtendedType::Object(object) => object.fields.clone(),
                ExtendedType::Interface(interface) => interface.fields.clone(),
                _ => Default::default(),
            };
            let theirs = fields(theirs);
            for (field, definition) in &fields(ours) {
                let Some(other) = theirs.get(field) else {
                    complain(format!(".{field} is unknown"));
                    continue;
                };
                if definition.ty != other.ty {
                    complain(format!(".{field} is {}, not {}", other.ty, definition.ty));
                }
                for argument in &definition.arguments {
                    let other = other.arguments.iter().find(|other| other.name == argument.name);
                    let place = format!(".{field}({})", argument.name);
                    same_type(&place, &argument.ty, other.map(|other| &*other.ty), &mut complain);
                }
                for required in other.arguments.iter().filter(|argument| argument.is_required()) {
                    if !definition.arguments.iter().any(|argument| argument.name == required.name) {
                        complain(format!(".{field} lacks the required argument {}", required.name));
                    }
                }
            }
        }
        _ => complain(" is another kind of type".to_owned()),
    }
}

fn same_type(place: &str, ours: &Type, theirs: Option<&Type>, complain: &mut impl FnMut(String)) {
    match theirs {
        None => complain(format!("{place} is unknown")),
        Some(theirs) if theirs != ours => complain(format!("{place} is {theirs}, not {ours}")),
        Some(_) => {}
    }
}
