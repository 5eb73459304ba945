//! Reads the codecs of mapping rows.
//!
//! Promises: a codec that is read is whole: its table has a way back, its pattern and its texts too. Leaves to others: what a codec
//! does (`core::plan::mapping`), whether it fits its row (`rows`).

use std::collections::BTreeMap;

use syncline_core::plan::mapping::{Codec, DayForm, DayPattern, MomentForm, Picklist, TruthForm};
use syncline_core::schema::phone;

use super::raw::{Node, Value};
use super::shape;
use super::read::Reader;

type Make = fn() -> Codec;

const CODECS: [(&str, Make); 11] = [
    ("same", || Codec::Same),
    ("lower", || Codec::Lower),
    ("upper", || Codec::Upper),
    ("trim", || Codec::Trim),
    ("phone", || Codec::Phone { region: None }),
    ("date", || Codec::Date(DayForm::Iso)),
    ("datetime", || Codec::DateTime(MomentForm::Rfc3339)),
    ("number", || Codec::Number { scale: None }),
    ("bool", || Codec::Bool(TruthForm::default())),
    ("split_name", || Codec::SplitName),
    ("join_name", || Codec::JoinName),
];

/// Reads a codec: a name, a map of one name to its settings, or a list of these.
pub(super) fn codec(reader: &mut Reader<'_>, node: &Node) -> Option<Codec> {
    match &node.value {
        Value::Seq(nodes) => {
            let codecs: Vec<Option<Codec>> = nodes.iter().map(|node| codec(reader, node)).collect();
            Some(Codec::Chain(codecs.into_iter().collect::<Option<_>>()?))
        }
        Value::Map(_) => {
            let section = reader.section(node, shape::CODEC_SETTINGS)?;
            match (section.get("picklist"), section.get("date"), section.get("datetime"), section.get("number"), section.get("bool")) {
                (Some(table), None, None, None, None) => picklist(reader, table).map(Codec::Picklist),
                (None, Some(form), None, None, None) => day(reader, form).map(Codec::Date),
                (None, None, Some(form), None, None) => moment(reader, form).map(Codec::DateTime),
                (None, None, None, Some(settings), None) => number(reader, settings),
                (None, None, None, None, Some(texts)) => truth(reader, texts).map(Codec::Bool),
                (None, None, None, None, None) => {
                    reader.required(section, "picklist", "write codec: { picklist: { ours: theirs } }");
                    None
                }
                (_, _, _, _, _) => {
                    reader.fault(node, "names two codecs at once", "write a list of them: [first, second]");
                    None
                }
            }
        }
        Value::Null | Value::Scalar(_) => reader.choice(node, "codec", &CODECS).map(|make| make()),
    }
}

fn day(reader: &mut Reader<'_>, node: &Node) -> Option<DayForm> {
    let text = reader.text(node, "iso, midnight_ms, or a pattern such as \"%d.%m.%Y\"")?;
    if !text.contains('%') {
        return match text.as_str() {
            "iso" => Some(DayForm::Iso),
            "midnight_ms" => Some(DayForm::MidnightMs),
            other => {
                reader.unknown(&node.place, &node.path, "form of a day", other, &["iso", "midnight_ms"]);
                None
            }
        };
    }
    match DayPattern::new(&text) {
        Ok(pattern) => Some(DayForm::Pattern(pattern)),
        Err(why) => {
            reader.fault(node, format!("is no pattern for a day: {why}"), "write a pattern such as \"%d.%m.%Y\", or iso or midnight_ms");
            None
        }
    }
}

fn moment(reader: &mut Reader<'_>, node: &Node) -> Option<MomentForm> {
    let forms = [MomentForm::Rfc3339, MomentForm::Ms, MomentForm::Seconds].map(|form| (form.name(), form));
    reader.choice(node, "form of a time", &forms)
}

fn number(reader: &mut Reader<'_>, node: &Node) -> Option<Codec> {
    let section = reader.section(node, shape::NUMBER)?;
    let scale = reader.required(section, "scale", "write codec: { number: { scale: 2 } }, or codec: number for any scale")?;
    let scale = reader.whole(scale, 0, 30)?;
    Some(Codec::Number { scale: u32::try_from(scale).ok() })
}

fn truth(reader: &mut Reader<'_>, node: &Node) -> Option<TruthForm> {
    let section = reader.section(node, shape::TRUTH)?;
    let remedy = "write codec: { bool: { true: Yes, false: No } } with their texts";
    let mut text = |key| reader.required(section, key, remedy).and_then(|node| reader.text(node, "a text of theirs"));
    let (yes, no) = (text("true"), text("false"));
    let form = TruthForm::new(&yes?, &no?);
    if form.is_none() {
        reader.fault(node, "needs two texts that differ, so that there is a way back", remedy);
    }
    form
}

fn picklist(reader: &mut Reader<'_>, node: &Node) -> Option<Picklist> {
    let entries = reader.entries(node)?;
    let mut table = BTreeMap::new();
    let mut whole = !entries.is_empty();
    if !whole {
        reader.fault(node, "maps no value", "write ours: theirs, one value a line");
    }
    for entry in entries {
        let theirs = reader.text(&entry.node, "a value of theirs");
        if let Some(first) = theirs.as_ref().and_then(|theirs| table.iter().find(|(_, known)| *known == theirs).map(|(ours, _)| ours)) {
            let message = format!("stands for the same value as {first}, so that there is no way back");
            reader.fault(&entry.node, message, "give each value of ours a value of its own");
            whole = false;
            continue;
        }
        match theirs {
            Some(theirs) => {
                table.insert(entry.key.clone(), theirs);
            }
            None => whole = false,
        }
    }
    if whole { Picklist::new(table).ok() } else { None }
}

/// Gives every phone codec its region.
pub(super) fn region(reader: &mut Reader<'_>, node: &Node, codec: Codec) -> Option<Codec> {
    let known = |text: &str| phone::is_region(text).then(|| text.to_owned());
    let region = reader.parsed(node, "the two letters of a country, such as US or DE", known)?;
    match codec {
        Codec::Phone { .. } => Some(Codec::Phone { region: Some(region) }),
        Codec::Chain(mut links) if links.iter().any(|link| matches!(link, Codec::Phone { .. })) => {
            for link in links.iter_mut().filter(|link| matches!(link, Codec::Phone { .. })) {
                *link = Codec::Phone { region: Some(region.clone()) };
            }
            Some(Codec::Chain(links))
        }
        Codec::Same
        | Codec::Lower
        | Codec::Upper
        | Codec::Trim
        | Codec::Picklist(_)
        | Codec::Date(_)
        | Codec::DateTime(_)
        | Codec::Number { .. }
        | Codec::Bool(_)
        | Codec::SplitName
        | Codec::JoinName
        | Codec::Chain(_) => {
            reader.fault(node, "means something to the codec phone only", "write codec: phone, or take region out");
            None
        }
    }
}
