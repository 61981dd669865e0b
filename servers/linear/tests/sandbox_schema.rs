//! The sandbox's schema is a part of the vendor's: same names, same types. Checked where the
//! vendor's whole schema is at hand, which is not ours to ship.

#![cfg(feature = "sandbox")]

use std::path::Path;

use apollo_compiler::{
    Schema,
    ast::Type,
    schema::{Component, ExtendedType, InputValueDefinition},
};

const OURS: &str = include_str!("../src/sandbox/schema.graphql");

#[test]
fn the_sandbox_s_schema_is_valid_and_knows_nothing_the_vendor_does_not() {
    let ours = Schema::parse_and_validate(OURS, "schema.graphql").unwrap();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/specs/linear.schema.graphql");
    let Ok(text) = std::fs::read_to_string(path) else {
        println!("skipped: the vendor's schema is not at hand");
        return;
    };
    let theirs = Schema::parse_and_validate(text, "vendor.graphql").unwrap();
    let mut differences = Vec::new();
    for (name, ty) in ours.types.iter().filter(|(_, ty)| !ty.is_built_in()) {
        match theirs.types.get(name) {
            Some(other) => compare(ty, other, &mut differences),
            None => differences.push(format!("{name} is unknown")),
        }
    }
    assert!(differences.is_empty(), "{differences:#?}");
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
            let theirs = |field: &str| theirs.fields.get(field);
            for (field, definition) in &ours.fields {
                input(&format!(".{field}"), definition, theirs(field), &mut complain);
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

fn input(
    place: &str,
    ours: &Component<InputValueDefinition>,
    theirs: Option<&Component<InputValueDefinition>>,
    complain: &mut impl FnMut(String),
) {
    same_type(place, &ours.ty, theirs.map(|theirs| &*theirs.ty), complain);
}

fn same_type(place: &str, ours: &Type, theirs: Option<&Type>, complain: &mut impl FnMut(String)) {
    match theirs {
        None => complain(format!("{place} is unknown")),
        Some(theirs) if theirs != ours => complain(format!("{place} is {theirs}, not {ours}")),
        Some(_) => {}
    }
}
