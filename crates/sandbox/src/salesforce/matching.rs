//! Conditions of a query with their names resolved, and whether a row meets them.
//!
//! Promises: text compares without case except on case-sensitive unique fields; an unset value is unequal to
//! everything but null and neither less nor more; a literal of the wrong kind is an `INVALID_FIELD`.
//! Leaves to others: the grammar (`soql`), finding rows (`query`).

use std::borrow::Cow;
use std::cmp::Ordering;

use super::errors::Fault;
use super::org::{Org, Row};
use super::parents;
use super::schema::{Field, Kind, Schema, Sobject};
use super::soql::{Expr, Literal, Name, Operator};
use super::values::{self, Cell};
use super::{ids, wire};
use crate::exchange::Millis;

/// A condition on numbered fields; texts are folded as the field compares.
#[derive(Debug)]
pub(super) enum Condition {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Box<Condition>),
    Compare {
        number: u16,
        operator: Operator,
        cell: Cell<'static>,
    },
    Like {
        number: u16,
        pattern: Vec<Piece>,
    },
    /// A condition on the row that a reference names; a row without one does not meet it.
    Parent {
        via: u16,
        object: Sobject,
        inner: Box<Condition>,
    },
    /// Equality with one of several texts.
    OneOf {
        number: u16,
        texts: Vec<String>,
    },
}

/// One position of a LIKE pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Piece {
    One(char),
    AnyOne,
    AnyMany,
}

/// Resolves the names and literals of a condition.
pub(super) fn resolve(org: &Org, schema: &Schema, text: &str, expr: &Expr, now: Millis) -> Result<Condition, Vec<Fault>> {
    let several = |parts: &[Expr]| parts.iter().map(|part| resolve(org, schema, text, part, now)).collect::<Result<Vec<_>, _>>();
    match expr {
        Expr::All(parts) => Ok(Condition::All(several(parts)?)),
        Expr::Any(parts) => Ok(Condition::Any(several(parts)?)),
        Expr::Not(inner) => Ok(Condition::Not(Box::new(resolve(org, schema, text, inner, now)?))),
        Expr::Compare { field, operator, literal } => one(org, schema, text, field, *operator, literal, now),
        Expr::In { field, negated, literals } => {
            let each = literals.iter().map(|literal| one(org, schema, text, field, Operator::Equal, literal, now));
            let merged = merge(each.collect::<Result<Vec<_>, _>>()?);
            Ok(if *negated { Condition::Not(Box::new(merged)) } else { merged })
        }
    }
}

/// One comparison, of a field of the row or of its parent.
fn one(
    org: &Org,
    schema: &Schema,
    text: &str,
    name: &Name,
    operator: Operator,
    literal: &Literal,
    now: Millis,
) -> Result<Condition, Vec<Fault>> {
    let Some((via, object, inner)) = parents::step(schema, name) else {
        return match literal {
            Literal::Days(from, to) => day_condition(schema, text, name, operator, (*from, *to), now),
            Literal::Text(_) | Literal::Number(_) | Literal::Flag(_) | Literal::Null | Literal::Instant(_) => {
                compare_condition(schema, text, name, operator, literal)
            }
        };
    };
    let inner = one(org, &org.table(object).schema, text, &inner, operator, literal, now)?;
    Ok(Condition::Parent { via, object, inner: Box::new(inner) })
}

/// A comparison with a stretch of days.
fn day_condition(schema: &Schema, text: &str, name: &Name, operator: Operator, days: (i64, i64), now: Millis) -> Result<Condition, Vec<Fault>> {
    const DAY_MS: Millis = 86_400_000;
    let number = column(schema, text, name)?;
    let start = |days: i64| (now.div_euclid(DAY_MS) + days) * DAY_MS;
    let cell = |days: i64| match schema.field(number).kind {
        Kind::DateTime => Ok(Cell::Time(start(days))),
        Kind::Date => Ok(Cell::Text(wire::datetime(start(days))[..10].to_owned().into())),
        Kind::Id
        | Kind::Text
        | Kind::TextArea
        | Kind::Picklist
        | Kind::Reference
        | Kind::Double
        | Kind::Currency
        | Kind::Int
        | Kind::Phone
        | Kind::Email
        | Kind::Url
        | Kind::Address
        | Kind::Boolean => {
            let message = format!("value of filter criterion for field '{}' must not be a date literal", name.text);
            Err(vec![pointing(text, name, &message)])
        }
    };
    let compare = |operator: Operator, days: i64| Ok(Condition::Compare { number, operator, cell: cell(days)? });
    let within = || Ok(Condition::All(vec![compare(Operator::AtLeast, days.0)?, compare(Operator::Less, days.1)?]));
    match operator {
        Operator::Equal => within(),
        Operator::Unequal => Ok(Condition::Not(Box::new(within()?))),
        Operator::Less => compare(Operator::Less, days.0),
        Operator::AtMost => compare(Operator::Less, days.1),
        Operator::More => compare(Operator::AtLeast, days.1),
        Operator::AtLeast => compare(Operator::AtLeast, days.0),
        Operator::Like => Err(vec![pointing(text, name, &format!("invalid operator on {} field", name.text))]),
    }
}

/// Whether a row meets a condition.
pub(super) fn holds(org: &Org, schema: &Schema, serial: u64, row: &Row, condition: &Condition) -> bool {
    match condition {
        Condition::All(parts) => parts.iter().all(|part| holds(org, schema, serial, row, part)),
        Condition::Any(parts) => parts.iter().any(|part| holds(org, schema, serial, row, part)),
        Condition::Not(inner) => !holds(org, schema, serial, row, inner),
        Condition::Parent { via, object, inner } => parents::row(org, schema, serial, row, (*via, *object)).is_some_and(|(parent, found)| {
            holds(org, &org.table(*object).schema, parent, found, inner)
        }),
        Condition::Compare { number, operator, cell } => {
            let value = values::cell(schema, serial, row, *number);
            let ordering = compare(schema.field(*number), &value, cell);
            match operator {
                Operator::Equal | Operator::Like => ordering == Some(Ordering::Equal),
                Operator::Unequal => ordering != Some(Ordering::Equal),
                Operator::Less => ordering == Some(Ordering::Less),
                Operator::AtMost => matches!(ordering, Some(Ordering::Less | Ordering::Equal)),
                Operator::More => ordering == Some(Ordering::Greater),
                Operator::AtLeast => matches!(ordering, Some(Ordering::Greater | Ordering::Equal)),
            }
        }
        Condition::Like { number, pattern } => {
            let Cell::Text(value) = values::cell(schema, serial, row, *number) else { return false };
            like(&value.to_lowercase().chars().collect::<Vec<_>>(), pattern)
        }
        Condition::OneOf { number, texts } => {
            let Cell::Text(value) = values::cell(schema, serial, row, *number) else { return false };
            let folded = schema.field(*number).fold(&value);
            texts.binary_search_by(|text| text.as_str().cmp(&folded)).is_ok()
        }
    }
}

/// How two values of a field are ordered; None if they cannot be compared.
pub(super) fn compare(field: &Field, left: &Cell<'_>, right: &Cell<'_>) -> Option<Ordering> {
    match (left, right) {
        (Cell::Null, Cell::Null) => Some(Ordering::Equal),
        (Cell::Text(left), Cell::Text(right)) => Some(field.fold(left).cmp(&field.fold(right))),
        (Cell::Number(left), Cell::Number(right)) => left.partial_cmp(right),
        (Cell::Time(left), Cell::Time(right)) => Some((left.div_euclid(1000)).cmp(&right.div_euclid(1000))),
        (Cell::Flag(left), Cell::Flag(right)) => Some(left.cmp(right)),
        (Cell::Null | Cell::Text(_) | Cell::Number(_) | Cell::Time(_) | Cell::Flag(_), _) => None,
    }
}

/// The number of a named field, or the error that points at the name.
pub(super) fn column(schema: &Schema, text: &str, name: &Name) -> Result<u16, Vec<Fault>> {
    let object = schema.object.name();
    let unknown = || {
        format!(
            "No such column '{}' on entity '{object}'. If you are attempting to use a custom field, be sure to append the '__c' after the custom field name. Please reference your WSDL or the describe call for the appropriate names.",
            name.text
        )
    };
    schema.number(&name.text).ok_or_else(|| vec![pointing(text, name, &unknown())])
}

/// An `INVALID_FIELD` that shows the place in the query.
pub(super) fn pointing(text: &str, name: &Name, message: &str) -> Fault {
    let column = text.get(..name.at).map_or(name.at, |before| before.chars().count());
    let caret = " ".repeat(column);
    Fault::request(400, "INVALID_FIELD", format!("\n{text}\n{caret}^\nERROR at Row:1:Column:{}\n{message}", column + 1))
}

fn compare_condition(schema: &Schema, text: &str, name: &Name, operator: Operator, literal: &Literal) -> Result<Condition, Vec<Fault>> {
    let number = column(schema, text, name)?;
    let field = schema.field(number);
    if !field.is_filterable() {
        return Err(vec![pointing(text, name, &format!("field '{}' can not be filtered in a query call", name.text))]);
    }
    let cell = literal_cell(field, literal).ok_or_else(|| vec![pointing(text, name, &wrong_kind(field, literal))])?;
    match (operator, cell) {
        (Operator::Like, Cell::Text(pattern)) => Ok(Condition::Like { number, pattern: pieces(&pattern) }),
        (Operator::Like, Cell::Null | Cell::Number(_) | Cell::Time(_) | Cell::Flag(_)) => {
            Err(vec![pointing(text, name, &format!("invalid operator on {} field", name.text))])
        }
        (Operator::Equal, Cell::Text(value)) => Ok(Condition::OneOf { number, texts: vec![field.fold(&value).into_owned()] }),
        (operator, cell) => Ok(Condition::Compare { number, operator, cell }),
    }
}

/// Several equalities as one condition.
fn merge(parts: Vec<Condition>) -> Condition {
    let mut all: Option<(u16, Vec<String>)> = None;
    let mut others = Vec::new();
    for part in parts {
        match (part, &mut all) {
            (Condition::OneOf { texts, .. }, Some((_, merged))) => merged.extend(texts),
            (Condition::OneOf { number, texts }, empty) => *empty = Some((number, texts)),
            (other, _) => others.push(other),
        }
    }
    let merged = all.map(|(number, mut texts)| {
        texts.sort_unstable();
        Condition::OneOf { number, texts }
    });
    match (merged, others.is_empty()) {
        (Some(merged), true) => merged,
        (merged, _) => Condition::Any(merged.into_iter().chain(others).collect()),
    }
}

fn literal_cell(field: &Field, literal: &Literal) -> Option<Cell<'static>> {
    match (literal, field.kind) {
        (Literal::Null, _) => Some(Cell::Null),
        (Literal::Text(text), Kind::Id | Kind::Reference) => Some(Cell::Text(ids::read(text).unwrap_or_else(|| text.clone()).into())),
        (Literal::Text(text), Kind::Text | Kind::TextArea | Kind::Picklist | Kind::Phone | Kind::Email | Kind::Url) => {
            Some(Cell::Text(Cow::Owned(text.clone())))
        }
        (Literal::Number(number), Kind::Double | Kind::Currency | Kind::Int) => Some(Cell::Number(*number)),
        (Literal::Flag(flag), Kind::Boolean) => Some(Cell::Flag(*flag)),
        (Literal::Instant(text), Kind::DateTime) => wire::read_datetime(text).map(Cell::Time),
        (Literal::Instant(text), Kind::Date) => (text.len() == 10).then(|| Cell::Text(text.clone().into())),
        (Literal::Text(_) | Literal::Number(_) | Literal::Flag(_) | Literal::Instant(_) | Literal::Days(..), _) => None,
    }
}

fn wrong_kind(field: &Field, literal: &Literal) -> String {
    let wanted = match field.kind {
        Kind::Double | Kind::Currency => "double",
        Kind::Int => "int",
        Kind::Date => "date",
        Kind::DateTime => "dateTime",
        Kind::Boolean => "boolean",
        Kind::Id | Kind::Reference => "ID",
        Kind::Text | Kind::TextArea | Kind::Picklist | Kind::Phone | Kind::Email | Kind::Url | Kind::Address => "string",
    };
    let quotes = if wanted == "string" || wanted == "ID" {
        "should be enclosed in quotes"
    } else if matches!(literal, Literal::Text(_)) {
        "should not be enclosed in quotes"
    } else {
        "has another form"
    };
    format!("value of filter criterion for field '{}' must be of type {wanted} and {quotes}", field.name)
}

fn pieces(pattern: &str) -> Vec<Piece> {
    let mut pieces = Vec::with_capacity(pattern.len());
    let lower = pattern.to_lowercase();
    let mut characters = lower.chars();
    while let Some(character) = characters.next() {
        pieces.push(match character {
            '%' => Piece::AnyMany,
            '_' => Piece::AnyOne,
            '\\' => Piece::One(characters.next().unwrap_or('\\')),
            other => Piece::One(other),
        });
    }
    pieces
}

/// Whether a text is of a LIKE pattern's form.
pub(super) fn like(text: &[char], pattern: &[Piece]) -> bool {
    let (mut at, mut piece) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    loop {
        match pattern.get(piece) {
            Some(Piece::AnyMany) => {
                retry = Some((at, piece));
                piece += 1;
                continue;
            }
            Some(Piece::AnyOne) if at < text.len() => {}
            Some(Piece::One(wanted)) if text.get(at) == Some(wanted) => {}
            None if at == text.len() => return true,
            Some(Piece::AnyOne | Piece::One(_)) | None => {
                let Some((from, many)) = retry.filter(|(from, _)| *from < text.len()) else { return false };
                retry = Some((from + 1, many));
                (at, piece) = (from + 1, many + 1);
                continue;
            }
        }
        at += 1;
        piece += 1;
    }
}
