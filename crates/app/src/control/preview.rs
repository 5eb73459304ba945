//! What replays of letters would write, as an operator sees it.
//!
//! Promises: nothing is changed; each letter is looked at for itself, as the only one that is replayed.
//! Leaves to others: the plan (`engine::operator::preview`), hiding values (`cli`).

use serde::{Deserialize, Serialize};
use syncline_core::ids::{LetterId, SystemId};
use syncline_core::outcome::Rejection;
use syncline_core::record::Value;
use syncline_engine::codes::Code;
use syncline_engine::error::Result;
use syncline_engine::operator::preview::{self, Act, FieldChange, Preview, Write};

use super::{Context, Names, Refusal, resync};

/// What a replay of one letter would come to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Foreseen {
    /// The letter.
    pub id: i64,
    /// Where its input stood, or the record's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// What its input would come to: `routed`, `unrouted`, `stale` or `duplicate`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub came_to: Option<String>,
    /// Why its input would be refused again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<RefusalView>,
    /// Why it cannot be replayed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub impossible: Option<Refusal>,
    /// What would be written.
    pub writes: Vec<ForeseenWrite>,
}

/// What would be written in one place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForeseenWrite {
    /// The system.
    pub system: String,
    /// The object there.
    pub object: String,
    /// The record type.
    pub record_type: String,
    /// The record's key.
    pub key: String,
    /// `create`, `update`, `delete`, `nothing`, `wait`, `refused` or `no rules`.
    pub operation: String,
    /// Its fields.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<ForeseenField>,
    /// Why it would be refused before it is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<RefusalView>,
}

/// One field of a write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForeseenField {
    /// The mapping row.
    pub field: String,
    /// Whether it would change what they hold.
    pub is_changed: bool,
    /// From what to what, where values are shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub values: Option<Values>,
}

/// From what to what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Values {
    /// What they were last known to hold.
    pub old: Option<Value>,
    /// What they would hold.
    pub new: Option<Value>,
}

/// Why something would be refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusalView {
    /// Its code in the registry of errors.
    pub error: String,
    /// The word for it.
    pub code: String,
    /// The field to blame.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// What is said.
    pub message: String,
    /// What to do about it.
    pub remedy: String,
}

impl From<Rejection> for RefusalView {
    fn from(Rejection { code, field, message, remedy }: Rejection) -> Self {
        Self { error: Code::of_refusal(&code).to_string(), code, field, message, remedy }
    }
}

/// Looks at what replays would come to; a letter that cannot be replayed does not keep the others.
pub(super) async fn preview(context: &dyn Context, ids: &[i64]) -> Result<Vec<Foreseen>> {
    let config = resync::known_config(context)?;
    let config = &*config;
    let numbers = resync::numbers(context, config).await?;
    let routes = config.routes(&|name| SystemId(numbers.get(name).copied().unwrap_or_default()));
    let terms = resync::terms(config, &numbers);
    let names = Names::of(context.store()).await?;
    let mut all = Vec::with_capacity(ids.len());
    for id in ids {
        all.push(match preview::preview(context.store(), &config.schemas, &routes, &terms, LetterId(*id), context.now()).await {
            Ok(found) => foreseen(found, &names),
            Err(error) => Foreseen { id: *id, place: None, came_to: None, refused: None, impossible: Some(error.into()), writes: Vec::new() },
        });
    }
    Ok(all)
}

fn foreseen(found: Preview, names: &Names) -> Foreseen {
    Foreseen {
        id: found.letter.id.0,
        place: Some(found.letter.place),
        came_to: found.came_to.map(str::to_owned),
        refused: found.refused.map(RefusalView::from),
        impossible: None,
        writes: found.writes.into_iter().map(|write| told(write, names)).collect(),
    }
}

fn told(Write { system, object, record_type, key, act }: Write, names: &Names) -> ForeseenWrite {
    let (operation, changes, refused) = match act {
        Act::Create(changes) => ("create", changes, None),
        Act::Update(changes) => ("update", changes, None),
        Act::Delete => ("delete", Vec::new(), None),
        Act::Nothing => ("nothing", Vec::new(), None),
        Act::Wait => ("wait", Vec::new(), None),
        Act::Refused(rejection) => ("refused", Vec::new(), Some(rejection.into())),
        Act::NoRules => ("no rules", Vec::new(), None),
    };
    let field = |FieldChange { row, old, new, is_changed }| ForeseenField { field: row, is_changed, values: Some(Values { old, new }) };
    let fields = changes.into_iter().map(field).collect();
    ForeseenWrite { system: names.name(system.0), object, record_type, key, operation: operation.to_owned(), fields, refused }
}
