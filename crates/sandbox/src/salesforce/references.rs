//! `@{part.path}` in a composite: values of earlier answers in later requests.
//!
//! Promises: a text that is one reference becomes the value itself, others are filled in as text; a path steps into members and,
//! with `[n]`, into lists. Leaves to others: which answers there are (`subrequests`).

use std::collections::BTreeMap;

use serde_json::Value;

type Bodies<'a> = BTreeMap<&'a str, Option<Value>>;

/// A value with its references filled in; the error is the reference without value.
pub(super) fn fill(value: &Value, bodies: &Bodies<'_>) -> Result<Value, String> {
    match value {
        Value::String(text) => match text.strip_prefix("@{").and_then(|rest| rest.strip_suffix('}')).filter(|path| !path.contains('}')) {
            Some(path) => look(path, bodies),
            None => fill_text(text, bodies).map(Value::String),
        },
        Value::Array(items) => items.iter().map(|item| fill(item, bodies)).collect(),
        Value::Object(members) => {
            members.iter().map(|(name, value)| Ok((name.clone(), fill(value, bodies)?))).collect::<Result<_, _>>().map(Value::Object)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(value.clone()),
    }
}

/// A text with its references filled in.
pub(super) fn fill_text(text: &str, bodies: &Bodies<'_>) -> Result<String, String> {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("@{") {
        let Some((path, after)) = after.split_once('}') else { break };
        filled.push_str(before);
        match look(path, bodies)? {
            Value::String(value) => filled.push_str(&value),
            other @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => filled.push_str(&other.to_string()),
        }
        rest = after;
    }
    filled.push_str(rest);
    Ok(filled)
}

fn look(path: &str, bodies: &Bodies<'_>) -> Result<Value, String> {
    let missing = || format!("@{{{path}}}");
    let cleaned = path.replace('[', ".[").replace("..[", ".[");
    let mut steps = cleaned.split('.');
    let part = steps.next().unwrap_or("");
    let mut value = bodies.get(part).and_then(Option::as_ref).ok_or_else(missing)?;
    for step in steps {
        let index = step.strip_prefix('[').and_then(|step| step.strip_suffix(']')).and_then(|step| step.parse::<usize>().ok());
        value = index.map_or_else(|| value.get(step), |index| value.get(index)).ok_or_else(missing)?;
    }
    if value.is_null() { Err(missing()) } else { Ok(value.clone()) }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::{fill, fill_text};

    #[test]
    fn values_keep_their_kind_and_texts_are_filled() {
        let bodies = BTreeMap::from([("a", Some(json!({ "id": "x", "n": 2, "list": [{ "id": "y" }] }))), ("bad", None)]);
        assert_eq!(fill(&json!({ "n": "@{a.n}", "l": ["@{a.list[0].id}"], "t": "<@{a.id}>" }), &bodies), Ok(json!({ "n": 2, "l": ["y"], "t": "<x>" })));
        assert_eq!(fill_text("/sobjects/Contact/@{a.id}?x=@{a.n}", &bodies).as_deref(), Ok("/sobjects/Contact/x?x=2"));
        for missing in ["@{b.id}", "@{a.nothing}", "@{bad.id}", "@{a.list[1].id}"] {
            assert_eq!(fill_text(missing, &bodies), Err(missing.to_owned()));
        }
        assert_eq!(fill_text("no @{end", &bodies).as_deref(), Ok("no @{end"));
    }
}
