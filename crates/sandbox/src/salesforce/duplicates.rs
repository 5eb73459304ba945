//! Duplicate rules: whether a row that a client saves is like one that is there.
//!
//! Promises: a rule looks at live rows whose fields all equal those of the saved row, without regard to case; it strikes at a create,
//! and at an update of one of its fields; a client that says so passes an alert, and nobody passes a block.
//! Leaves to others: fuzzy matching, and rules of more than one matching rule; what people save, who are only warned.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::call::Call;
use super::errors::Fault;
use super::ids;
use super::org::{Actor, Org, Row};
use super::schema::Sobject;
use super::values;
use super::write::{Draft, Stamp};

/// The version from which the header counts.
const HEADER_SINCE: u16 = 52;

/// One duplicate rule of the org.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DuplicateRule {
    /// What is saved: `Lead` or `Contact`.
    pub object: String,
    /// Where rows like it are looked for; the same object when empty.
    #[serde(default)]
    pub against: Vec<String>,
    /// The fields that must be equal, by API name.
    pub fields: Vec<String>,
    /// What becomes of the row.
    #[serde(default)]
    pub action: DuplicateAction,
    /// Developer name; the standard one of the object when empty.
    #[serde(default)]
    pub name: String,
    /// What the user reads.
    #[serde(default = "usual_message")]
    pub message: String,
}

/// What a duplicate rule does to a row that is like another.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DuplicateAction {
    /// Refuses it unless the client asks to save it all the same.
    #[default]
    Alert,
    /// Refuses it.
    Block,
}

fn usual_message() -> String {
    "Use one of these records?".to_owned()
}

/// What the client's headers ask of a write: what becomes of duplicates, and whether assignment rules run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Wish {
    allow_save: bool,
    include_details: bool,
    pub(super) auto_assign: bool,
    version: u16,
}

impl Wish {
    /// Reads `Sforce-Duplicate-Rule-Header`, whose parts are all false when absent, and `Sforce-Auto-Assign`, which is true then.
    pub(super) fn of(call: &Call<'_>) -> Self {
        let header = call.request.headers.get("sforce-duplicate-rule-header").map_or("", String::as_str);
        let says = |name: &str| {
            let mut parts = header.split([';', ',']).filter_map(|part| part.split_once('='));
            let said = parts.any(|(key, value)| key.trim().eq_ignore_ascii_case(name) && value.trim().eq_ignore_ascii_case("true"));
            said && call.version >= HEADER_SINCE
        };
        let assigns = call.request.headers.get("sforce-auto-assign").is_none_or(|text| !text.trim().eq_ignore_ascii_case("FALSE"));
        let (allow_save, include_details) = (says("allowSave"), says("includeRecordDetails"));
        Self { allow_save, include_details, auto_assign: assigns, version: call.version }
    }
}

impl Org {
    /// Refuses a draft that a rule finds to be like other rows; `own` is the row that it changes.
    pub(super) fn check_duplicates(&self, object: Sobject, draft: &Draft, own: Option<u64>, stamp: Stamp) -> Result<(), Vec<Fault>> {
        let rules = if stamp.actor == Actor::Client { self.config.duplicate_rules.as_slice() } else { &[] };
        for rule in rules.iter().filter(|rule| Sobject::named(&rule.object) == Some(object)) {
            if rule.action == DuplicateAction::Alert && stamp.wish.allow_save {
                continue;
            }
            let found = self.like(object, rule, draft, own);
            if !found.is_empty() {
                return Err(vec![self.detected(rule, &found, stamp.wish)]);
            }
        }
        Ok(())
    }

    /// The rows that are like what the draft makes.
    fn like(&self, object: Sobject, rule: &DuplicateRule, draft: &Draft, own: Option<u64>) -> Vec<(Sobject, u64)> {
        let table = self.table(object);
        let before = own.and_then(|serial| table.rows.get(&serial));
        let wanted: Option<Vec<(&str, &str)>> = rule
            .fields
            .iter()
            .map(|name| {
                let number = table.schema.stored_number(name)?;
                let value = draft.value(number).unwrap_or_else(|| before.and_then(|row| row.get(number)));
                Some((name.as_str(), value?))
            })
            .collect();
        let Some(wanted) = wanted.filter(|wanted| !wanted.is_empty()) else { return Vec::new() };
        let touched = rule.fields.iter().any(|name| table.schema.stored_number(name).is_some_and(|number| draft.value(number).is_some()));
        if !touched {
            return Vec::new();
        }
        let own_object = [rule.object.clone()];
        let against = if rule.against.is_empty() { own_object.as_slice() } else { rule.against.as_slice() };
        let mut found = Vec::new();
        for other in against.iter().filter_map(|name| Sobject::named(name)) {
            let table = self.table(other);
            let equals = |row: &Row, name: &str, value: &str| {
                let stored = table.schema.stored_number(name).and_then(|number| row.get(number));
                stored.is_some_and(|stored| stored.to_lowercase() == value.to_lowercase())
            };
            let like = |row: &Row| !row.deleted && wanted.iter().all(|(name, value)| equals(row, name, value));
            let rows = table.rows.iter().filter(|(serial, row)| (other != object || Some(**serial) != own) && like(row));
            found.extend(rows.map(|(serial, _)| (other, *serial)));
        }
        found
    }

    fn detected(&self, rule: &DuplicateRule, found: &[(Sobject, u64)], wish: Wish) -> Fault {
        let mut results: Vec<Value> = Vec::new();
        for run in found.chunk_by(|one, next| one.0 == next.0) {
            let object = run[0].0;
            let records: Vec<Value> = run.iter().map(|(_, serial)| self.matched(object, *serial, wish)).collect();
            results.push(json!({
                "entityType": object.name(), "errors": [], "matchEngine": "FuzzyMatchEngine", "matchRecords": records,
                "rule": format!("Standard_{}_Match_Rule_v1_1", object.name()), "size": run.len(), "success": true,
            }));
        }
        let standard = format!("Standard_{}_Duplicate_Rule", rule.object);
        let details = json!({
            "allowSave": rule.action == DuplicateAction::Alert,
            "duplicateRule": if rule.name.is_empty() { &standard } else { &rule.name },
            "duplicateRuleEntityType": rule.object,
            "errorMessage": rule.message,
            "matchResults": results,
        });
        Fault { details: Some(Box::new(details)), ..Fault::row("DUPLICATES_DETECTED", rule.message.clone(), &[]) }
    }

    fn matched(&self, object: Sobject, serial: u64, wish: Wish) -> Value {
        let table = self.table(object);
        let numbers: Vec<u16> = if wish.include_details {
            table.schema.visible().map(|(number, _)| number).collect()
        } else {
            table.schema.number("Id").into_iter().collect()
        };
        let id = ids::make(object.prefix(), serial);
        let record = table.rows.get(&serial).map_or_else(|| json!({ "Id": id }), |row| values::record(&table.schema, serial, row, wish.version, &numbers));
        json!({ "additionalInformation": [], "fieldDiffs": [], "matchConfidence": 100.0, "record": record })
    }
}
