//! Searches: SOSL, and the same asked by parameters.
//!
//! Promises: words are compared without regard to case, `*` and `?` stand for letters, several words must all be there, phrases in
//! double quotes stand together; what a returned object filters and sorts by is read as a query's is.
//! Leaves to others: the filters themselves (`query`), rendering (`values`). Every row is found at once, not after an index caught up.

use serde::Deserialize;
use serde_json::{Value, json};

use super::call::{Answer, Call};
use super::errors::Fault;
use super::matching::{self, Piece};
use super::org::{Org, Row};
use super::query;
use super::schema::{Field, Kind, Schema, Sobject, Source};
use super::values::{self, Cell};
use super::wire;

/// Most rows of an answer.
const ROWS_MAX: usize = 2_000;

/// Which fields are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Group {
    All,
    Name,
    Email,
    Phone,
}

/// One object that a search returns.
#[derive(Debug)]
struct Returning {
    object: String,
    fields: String,
    /// What follows the fields: WHERE, ORDER BY, LIMIT.
    rest: String,
}

/// GET on search.
pub(super) fn run(org: &Org, call: &Call<'_>) -> Answer {
    let text = call.request.query_value("q").unwrap_or("").trim();
    let (term, rest) = find(text)?;
    let (group, rest) = group(rest)?;
    let (returning, rest) = returning(rest)?;
    let limit = limit(rest)?;
    answer(org, call, &term, group, returning, limit)
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Asked {
    q: String,
    fields: Vec<String>,
    sobjects: Vec<AskedObject>,
    #[serde(rename = "in")]
    group: Option<String>,
    overall_limit: Option<usize>,
    default_limit: Option<usize>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct AskedObject {
    name: String,
    fields: Vec<String>,
    #[serde(rename = "where")]
    filter: Option<String>,
    #[serde(rename = "orderBy")]
    order: Option<String>,
    limit: Option<usize>,
}

/// GET or POST on parameterizedSearch.
pub(super) fn parameterized(org: &Org, call: &Call<'_>) -> Answer {
    let asked = if call.method == "POST" { call.body::<Asked>()? } else { of_query(call) };
    let group = asked.group.as_deref().map_or(Ok(Group::All), group_named)?;
    let returning = asked.sobjects.iter().map(|object| {
        let own = if object.fields.is_empty() { &asked.fields } else { &object.fields };
        let mut rest = object.filter.as_ref().map_or_else(String::new, |filter| format!(" WHERE {filter}"));
        if let Some(order) = &object.order {
            rest.push_str(&format!(" ORDER BY {order}"));
        }
        if let Some(limit) = object.limit.or(asked.default_limit) {
            rest.push_str(&format!(" LIMIT {limit}"));
        }
        Returning { object: object.name.clone(), fields: if own.is_empty() { "Id".to_owned() } else { own.join(", ") }, rest }
    });
    answer(org, call, &asked.q, group, returning.collect(), asked.overall_limit.unwrap_or(ROWS_MAX))
}

fn of_query(call: &Call<'_>) -> Asked {
    let value = |name: &str| call.request.query_value(name).map(str::to_owned);
    let list = |name: &str| value(name).map_or_else(Vec::new, |text| text.split(',').map(|part| part.trim().to_owned()).collect());
    let named = call.request.query.iter().filter(|(name, _)| name == "sobject").map(|(_, object)| AskedObject {
        name: object.clone(),
        fields: list(&format!("{object}.fields")),
        filter: value(&format!("{object}.where")),
        order: None,
        limit: value(&format!("{object}.limit")).and_then(|limit| limit.parse().ok()),
    });
    Asked {
        q: value("q").unwrap_or_default(),
        fields: list("fields"),
        sobjects: named.collect(),
        group: value("in"),
        overall_limit: value("overallLimit").and_then(|limit| limit.parse().ok()),
        default_limit: value("defaultLimit").and_then(|limit| limit.parse().ok()),
    }
}

fn answer(org: &Org, call: &Call<'_>, term: &str, group: Group, returning: Vec<Returning>, limit: usize) -> Answer {
    let alternatives = alternatives(term)?;
    let returning = if returning.is_empty() { everything() } else { returning };
    let mut records = Vec::new();
    for Returning { object, fields, rest } in returning {
        let soql = format!("SELECT {fields} FROM {object}{rest}");
        let query::Found { object, numbers, serials, limit: max } = query::rows_of(org, &soql, call.now)?;
        let table = org.table(object);
        let hit = |serial: &u64| table.rows.get(serial).filter(|row| matches(&table.schema, *serial, row, group, &alternatives));
        let rows = serials.iter().filter_map(|serial| hit(serial).map(|row| (*serial, row))).take(max);
        records.extend(rows.map(|(serial, row)| values::record(&table.schema, serial, row, call.version, &numbers)));
    }
    records.truncate(limit.min(ROWS_MAX));
    // Before version 37 the records stood alone.
    Ok(wire::json(200, &if call.version < 37 { Value::Array(records) } else { json!({ "searchRecords": records }) }))
}

fn everything() -> Vec<Returning> {
    let data = Sobject::ALL.into_iter().filter(|object| object.holds_data());
    data.map(|object| Returning { object: object.name().to_owned(), fields: "Id".to_owned(), rest: String::new() }).collect()
}

fn matches(schema: &Schema, serial: u64, row: &Row, group: Group, alternatives: &[Vec<Vec<String>>]) -> bool {
    let texts = schema.visible().filter(|(_, field)| is_searched(field, group)).filter_map(|(number, _)| match values::cell(schema, serial, row, number) {
        Cell::Text(text) => Some(words(&text)),
        Cell::Null | Cell::Number(_) | Cell::Time(_) | Cell::Flag(_) => None,
    });
    let texts: Vec<Vec<String>> = texts.collect();
    let has = |phrase: &Vec<String>| {
        texts.iter().any(|text| text.windows(phrase.len()).any(|place| place.iter().zip(phrase).all(|(word, pattern)| glob(word, pattern))))
    };
    alternatives.iter().any(|phrases| phrases.iter().all(has))
}

fn is_searched(field: &Field, group: Group) -> bool {
    match group {
        Group::All => matches!(field.kind, Kind::Text | Kind::TextArea | Kind::Email | Kind::Phone | Kind::Url | Kind::Picklist),
        Group::Name => field.source == Source::FullName || matches!(field.name.as_str(), "Name" | "FirstName" | "LastName" | "Company"),
        Group::Email => field.kind == Kind::Email,
        Group::Phone => field.kind == Kind::Phone,
    }
}

/// Runs of letters and digits, in lower case; wildcards count as letters.
fn words(text: &str) -> Vec<String> {
    let parts = text.split(|c: char| !(c.is_alphanumeric() || c == '*' || c == '?'));
    parts.filter(|word| !word.is_empty()).map(str::to_lowercase).collect()
}

/// Alternatives (`OR`) of phrases that must all be there.
fn alternatives(term: &str) -> Result<Vec<Vec<Vec<String>>>, Vec<Fault>> {
    let (mut all, mut phrases) = (Vec::new(), Vec::new());
    for (index, piece) in term.split('"').enumerate() {
        if index % 2 == 1 {
            phrases.push(words(piece));
            continue;
        }
        for word in piece.split_whitespace() {
            match word {
                "OR" => all.push(std::mem::take(&mut phrases)),
                "AND" => {}
                word => phrases.push(words(word)),
            }
        }
    }
    all.push(phrases);
    for phrases in &mut all {
        phrases.retain(|phrase| !phrase.is_empty());
    }
    all.retain(|phrases| !phrases.is_empty());
    let letters = term.chars().filter(|c| c.is_alphanumeric()).count();
    if all.is_empty() || letters < 2 {
        return Err(malformed(format!("search term must be longer than one character: {term}")));
    }
    Ok(all)
}

/// Whether a word is of a pattern's form.
fn glob(word: &str, pattern: &str) -> bool {
    let pieces: Vec<Piece> = pattern
        .chars()
        .map(|letter| match letter {
            '*' => Piece::AnyMany,
            '?' => Piece::AnyOne,
            letter => Piece::One(letter),
        })
        .collect();
    matching::like(&word.chars().collect::<Vec<_>>(), &pieces)
}

fn malformed(message: String) -> Vec<Fault> {
    vec![Fault::request(400, "MALFORMED_SEARCH", message)]
}

/// `FIND {…}`: the term without its escapes, and what follows.
fn find(text: &str) -> Result<(String, &str), Vec<Fault>> {
    let rest = keyword(text, "FIND").ok_or_else(|| malformed(format!("expecting 'FIND', found '{}'", text.split(' ').next().unwrap_or(""))))?;
    let inner = rest.strip_prefix('{').ok_or_else(|| malformed("expecting '{' after FIND".to_owned()))?;
    let mut term = String::new();
    let mut letters = inner.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '}' => return Ok((term, inner[at + 1..].trim_start())),
            '\\' => term.extend(letters.next().map(|(_, escaped)| escaped)),
            letter => term.push(letter),
        }
    }
    Err(malformed("missing '}' after the search term".to_owned()))
}

fn group(text: &str) -> Result<(Group, &str), Vec<Fault>> {
    let Some(rest) = keyword(text, "IN") else { return Ok((Group::All, text)) };
    let (name, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    let rest = keyword(rest.trim_start(), "FIELDS").ok_or_else(|| malformed("expecting 'FIELDS'".to_owned()))?;
    Ok((group_named(name)?, rest))
}

fn group_named(name: &str) -> Result<Group, Vec<Fault>> {
    match name.to_ascii_uppercase().as_str() {
        "ALL" => Ok(Group::All),
        "NAME" => Ok(Group::Name),
        "EMAIL" => Ok(Group::Email),
        "PHONE" => Ok(Group::Phone),
        _ => Err(malformed(format!("{name} is no group of fields"))),
    }
}

fn returning(text: &str) -> Result<(Vec<Returning>, &str), Vec<Fault>> {
    let Some(mut rest) = keyword(text, "RETURNING") else { return Ok((Vec::new(), text)) };
    let mut all = Vec::new();
    loop {
        let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
        if end == 0 {
            return Err(malformed("expecting an object after RETURNING".to_owned()));
        }
        let object = rest[..end].to_owned();
        rest = rest[end..].trim_start();
        let (mut fields, mut filter) = ("Id".to_owned(), String::new());
        if let Some(inner) = rest.strip_prefix('(') {
            let close = closing(inner).ok_or_else(|| malformed("missing ')'".to_owned()))?;
            let upper = inner[..close].to_ascii_uppercase();
            let split = [" WHERE ", " ORDER ", " LIMIT "].iter().filter_map(|word| upper.find(word)).min().unwrap_or(close);
            inner[..split].trim().clone_into(&mut fields);
            inner[split..close].clone_into(&mut filter);
            rest = inner[close + 1..].trim_start();
        }
        all.push(Returning { object, fields, rest: filter });
        match rest.strip_prefix(',') {
            Some(more) => rest = more.trim_start(),
            None => return Ok((all, rest)),
        }
    }
}

/// Where the bracket that is open before the text closes; brackets in quotes do not count.
fn closing(text: &str) -> Option<usize> {
    let (mut depth, mut quoted, mut escaped) = (0, false, false);
    for (at, letter) in text.char_indices() {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '\'' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted && depth == 0 => return Some(at),
            ')' if !quoted => depth -= 1,
            _ => {}
        }
    }
    None
}

fn limit(text: &str) -> Result<usize, Vec<Fault>> {
    match keyword(text, "LIMIT") {
        Some(number) => number.trim().parse().map_err(|_| malformed(format!("unexpected token: '{number}'"))),
        None if text.trim().is_empty() => Ok(ROWS_MAX),
        None => Err(malformed(format!("unexpected token: '{}'", text.split(' ').next().unwrap_or("")))),
    }
}

/// What follows a word at the start of the text.
fn keyword<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let head = text.get(..word.len()).filter(|head| head.eq_ignore_ascii_case(word))?;
    let rest = &text[head.len()..];
    rest.starts_with(|c: char| !c.is_alphanumeric()).then(|| rest.trim_start())
}
