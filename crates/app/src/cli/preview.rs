//! `syncline dead-letters replay --preview`: what a replay would write, field by field.
//!
//! Promises: nothing is changed; values are hidden unless they are asked for; ends with 1 if a letter cannot be replayed at all.
//! Leaves to others: what would be written (`crate::control`).

use serde::Serialize;

use super::console::{Console, Failure, row, say, told};
use super::records::shown;
use crate::control::{Answer, Door, Foreseen, ForeseenField, ForeseenWrite, RefusalView, Request};

/// Letters looked at in one request.
const CHUNK: usize = 100;

/// Every letter that was asked for.
#[derive(Debug, Serialize)]
struct Preview {
    letters: Vec<Foreseen>,
}

/// Shows what replays of these letters would write.
pub(super) fn preview(door: &mut Door, ids: &[i64], json: bool, values: bool, console: &mut Console) -> Result<u8, Failure> {
    let mut letters: Vec<Foreseen> = Vec::with_capacity(ids.len());
    for chunk in ids.chunks(CHUNK) {
        let Answer::Foreseen { letters: some } = door.ask(&Request::Preview { ids: chunk.to_vec() })? else { return Err(super::unexpected()) };
        letters.extend(some);
    }
    if !values {
        let fields = letters.iter_mut().flat_map(|letter| &mut letter.writes).flat_map(|write| &mut write.fields);
        fields.for_each(|field| field.values = None);
    }
    let is_possible = letters.iter().all(|letter| letter.impossible.is_none());
    if json {
        console.json(&Preview { letters })?;
    } else {
        letters.iter().try_for_each(|letter| show(letter, console))?;
        say(&format!("{} looked at; nothing was changed", letters.len()));
    }
    Ok(u8::from(!is_possible))
}

fn show(letter: &Foreseen, console: &mut Console) -> Result<(), Failure> {
    if let Some(refusal) = &letter.impossible {
        say(&format!("{}: {}", letter.id, told(refusal)));
        return Ok(());
    }
    let came_to = letter.came_to.as_ref().map(|came_to| format!(": accepted, {came_to}")).unwrap_or_default();
    console.line(&format!("{}  {}{came_to}", letter.id, letter.place.as_deref().unwrap_or_default()))?;
    if let Some(refused) = &letter.refused {
        refusal("refused again", refused, console)?;
    }
    letter.writes.iter().try_for_each(|write| show_write(write, console))
}

fn show_write(write: &ForeseenWrite, console: &mut Console) -> Result<(), Failure> {
    let place = format!("{} {}", write.system, write.object);
    if let Some(refused) = &write.refused {
        return refusal(&format!("{place}: refused again"), refused, console);
    }
    let what = match write.operation.as_str() {
        "nothing" => "nothing is left to write".to_owned(),
        "wait" => "waits until the place that the record moves to is proven".to_owned(),
        "no rules" => "the configuration does not speak of it any more, so it stays as it is".to_owned(),
        operation => format!("{operation} {} {}", write.record_type, write.key),
    };
    console.line(&format!("  {place}: {what}"))?;
    let rows: Vec<_> = write.fields.iter().map(field).collect();
    console.table(4, &rows)
}

fn field(field: &ForeseenField) -> Vec<String> {
    let change = if field.is_changed { "changes" } else { "as it is" };
    match &field.values {
        Some(values) if field.is_changed => row([&field.field, &format!("{} -> {}", shown(values.old.as_ref()), shown(values.new.as_ref()))]),
        Some(values) => row([&field.field, &format!("{}, {change}", shown(values.new.as_ref()))]),
        None => row([&field.field, change]),
    }
}

fn refusal(what: &str, refused: &RefusalView, console: &mut Console) -> Result<(), Failure> {
    let field = refused.field.as_ref().map(|field| format!(" ({field})")).unwrap_or_default();
    console.line(&format!("  {what}: {}{field}: {} [{}]", refused.code, refused.message, refused.error))?;
    console.line(&format!("    remedy: {}", refused.remedy))
}
